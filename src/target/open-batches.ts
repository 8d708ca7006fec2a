import type { RecordMessage } from '../protocol/message.ts';
import { configError } from '../shared/errors.ts';
import type { BatchContext, Reason } from './batch-context.ts';
import { Batch } from './batch.ts';
import { Columns } from './columns.ts';
import type { CommittedObject } from './commit-record.ts';
import { jsonl } from './formats/jsonl.ts';
import { tooLong } from './key.ts';
import { ObjectWriter } from './object-writer.ts';
import { partitionFolders } from './partition.ts';
import { rejectedKey } from './path.ts';
import type { Stream } from './stream.ts';

/** What an object is for. */
type Place = Pick<Batch['info'], 'slot' | 'stream' | 'schema' | 'folders' | 'columns' | 'rejected'>;

/** The objects of a run that still take rows, one a stream and partition, and those that are closed but in no commit. */
export class OpenBatches {
  readonly #context: BatchContext;
  readonly #open = new Map<string, Batch>();
  #closed: Promise<CommittedObject>[] = [];
  #number = 0;
  /** The object that took the last row. */
  #last: Batch | undefined;
  #rotated = false;
  readonly #columns: Columns;
  #stored = { objects: 0, bytes: 0 };

  constructor(context: BatchContext) {
    this.#context = context;
    this.#columns = new Columns(context.format);
  }

  /** Objects and bytes that are durable. */
  get stored(): { readonly objects: number; readonly bytes: number } {
    return this.#stored;
  }

  /** Adds a row. Afterwards `limit` names the limit that its object has reached, if it has. */
  add(stream: Stream, message: RecordMessage, era: number): Promise<void> | undefined {
    const { format, addMetadata, clock, paths } = this.#context;
    const folders = paths.fields.length === 0 ? [] : partitionFolders(message.record, paths.fields);
    const slot = folders.length === 0 ? stream.name : [stream.name, ...folders].join('\0');
    const receivedAt = addMetadata === undefined ? 0 : clock.now();
    let batch = this.#open.get(slot);
    let record = addMetadata?.(message, { receivedAt, batchedAt: batch?.info.begunAt ?? receivedAt }) ?? [
      message.record,
    ];
    let columns: readonly string[] = [];
    let closing: Promise<void> | undefined;
    if (format.columns !== undefined) {
      record = [record.length === 1 ? record[0]! : Buffer.concat(record)];
      columns = this.#columns.forRecord(stream, record[0]!);
      if (batch !== undefined && batch.info.columns !== columns) {
        closing = this.#close(batch, 'header change');
        closing.catch(() => undefined); // seen below
        batch = undefined;
        this.#rotated = true;
      }
    }
    batch ??= this.#begin({
      slot,
      stream: stream.name,
      schema: stream.fingerprint,
      folders,
      columns,
      rejected: false,
    });
    this.#last = batch;
    const room = batch.add(format.row(record, columns), era);
    return closing === undefined ? room : Promise.all([closing, room]).then(() => undefined);
  }

  /** Adds a line that was not fit for its stream, to an object apart. */
  reject(stream: Stream, pieces: readonly Uint8Array[], era: number): Promise<void> | undefined {
    const slot = `\0rejected\0${stream.name}`;
    const place = {
      slot,
      stream: stream.name,
      schema: stream.fingerprint,
      folders: [],
      columns: [],
      rejected: true,
    };
    const batch = this.#open.get(slot) ?? this.#begin(place);
    this.#last = batch;
    return batch.add(pieces, era);
  }

  /** True, once, if adding a row has closed an object. */
  takeRotated(): boolean {
    const rotated = this.#rotated;
    this.#rotated = false;
    return rotated;
  }

  /** The limit that is reached by the object that took the last row. */
  limit(): 'rows' | 'bytes' | undefined {
    const batch = this.#last;
    if (batch === undefined) return undefined;
    if (batch.rows >= this.#context.rowLimit) return 'rows';
    return batch.writer.bytes >= this.#context.byteLimit ? 'bytes' : undefined;
  }

  /** Closes the object that took the last row. Resolves when the input may go on. */
  async closeLast(reason: Reason): Promise<boolean> {
    const batch = this.#last;
    if (batch === undefined || this.#open.get(batch.info.slot) !== batch) return false;
    await this.#close(batch, reason);
    return true;
  }

  /** Closes the objects of one stream, if it has any. Resolves when the input may go on. */
  async close(stream: string, reason: Reason): Promise<boolean> {
    const batches = [...this.#open.values()].filter(({ info }) => info.stream === stream && !info.rejected);
    for (const batch of batches) await this.#close(batch, reason);
    return batches.length > 0;
  }

  async #close(batch: Batch, reason: Reason): Promise<void> {
    this.#open.delete(batch.info.slot);
    const { rows, writer } = batch;
    const { columns: _, ...info } = batch.info; // headers may be large, and an upload slow
    const room = batch.seal();
    const closed = room.then(() => this.#finish(writer, info, rows, reason));
    closed.catch(() => undefined); // seen by the commit that takes it
    this.#closed.push(closed);
    await room;
  }

  async closeAll(reason: Reason): Promise<void> {
    for (const batch of this.#open.values()) await this.#close(batch, reason);
  }

  canSplit(era: number): boolean {
    for (const batch of this.#open.values()) if (!batch.isOnly(era) && !batch.canSplit(era)) return false;
    return true;
  }

  /**
   * Sets the rows of this era aside, so that the open objects end with the rows before it. The result puts them
   * back, into other objects.
   */
  split(era: number): () => Promise<void> {
    const aside: (() => Promise<void> | undefined)[] = [];
    for (const [name, batch] of this.#open) {
      if (batch.isOnly(era)) {
        this.#open.delete(name);
        aside.push(async () => void this.#open.set(name, batch));
        continue;
      }
      const rest = batch.split(era);
      if (rest !== undefined) aside.push(() => this.#begin(batch.info).addRest(rest, era));
    }
    return async () => {
      for (const putBack of aside) await putBack();
    };
  }

  /** True if more memory is in use, or more objects are open, than there should be. */
  get short(): boolean {
    const { memory, memoryLimit, openLimit } = this.#context;
    return memory.bytes > memoryLimit || this.#open.size > openLimit;
  }

  /** Closes the largest objects and waits until memory is enough. True if it closed one. */
  async relieve(): Promise<boolean> {
    const { memory, memoryLimit, openLimit } = this.#context;
    let closed = false;
    // The first opened is the least likely to get more.
    for (const batch of [...this.#open.values()].slice(0, Math.max(0, this.#open.size - openLimit))) {
      await this.#close(batch, 'open objects');
      closed = true;
    }
    if (memory.bytes <= memoryLimit) return closed;
    const open = [...this.#open.values()].toSorted((a, b) => b.held - a.held);
    let held = open.reduce((sum, batch) => sum + batch.held, 0);
    for (const batch of open) {
      if (held <= memoryLimit / 2) break;
      held -= batch.held;
      await this.#close(batch, 'memory');
      closed = true;
    }
    await memory.below(memoryLimit);
    return closed;
  }

  /** Hands over the closed objects to a commit. */
  takeClosed(): Promise<CommittedObject>[] {
    const closed = this.#closed;
    this.#closed = [];
    return closed;
  }

  /** Gives up the objects that are open. */
  async abort(): Promise<void> {
    const open = [...this.#open.values()];
    this.#open.clear();
    await Promise.all(open.map((batch) => batch.abort()));
  }

  #begin(place: Place): Batch {
    const { store, prefix, paths, runId, compression, memory, blocks, byteLimit, clock } = this.#context;
    const { slot, stream, schema, folders, columns, rejected } = place;
    const format = rejected ? jsonl : this.#context.format;
    const begunAt = clock.now();
    const extension = format.extension + compression.extension;
    const name = { stream, runId, number: ++this.#number, begunAt, extension };
    const key = rejected ? rejectedKey(prefix, name) : paths.keyOf(name, folders);
    const problem = tooLong(key);
    if (problem !== undefined)
      throw configError(
        `stream ${JSON.stringify(stream)}: its rows would need a key ${problem}; shorten s3_key_prefix, path_template or partition_by`,
        { code: 'KEY_TOO_LONG' },
      );
    const upload = store.create(key, compression.contentType ?? format.contentType);
    const writer = new ObjectWriter(upload, compression.begin(), this.#context);
    const info = { key, slot, stream, schema, folders, columns, rejected, begunAt };
    const batch = new Batch(info, writer, memory, blocks, byteLimit);
    if (format.header !== undefined) batch.begin(format.header(columns));
    this.#open.set(slot, batch);
    return batch;
  }

  async #finish(
    writer: ObjectWriter,
    { key, stream, schema, rejected }: Omit<Batch['info'], 'columns'>,
    rows: number,
    reason: Reason,
  ): Promise<CommittedObject> {
    const { clock, log } = this.#context;
    const begun = clock.elapsed();
    const { bytes, sha256 } = await writer.finish();
    const seconds = Math.round(clock.elapsed() - begun) / 1000;
    this.#stored = { objects: this.#stored.objects + 1, bytes: this.#stored.bytes + bytes };
    log.info(`stored ${key}: ${rows} rows, ${bytes} bytes (closed for: ${reason})`, {
      stream,
      extra: { key, rows, bytes, reason },
    });
    const metric = (type: string, name: string, value: number): void =>
      log.info(name, { stream, metric: { type, metric: name, value, tags: { stream } } });
    if (!rejected) metric('counter', 'record_count', rows);
    metric('timer', 'batch_processing_time', seconds);
    const generation = this.#context.generations.get(stream);
    return { key, stream, schema, rows, bytes, sha256, ...generation, ...(rejected ? { rejected } : {}) };
  }
}
