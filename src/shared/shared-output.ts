import type { LineWriter } from './lines.ts';

type Aside = {
  readonly lines: readonly Uint8Array[];
  readonly left: () => void;
  readonly failed: (error: unknown) => void;
};

const nobodyWaits = (): void => undefined;

/**
 * One pipe for two hands: the run, which waits until its lines are taken, and anyone with an aside (a line of the
 * log, the news of a limit), who does not. No line is torn by another: what is under way is finished first. An
 * aside leaves at once while the run is silent, else after what the run is writing.
 */
export class SharedOutput {
  readonly #out: LineWriter;
  #asides: Aside[] = [];
  #writing = false;
  /** The asides on their way; never rejects: the run's next write fails for the same reason. */
  #draining: Promise<void> | undefined;

  constructor(out: LineWriter) {
    this.#out = out;
  }

  /** Adds whole lines of somebody who does not wait. */
  say(...lines: readonly Uint8Array[]): void {
    this.#add({ lines, left: nobodyWaits, failed: nobodyWaits });
  }

  /** As `say`; resolves when the lines have left, rejects when nobody reads them. */
  tell(...lines: readonly Uint8Array[]): Promise<void> {
    return new Promise((left, failed) => {
      this.#add({ lines, left, failed });
    });
  }

  #add(aside: Aside): void {
    this.#asides.push(aside);
    if (!this.#writing) this.#drain();
  }

  /** As `LineWriter.write`. One call at a time. */
  write(...parts: readonly Uint8Array[]): Promise<void> {
    return this.#alone(() => this.#out.write(...parts));
  }

  /** As `LineWriter.flush`. */
  flush(): Promise<void> {
    return this.#alone(() => this.#out.flush());
  }

  /** As `LineWriter.end`, for the asides as well. */
  async end(): Promise<void> {
    await this.#alone(async () => undefined);
    await this.#alone(() => this.#out.end());
  }

  async #alone(work: () => Promise<void>): Promise<void> {
    // Asides that come from now on wait for their turn, so that however many there are, the run gets its own.
    this.#writing = true;
    try {
      if (this.#draining !== undefined) await this.#draining;
      await work();
    } finally {
      this.#writing = false;
      if (this.#asides.length > 0) this.#drain();
    }
  }

  #drain(): void {
    this.#draining ??= this.#writeAsides().finally(() => {
      this.#draining = undefined;
      if (this.#asides.length > 0 && !this.#writing) this.#drain();
    });
  }

  async #writeAsides(): Promise<void> {
    do {
      const asides = this.#asides.splice(0);
      try {
        for (const { lines } of asides) await this.#out.write(...lines);
        await this.#out.flush();
        for (const { left } of asides) left();
      } catch (error) {
        for (const { failed } of asides) failed(error);
      }
    } while (this.#asides.length > 0 && !this.#writing);
  }
}
