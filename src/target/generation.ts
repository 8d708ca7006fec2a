import { configError, messageOf } from '../shared/errors.ts';
import { readCommit } from './commit-record.ts';
import { commitKeys, committedRuns } from './last-state.ts';
import type { StepContext } from './steps.ts';
import type { Store } from './stores/store.ts';

/** What a run needs to know to replace what earlier runs have written. */
export type Generation = {
  readonly store: Store;
  readonly prefix: string;
  readonly runId: string;
};

/** What the input said of its streams. */
export type Contents = {
  readonly streams: { keys(): Iterable<string> };
  /** Those with rows or an ACTIVATE_VERSION. */
  readonly full: ReadonlySet<string>;
};

/**
 * Ends a run that overwrites: one commit with everything, which replaces what earlier runs have committed of the
 * same streams; only then those objects are removed. A run that failed, was stopped, or whose tap seems to have
 * died leaves everything as it was.
 */
export async function finishGeneration(
  { ledger, batches, commits, stop, log }: StepContext,
  generation: Generation,
  { streams, full }: Contents,
  succeeded: boolean,
): Promise<void> {
  if (!succeeded || stop.aborted) {
    await batches.abort();
    log.warning('the run did not reach its end: nothing is replaced, and nothing of it is committed');
    return;
  }
  if (ledger.era > 0 && ledger.tailRows > 0) {
    await batches.abort();
    throw configError(
      'the input ended with rows that no STATE follows, as when the tap has failed: nothing is replaced; look at the log of the tap and run again',
      { code: 'INPUT_INCOMPLETE' },
    );
  }
  // Without rows and without a STATE nobody knows whether a stream is empty or its tap has died.
  const replaces = [...streams.keys()].filter((name) => ledger.era > 0 || full.has(name));
  await batches.closeAll('end of input');
  await commits.push({ objects: batches.takeClosed(), ...ledger.take(false), replaces });
  await commits.drain();
  if (replaces.length === 0) return;
  try {
    const removed = await removeReplaced(generation, new Set(replaces));
    log.info(
      `a new generation of ${replaces.length} streams is in place; ${removed} objects of earlier ones removed`,
    );
  } catch (error) {
    log.warning(`objects of earlier generations are left, which vacuum will remove: ${messageOf(error)}`);
  }
}

/** Removes the objects that the commits of earlier runs list for these streams. */
async function removeReplaced({ store, prefix, runId }: Generation, streams: Set<string>): Promise<number> {
  let removed = 0;
  for (const run of await committedRuns(store, prefix)) {
    if (run >= runId) continue;
    if (streams.size === 0) return removed; // what is older went with a generation in between
    const replaced: string[] = [];
    for (const key of await commitKeys(store, prefix, run)) {
      const { objects, replaces } = await readCommit(store, key);
      replaced.push(...replaces);
      for (const object of objects) {
        if (!streams.has(object.stream) || !object.key.includes(run)) continue;
        await store.remove(object.key);
        removed++;
      }
    }
    for (const stream of replaced) streams.delete(stream);
  }
  return removed;
}
