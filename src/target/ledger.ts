/** What the rows taken so far call for. */
export type Step =
  /** Nothing yet. */
  | 'wait'
  /** Close every object and commit them with the last STATE. */
  | 'commit'
  /** The same, but rows that came after the last STATE have to be taken out first. */
  | 'split'
  /** Close every object; what comes with the next STATE commits them. */
  | 'seal';

/** What one commit takes from the ledger. */
export type Taken = { readonly state: Uint8Array | undefined; readonly rowsAfterState: number };

/**
 * Decides where commits end. Rows and STATEs go by in the order of the input; a commit takes all rows since the
 * one before it and the newest STATE. It ends where a STATE stands, so that a run that starts again from that
 * STATE sends exactly the rows that are in no commit; only the end of the input can be an exception.
 */
export class Ledger {
  readonly #waitMs: number;
  readonly #mostStateBytes: number;
  /** The newest STATE that no commit has. */
  #state: Uint8Array | undefined;
  #statesSeen = 0;
  /** Rows since the newest STATE, and whether all of them could still be taken out of their objects. */
  #tailRows = 0;
  #tailLoose = true;
  /** When the oldest message that is in no commit arrived, and the oldest row after the newest STATE. */
  #since: number | undefined;
  #tailSince: number | undefined;
  #sealedUntil = 0;
  #due = false;
  #stateBytes = 0;

  /** With `mostStateBytes`, a commit is also due when so many bytes of STATEs have come since the last one. */
  constructor(waitMs: number, mostStateBytes = Infinity) {
    this.#waitMs = waitMs;
    this.#mostStateBytes = mostStateBytes;
  }

  /** The number of STATEs so far. */
  get era(): number {
    return this.#statesSeen;
  }

  get tailRows(): number {
    return this.#tailRows;
  }

  /** False once a row after the newest STATE is in an object that is closed. */
  get tailLoose(): boolean {
    return this.#tailLoose;
  }

  get hasState(): boolean {
    return this.#state !== undefined;
  }

  row(now: number): void {
    this.#since ??= now;
    this.#tailSince ??= now;
    this.#tailRows++;
  }

  state(state: Uint8Array, now: number): void {
    this.#since ??= now;
    this.#state = state;
    this.#stateBytes += state.length;
    if (this.#stateBytes > this.#mostStateBytes) this.#due = true;
    this.#statesSeen++;
    this.#tailRows = 0;
    this.#tailLoose = true;
    this.#tailSince = undefined;
  }

  /** One object was closed. If that was for a limit, the next STATE ends a commit. */
  closed(limit: boolean): void {
    if (limit) this.#due = true;
    if (this.#tailRows > 0) this.#tailLoose = false;
  }

  /** What to do now. `canSplit` tells whether the open objects could give back their rows after the STATE. */
  next(now: number, canSplit: () => boolean): Step {
    if (this.#since === undefined) return 'wait';
    if (!this.#due && now - this.#since < this.#waitMs) return 'wait';
    if (this.#state !== undefined && this.#tailRows === 0) return 'commit';
    if (this.#state !== undefined && this.#tailLoose && canSplit()) return 'split';
    // A STATE may come any moment, and objects that end there are worth a second wait.
    return now - Math.max(this.#since, this.#sealedUntil) >= 2 * this.#waitMs ? 'seal' : 'wait';
  }

  /** All objects were closed without a commit. */
  sealed(now: number): void {
    this.#sealedUntil = now;
    this.closed(false);
  }

  /** A commit takes what there is; with `split`, the rows after the newest STATE are left for the next one. */
  take(split: boolean): Taken {
    const taken = { state: this.#state, rowsAfterState: split ? 0 : this.#tailRows };
    this.#state = undefined;
    this.#stateBytes = 0;
    this.#due = false;
    this.#since = split ? this.#tailSince : undefined;
    if (!split) {
      this.#tailRows = 0;
      this.#tailSince = undefined;
    }
    this.#tailLoose = true;
    return taken;
  }
}
