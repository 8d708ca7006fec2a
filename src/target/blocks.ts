/** Rows are compressed in blocks of up to this size. */
export const LARGEST_BLOCK = 1024 * 1024;

const MOST_KEPT = 8;

/** Memory for rows. Large blocks are used again, since waiting for the collector would cost as much again. */
export class Blocks {
  readonly #free: Buffer[] = [];

  take(size: number): Buffer {
    return (size === LARGEST_BLOCK ? this.#free.pop() : undefined) ?? Buffer.allocUnsafeSlow(size);
  }

  /** Gives back all of a block of which `part` is a part. Nothing may use it any more. */
  give(part: Uint8Array): void {
    const whole = part.buffer;
    if (whole.byteLength === LARGEST_BLOCK && this.#free.length < MOST_KEPT)
      this.#free.push(Buffer.from(whole));
  }
}
