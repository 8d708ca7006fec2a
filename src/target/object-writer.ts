import { createHash, type Hash } from 'node:crypto';
import type { Slots } from '../shared/slots.ts';
import type { Blocks } from './blocks.ts';
import type { Compressor } from './formats/compression.ts';
import type { Memory } from './memory.ts';
import type { Upload } from './stores/store.ts';

/** What the writers of a run share. */
export type WriterContext = {
  /** Room for blocks between batch and part; a slow store keeps it full and so slows the input. */
  readonly room: Slots;
  readonly blocks: Blocks;
  readonly memory: Memory;
  readonly partBytes: number;
  /** Called as soon as a writer fails, perhaps several times. */
  readonly failed: (error: unknown) => void;
};

/** What an object takes beside its rows until it is durable, about: measured with 10,000 of them. */
const OVERHEAD = 16 * 1024;

export type Written = { readonly bytes: number; readonly sha256: string };

/** Turns the blocks of one object into compressed parts and uploads them while more blocks come. */
export class ObjectWriter {
  readonly #upload: Upload;
  readonly #compressor: Compressor;
  readonly #context: WriterContext;
  /** Of the parts so far. Made with the first one: thousands of objects may be open that hold a few rows each. */
  #hash: Hash | undefined;
  /** Settles when every block so far has become part of the object; blocks join in the order of `write`. */
  #tail: Promise<void> = Promise.resolve();
  #pieces: Uint8Array[] = [];
  #pieceBytes = 0;
  #bytes = 0;
  #held = 0;

  constructor(upload: Upload, compressor: Compressor, context: WriterContext) {
    this.#upload = upload;
    this.#compressor = compressor;
    this.#context = context;
    this.#hold(OVERHEAD);
  }

  /** Bytes of the object so far, as stored; blocks under way not counted. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Bytes in memory. */
  get held(): number {
    return this.#held;
  }

  /**
   * Takes a block over; it must not be changed any more. Resolves when there is room for another one; a
   * failure is told to `WriterContext.failed` and by `finish`.
   */
  async write(block: Uint8Array): Promise<void> {
    this.#hold(block.buffer.byteLength);
    const release = await this.#context.room.acquire();
    const compressed = this.#compressor.block(block);
    compressed.catch(() => undefined); // seen where its turn comes
    const joined = this.#tail.then(async () => this.#join(block, await compressed));
    this.#tail = joined.finally(release);
    this.#tail.catch(this.#context.failed);
  }

  /** Resolves when the object is durable. */
  async finish(): Promise<Written> {
    try {
      await this.#tail;
      this.#append(this.#compressor.end());
      const rest = this.#takePart();
      const sha256 = this.#hash!.digest('hex');
      await this.#upload.finish(rest);
      return { bytes: this.#bytes, sha256 };
    } catch (error) {
      this.#context.failed(error);
      throw error;
    } finally {
      this.#hold(-this.#held);
    }
  }

  /** Gives the object up. */
  async abort(): Promise<void> {
    await this.#tail.catch(() => undefined);
    await this.#upload.abort();
    this.#hold(-this.#held);
  }

  async #join(block: Uint8Array, compressed: Uint8Array): Promise<void> {
    this.#hold(-block.buffer.byteLength);
    if (compressed !== block) this.#context.blocks.give(block);
    this.#append(compressed);
    if (this.#pieceBytes < this.#context.partBytes) return;
    const part = this.#takePart();
    await this.#upload.write(part);
    this.#hold(-part.length);
  }

  #append(piece: Uint8Array): void {
    this.#hold(piece.length);
    this.#bytes += piece.length;
    this.#pieces.push(piece);
    this.#pieceBytes += piece.length;
  }

  #takePart(): Uint8Array {
    const part = this.#pieces.length === 1 ? this.#pieces[0]! : Buffer.concat(this.#pieces, this.#pieceBytes);
    this.#pieces = [];
    this.#pieceBytes = 0;
    this.#hash ??= createHash('sha256');
    this.#hash.update(part);
    return part;
  }

  #hold(bytes: number): void {
    this.#held += bytes;
    this.#context.memory.add(bytes);
  }
}
