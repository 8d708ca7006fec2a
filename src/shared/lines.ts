import { once } from 'node:events';
import type { Writable } from 'node:stream';
import { configError } from './errors.ts';

const NEWLINE = 0x0a;

/** Lines that arrived together, and the number (from 1) of the first of them. */
export type LineBlock = { readonly first: number; readonly lines: readonly Uint8Array[] };

/**
 * Splits bytes into lines without copying those that lie inside one chunk; a chunk's memory is not needed any
 * more once the next one is asked for. Line ends are `\n` (a `\r` before it
 * is white space to JSON); a last line without one counts. The lines of a block are valid until the next block
 * is asked for. A line over `maxBytes` throws a config error naming its number, after the lines before it; `tell`
 * may say more of it from what has been read of its beginning.
 */
export async function* readLines(
  source: AsyncIterable<Uint8Array>,
  maxBytes: number,
  tell: (beginning: Uint8Array) => string = () => '',
): AsyncGenerator<LineBlock> {
  let first = 1;
  let held: Uint8Array[] = [];
  let heldBytes = 0;
  const tooLong = (line: number, beginning: Uint8Array): Error =>
    configError(
      `line ${line}: ${tell(beginning)}longer than max_line_bytes (${maxBytes}); raise that setting if such lines are expected`,
      {
        code: 'LINE_TOO_LONG',
      },
    );
  for await (const chunk of source) {
    const lines: Uint8Array[] = [];
    let start = 0;
    let fits = true;
    for (let at = chunk.indexOf(NEWLINE); at !== -1; at = chunk.indexOf(NEWLINE, start)) {
      fits = heldBytes + at - start <= maxBytes;
      if (!fits) break;
      const tail = chunk.subarray(start, at);
      lines.push(heldBytes === 0 ? tail : Buffer.concat([...held, tail]));
      if (heldBytes > 0) [held, heldBytes] = [[], 0];
      start = at + 1;
    }
    if (fits && start < chunk.length) {
      held.push(Uint8Array.prototype.slice.call(chunk, start));
      heldBytes += chunk.length - start;
      fits = heldBytes <= maxBytes;
    }
    if (lines.length > 0) yield { first, lines };
    first += lines.length;
    if (!fits) throw tooLong(first, held[0] ?? chunk.subarray(start));
  }
  if (heldBytes > 0) yield { first, lines: [Buffer.concat(held)] };
}

const PIECE_BYTES = 256 * 1024;

/** Collects bytes and hands them on in large pieces, waiting for a slow reader: see `LineWriter.write`. */
export class LineWriter {
  readonly #out: Writable;
  #piece = Buffer.allocUnsafeSlow(PIECE_BYTES);
  #used = 0;

  constructor(out: Writable) {
    this.#out = out;
  }

  /**
   * Adds bytes (whole lines). Resolves at once while less than a piece is held, else when the reader has room.
   * Rejects when the reader is gone (EPIPE).
   */
  async write(...parts: readonly Uint8Array[]): Promise<void> {
    for (const part of parts) {
      if (this.#used + part.length > PIECE_BYTES) await this.flush();
      if (part.length > PIECE_BYTES) {
        await this.#hand(part);
      } else {
        this.#piece.set(part, this.#used);
        this.#used += part.length;
      }
    }
  }

  /** Resolves when everything written so far has been taken by the operating system or is first in its queue. */
  async flush(): Promise<void> {
    if (this.#used === 0) return;
    const piece = this.#piece.subarray(0, this.#used);
    this.#used = 0;
    // Once the stream has drained, nothing of the piece is waiting in it, and its memory can be used again.
    if (!(await this.#hand(piece))) this.#piece = Buffer.allocUnsafeSlow(PIECE_BYTES);
  }

  /** Resolves when every byte has left the process. */
  async end(): Promise<void> {
    await this.flush();
    await new Promise<void>((resolve, reject) => {
      this.#out.write('', (error) => (error ? reject(error) : resolve()));
    });
  }

  /** True if the stream has let go of the bytes. */
  async #hand(bytes: Uint8Array): Promise<boolean> {
    if (this.#out.errored) throw this.#out.errored;
    if (this.#out.write(bytes)) return false;
    await once(this.#out, 'drain');
    return true;
  }
}
