import { stateOf } from './commit-record.ts';
import { commitsFolder } from './key.ts';
import type { Store } from './stores/store.ts';

/** The runs that have committed something, the newest first. */
export async function committedRuns(store: Store, prefix: string): Promise<string[]> {
  const runs: string[] = [];
  for await (const run of store.folders(commitsFolder(prefix))) runs.push(run);
  return runs.toSorted().toReversed();
}

/** The keys of a run's commit records, in the order of their numbers. */
export async function commitKeys(store: Store, prefix: string, runId: string): Promise<string[]> {
  const keys: string[] = [];
  for await (const { key } of store.list(`${commitsFolder(prefix)}${runId}/`))
    if (/\/\d{6,}\.json$/.test(key)) keys.push(key);
  return keys.toSorted((a, b) => a.length - b.length || (a < b ? -1 : 1));
}

/** The STATE that was committed last, as it was received; undefined if there is none. */
export async function lastState(store: Store, prefix: string): Promise<Uint8Array | undefined> {
  for (const run of await committedRuns(store, prefix)) {
    const keys = await commitKeys(store, prefix, run);
    for (const key of keys.toReversed()) {
      const record = await store.get(key);
      const state = record === undefined ? undefined : stateOf(record);
      if (state !== undefined) return state;
    }
  }
  return undefined;
}
