/** Counts the bytes that rows take up between input and store. */
export class Memory {
  #bytes = 0;
  #open = false;
  #waiting: { readonly limit: number; readonly resolve: () => void }[] = [];

  get bytes(): number {
    return this.#bytes;
  }

  add(bytes: number): void {
    this.#bytes += bytes;
    if (bytes < 0 && this.#waiting.length > 0) this.#wake();
  }

  /** Resolves when no more than `limit` bytes are held. */
  async below(limit: number): Promise<void> {
    if (this.#bytes <= limit || this.#open) return;
    await new Promise<void>((resolve) => this.#waiting.push({ limit, resolve }));
  }

  /** Lets everyone go on: the run has failed, and what is held may never get less. */
  giveUp(): void {
    this.#open = true;
    for (const { resolve } of this.#waiting) resolve();
    this.#waiting = [];
  }

  #wake(): void {
    const ready = this.#waiting.filter(({ limit }) => this.#bytes <= limit);
    this.#waiting = this.#waiting.filter(({ limit }) => this.#bytes > limit);
    for (const { resolve } of ready) resolve();
  }
}
