/** A fixed amount of room that callers share, first come first served. */
export class Slots {
  readonly #size: number;
  readonly #waiting: { readonly weight: number; readonly enter: () => void }[] = [];
  #used = 0;

  constructor(size: number) {
    this.#size = size;
  }

  /**
   * Resolves with a function that gives the room back (calling it again changes nothing). What is larger than
   * all the room there is gets it when nobody else has any.
   */
  async acquire(weight = 1): Promise<() => void> {
    if (this.#waiting.length > 0 || !this.#fits(weight)) {
      await new Promise<void>((enter) => this.#waiting.push({ weight, enter }));
    } else {
      this.#used += weight;
    }
    let held = true;
    return () => {
      if (!held) return;
      held = false;
      this.#used -= weight;
      this.#admit();
    };
  }

  #fits(weight: number): boolean {
    return this.#used === 0 || this.#used + weight <= this.#size;
  }

  #admit(): void {
    while (this.#waiting.length > 0 && this.#fits(this.#waiting[0]!.weight)) {
      const next = this.#waiting.shift()!;
      this.#used += next.weight;
      next.enter();
    }
  }
}
