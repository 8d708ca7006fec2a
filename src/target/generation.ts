import { configError, messageOf } from '../shared/errors.ts';
import { isObject, parseBytes } from '../shared/json/value.ts';
import type { Log } from '../shared/log.ts';
import { readCommit, type CommittedObject, type Generations } from './commit-record.ts';
import { commitKeys, committedRuns } from './last-state.ts';
import type { StepContext } from './steps.ts';
import type { Store } from './stores/store.ts';

/** What a run needs to know to replace what earlier runs have written. */
export type Generation = {
  readonly store: Store;
  readonly prefix: string;
  readonly runId: string;
};

/** Streams to be replaced; of those with a generation, earlier objects that belong to it stay. */
export type Replacing = {
  readonly replaces: readonly string[];
  readonly generations?: Generations;
};

/** What the input said of its streams. */
export type Contents = {
  readonly streams: { keys(): Iterable<string> };
  /** Those with rows or an ACTIVATE_VERSION. */
  readonly full: ReadonlySet<string>;
  /** Those with rows that no STATE and no ACTIVATE_VERSION of theirs has followed. */
  readonly unfinished: ReadonlySet<string>;
};

/**
 * Ends a run that overwrites: one commit with everything, which replaces what earlier runs have committed of the
 * same streams; only then those objects are removed. A run that failed, was stopped, or whose tap seems to have
 * died leaves everything as it was.
 */
export async function finishGeneration(
  { ledger, batches, commits, stop, log }: StepContext,
  generation: Generation,
  { streams, full, unfinished }: Contents,
  succeeded: boolean,
): Promise<void> {
  if (!succeeded || stop.aborted) {
    await batches.abort();
    log.warning('the run did not reach its end: nothing is replaced, and nothing of it is committed');
    return;
  }
  const taken = ledger.take(false);
  const broken = problemOf(unfinished, taken.state);
  if (broken !== undefined) {
    await batches.abort();
    throw configError(
      `${broken}, as when the tap has failed: nothing is replaced; look at the log of the tap and run again (of a tap that never sends a STATE, rows can only be appended)`,
      { code: 'INPUT_INCOMPLETE' },
    );
  }
  // Without rows and without a STATE nobody knows whether a stream is empty or its tap has died.
  const replaces = [...streams.keys()].filter((name) => ledger.era > 0 || full.has(name));
  await batches.closeAll('end of input');
  await commits.push({ objects: batches.takeClosed(), ...taken, replaces });
  await commits.drain();
  if (replaces.length > 0) await removeEarlier(generation, { replaces }, log);
}

/** Why an input that came to its end may not be whole: a pipe ends in the same way when the tap has died. */
function problemOf(unfinished: ReadonlySet<string>, state: Uint8Array | undefined): string | undefined {
  const [stream] = unfinished;
  if (stream !== undefined)
    return `the input ended with rows of stream ${JSON.stringify(stream)} that no STATE and no ACTIVATE_VERSION follows`;
  const value = state === undefined ? undefined : parseBytes(state);
  // The word that taps have for it; a tap that is done sets it to null.
  const under = isObject(value) ? value['currently_syncing'] : undefined;
  if (under === undefined || under === null) return undefined;
  return `the last STATE says that ${JSON.stringify(under)} is still being read (currently_syncing)`;
}

/** Removes what a commit has replaced, as far as possible; never rejects. */
export async function removeEarlier(generation: Generation, replacing: Replacing, log: Log): Promise<void> {
  const { replaces } = replacing;
  try {
    const removed = await removeReplaced(generation, replacing);
    log.info(
      `a new generation of ${replaces.length} streams is in place; ${removed} objects of earlier ones removed`,
    );
  } catch (error) {
    log.warning(`objects of earlier generations are left, which vacuum will remove: ${messageOf(error)}`);
  }
}

/** Removes the objects that the commits of earlier runs list for these streams. */
async function removeReplaced(
  { store, prefix, runId }: Generation,
  { replaces, generations: kept = new Map() }: Replacing,
): Promise<number> {
  const streams = new Set(replaces);
  const met = new Map<string, string>();
  let removed = 0;
  for (const run of await committedRuns(store, prefix)) {
    if (run >= runId) continue;
    if (streams.size === 0) return removed; // what is older went with a generation in between
    const replaced = new Map<string, string | undefined>();
    for (const key of await commitKeys(store, prefix, run)) {
      const { objects, replaces, generations } = await readCommit(store, key);
      for (const stream of replaces) replaced.set(stream, generations.get(stream));
      for (const object of objects) {
        if (!streams.has(object.stream) || !object.key.includes(run) || stays(object, kept)) continue;
        await store.remove(object.key);
        removed++;
      }
    }
    for (const [stream, generation] of replaced) {
      // Nothing is left of what was before it, but for objects of its own generation, which lie between it and the
      // generation before.
      if (generation === undefined || (met.get(stream) ?? generation) !== generation) streams.delete(stream);
      else met.set(stream, generation);
    }
  }
  return removed;
}

/** Whether an object of an earlier run still counts after its stream was replaced. */
export function stays({ stream, generation }: CommittedObject, generations: Generations): boolean {
  return generation !== undefined && generation === generations.get(stream);
}
