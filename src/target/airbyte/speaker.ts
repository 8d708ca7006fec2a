import type { LineWriter } from '../../shared/lines.ts';

/** Several hands write lines to one output: each call is written as a whole, in the order of the calls. */
export class Speaker {
  readonly #out: LineWriter;
  #last: Promise<void> = Promise.resolve();

  constructor(out: LineWriter) {
    this.#out = out;
  }

  /** Resolves when the lines have left; rejects when nobody reads them. */
  say(...lines: readonly Uint8Array[]): Promise<void> {
    const said = this.#last.then(async () => {
      await this.#out.write(...lines);
      await this.#out.flush();
    });
    this.#last = said.catch(() => undefined);
    return said;
  }

  /** For lines that nobody waits for: whoever waits for the next ones hears of a failure. */
  readonly mention = (line: Uint8Array): void => {
    this.say(line).catch(() => undefined);
  };
}
