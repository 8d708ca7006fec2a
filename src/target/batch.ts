import { LARGEST_BLOCK, type Blocks } from './blocks.ts';
import type { Memory } from './memory.ts';
import type { ObjectWriter } from './object-writer.ts';

/** Blocks begin small and grow as a stream has more to say. */
const SMALLEST_BLOCK = 4096;

const NONE = Buffer.alloc(0);

export type BatchInfo = {
  readonly key: string;
  /** Where among the open objects it has its place. */
  readonly slot: string;
  readonly stream: string;
  /** One `name=value` for each partition field. */
  readonly folders: readonly string[];
  readonly columns: readonly string[];
  readonly rejected: boolean;
  /** Fingerprint of the schema that all rows were sent under. */
  readonly schema: string;
  readonly begunAt: number;
};

/** Rows after the last STATE, taken out of a batch. */
export type Rest = { readonly rows: number; readonly bytes: Uint8Array };

/**
 * The rows of one object that is still open. It remembers which of its rows came after the last STATE (`era` is
 * the number of STATEs so far), as long as they have not left for the compressor: those can be taken out again,
 * so that the object ends where the STATE stands.
 */
export class Batch {
  readonly info: BatchInfo;
  readonly writer: ObjectWriter;
  readonly #memory: Memory;
  readonly #blocks: Blocks;
  readonly #largestBlock: number;
  #rows = 0;
  #block: Buffer;
  #used = 0;
  /** The last era that added rows; they begin at `#mark`, after `#markRows` rows; -1 if some have left. */
  #era = -1;
  #mark = 0;
  #markRows = 0;

  constructor(info: BatchInfo, writer: ObjectWriter, memory: Memory, blocks: Blocks, limitBytes: number) {
    this.info = info;
    this.writer = writer;
    this.#memory = memory;
    this.#blocks = blocks;
    this.#largestBlock = Math.max(SMALLEST_BLOCK, Math.min(LARGEST_BLOCK, limitBytes));
    this.#block = this.#allocate(SMALLEST_BLOCK);
  }

  get rows(): number {
    return this.#rows;
  }

  /** Bytes in memory. */
  get held(): number {
    return this.#block.length + this.writer.held;
  }

  /** Puts in what an object begins with, before any row. */
  begin(header: Uint8Array): void {
    void this.#makeRoom(header.length);
    this.#append([header]);
  }

  /** Copies one row. If it returns a promise, the next row has to wait for it. */
  add(pieces: readonly Uint8Array[], era: number): Promise<void> | undefined {
    let length = 0;
    for (const piece of pieces) length += piece.length;
    const room = this.#makeRoom(length);
    if (this.#era !== era) {
      this.#era = era;
      this.#mark = this.#used;
      this.#markRows = this.#rows;
    }
    this.#append(pieces);
    this.#rows++;
    return room;
  }

  /** True if all its rows are of this era. */
  isOnly(era: number): boolean {
    return this.#era === era && this.#markRows === 0;
  }

  /** False if rows of this era have left and cannot be taken out. */
  canSplit(era: number): boolean {
    return this.#era !== era || this.#mark >= 0;
  }

  /** Takes out the rows of this era, if there are any. Only after `canSplit`. */
  split(era: number): Rest | undefined {
    if (this.#era !== era) return undefined;
    const rest = {
      rows: this.#rows - this.#markRows,
      bytes: Buffer.from(this.#block.subarray(this.#mark, this.#used)),
    };
    this.#rows = this.#markRows;
    this.#used = this.#mark;
    this.#era = -1;
    return rest;
  }

  /** Puts rows in that were taken out of another batch of the same stream. */
  addRest(rest: Rest, era: number): Promise<void> | undefined {
    const room = this.add([rest.bytes], era);
    this.#rows += rest.rows - 1;
    return room;
  }

  /** Hands over the rows that are still here. Resolves when the input may go on. */
  async seal(): Promise<void> {
    const room = this.#handOver();
    this.#release();
    await room;
  }

  async abort(): Promise<void> {
    this.#release();
    await this.writer.abort();
  }

  #append(pieces: readonly Uint8Array[]): void {
    for (const piece of pieces) {
      this.#block.set(piece, this.#used);
      this.#used += piece.length;
    }
  }

  #makeRoom(length: number): Promise<void> | undefined {
    const needed = this.#used + length;
    if (needed <= this.#block.length) return undefined;
    if (needed <= this.#largestBlock) {
      let size = this.#block.length;
      while (size < needed) size *= 2;
      const larger = this.#allocate(Math.min(size, this.#largestBlock));
      this.#block.copy(larger, 0, 0, this.#used);
      this.#release();
      this.#block = larger;
      return undefined;
    }
    const size = Math.max(length, Math.min(this.#block.length, this.#largestBlock));
    const room = this.#handOver();
    this.#release();
    this.#block = this.#allocate(size);
    return room;
  }

  #handOver(): Promise<void> | undefined {
    if (this.#used === 0) return undefined;
    const full = this.#block.subarray(0, this.#used);
    this.#used = 0;
    if (this.#era >= 0) this.#mark = -1;
    this.#memory.add(-this.#block.length);
    this.#block = NONE;
    return this.writer.write(full);
  }

  #allocate(size: number): Buffer {
    this.#memory.add(size);
    return this.#blocks.take(size);
  }

  #release(): void {
    if (this.#block === NONE) return;
    this.#memory.add(-this.#block.length);
    this.#blocks.give(this.#block);
    this.#block = NONE;
  }
}
