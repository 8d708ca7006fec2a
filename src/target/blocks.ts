/** Rows are compressed in blocks of up to this size. */
export const LARGEST_BLOCK = 1024 * 1024;

/** Free memory that is kept for blocks to come. */
const MOST_KEPT_BYTES = 16 * LARGEST_BLOCK;

/** Memory for rows. It is used again, since waiting for the collector would cost as much again. */
export class Blocks {
  readonly #free = new Map<number, Buffer[]>();
  #keptBytes = 0;

  take(size: number): Buffer {
    const block = this.#free.get(size)?.pop();
    if (block === undefined) return Buffer.allocUnsafeSlow(size);
    this.#keptBytes -= size;
    return block;
  }

  /** Gives back all of a block of which `part` is a part. Nothing may use it any more. */
  give(part: Uint8Array): void {
    const whole = part.buffer;
    const size = whole.byteLength;
    if (this.#keptBytes + size > MOST_KEPT_BYTES) return;
    this.#keptBytes += size;
    const same = this.#free.get(size);
    if (same === undefined) this.#free.set(size, [Buffer.from(whole)]);
    else same.push(Buffer.from(whole));
  }
}
