import { encodeCommit, type CommittedObject, type Generations } from './commit-record.ts';
import { commitKey } from './key.ts';
import type { Store } from './stores/store.ts';

export type Commit = {
  /** Each resolves when the object is durable. */
  readonly objects: readonly Promise<CommittedObject>[];
  readonly state: Uint8Array | undefined;
  readonly rowsAfterState: number;
  readonly replaces?: readonly string[];
  readonly generations?: Generations;
};

export type CommitContext = {
  readonly store: Store;
  readonly prefix: string;
  readonly runId: string;
  readonly program: string;
  readonly now: () => number;
  /** Prints a STATE; resolves when it is on its way out of the process. */
  readonly print: (state: Uint8Array) => Promise<void>;
  readonly failed: (error: unknown) => void;
  /** Throws if nothing may be committed any more. */
  readonly check: () => void;
};

/** Commits under way at one time, and bytes of STATEs in them; more make the input wait. */
const MOST_PENDING = 16;
const MOST_PENDING_BYTES = 16 * 1024 * 1024;

/**
 * Makes commits one after the other: first the objects, then the record that names them, then the STATE. After
 * a failure nothing is committed any more, since a later STATE would cover the rows that are missing.
 */
export class Commits {
  readonly #context: CommitContext;
  readonly #pending = new Set<Promise<void>>();
  #pendingBytes = 0;
  #last: Promise<void> = Promise.resolve();
  #number = 0;
  #printed: Uint8Array | undefined;
  #rows = 0;

  constructor(context: CommitContext) {
    this.#context = context;
  }

  /** Records written, and the rows in them. */
  get totals(): { readonly commits: number; readonly rows: number } {
    return { commits: this.#number, rows: this.#rows };
  }

  /** Queues a commit. Resolves when there is room for another; see `drain` for how it ends. */
  async push(commit: Commit): Promise<void> {
    for (const object of commit.objects) object.catch(() => undefined); // seen by the commit
    const done = this.#last.then(() => this.#make(commit));
    this.#last = done;
    this.#pending.add(done);
    const bytes = commit.state?.length ?? 0;
    this.#pendingBytes += bytes;
    done.catch(this.#context.failed).finally(() => {
      this.#pending.delete(done);
      this.#pendingBytes -= bytes;
    });
    while (this.#pending.size > MOST_PENDING || this.#pendingBytes > MOST_PENDING_BYTES)
      await Promise.race(this.#pending).catch(() => undefined);
  }

  /** Resolves when all commits are made and their STATEs printed; rejects with the first failure. */
  async drain(): Promise<void> {
    await this.#last;
  }

  async #make(commit: Commit): Promise<void> {
    const { objects, state, rowsAfterState, replaces = [], generations } = commit;
    const { store, prefix, runId, program, now, print, check } = this.#context;
    const durable = await Promise.all(objects);
    const news = state !== undefined && !(this.#printed && Buffer.compare(state, this.#printed) === 0);
    if (durable.length === 0 && !news && replaces.length === 0) return;
    check();
    const number = this.#number + 1;
    const record = encodeCommit({
      runId,
      number,
      committedAt: now(),
      program,
      objects: durable,
      rowsAfterState,
      replaces,
      ...(generations === undefined ? {} : { generations }),
      state,
    });
    await store.create(commitKey(prefix, runId, number), 'application/json').finish(record);
    this.#number = number;
    for (const { rows, rejected } of durable) if (rejected !== true) this.#rows += rows;
    if (state === undefined) return;
    this.#printed = state;
    await print(state);
  }
}
