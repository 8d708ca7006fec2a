import type { Clock } from '../shared/clock.ts';
import { mayBeAlive } from './alive.ts';
import { readCommit } from './commit-record.ts';
import { commitsFolder, runKey, runsFolder } from './key.ts';
import { commitKeys, committedRuns } from './last-state.ts';
import type { Paths } from './path.ts';
import type { Store } from './stores/store.ts';

export type VacuumContext = {
  readonly store: Store;
  readonly prefix: string;
  readonly paths: Paths;
  /** Only what is at least so old is removed. */
  readonly olderThanMs: number;
  readonly dryRun: boolean;
  readonly clock: Clock;
  /** Hears of everything that is removed, or would be. */
  readonly removing: (what: string) => Promise<void>;
};

export type Vacuumed = { readonly objects: number; readonly bytes: number; readonly uploads: number };

/**
 * Removes objects and unfinished uploads that runs have left behind: those whose keys only this program makes,
 * that no commit names (or that a later generation replaced), of runs that have ended.
 */
export async function vacuum(context: VacuumContext): Promise<Vacuumed> {
  const { store, prefix, paths, olderThanMs, dryRun, clock, removing } = context;
  const below = prefix === '' ? '' : `${prefix}/`;
  const runs = knownRuns(context);
  // With 0 everything is old enough, whatever the clocks say.
  const isOld = (at: number): boolean => olderThanMs === 0 || at <= clock.now() - olderThanMs;
  const done = { objects: 0, bytes: 0, uploads: 0 };
  for await (const { key, begunAt, remove } of store.leftovers(below)) {
    const runId = paths.runOf(key) ?? commitRun(prefix, key);
    if (runId === undefined || !isOld(begunAt) || (await runs.isAlive(runId))) continue;
    await removing(`unfinished upload of ${key}`);
    if (!dryRun) await remove();
    done.uploads++;
  }
  const replaced = await replacedStreams(store, prefix);
  for await (const { key, bytes, modifiedAt } of store.list(below)) {
    const runId = paths.runOf(key);
    if (runId === undefined || !isOld(modifiedAt) || (await runs.isAlive(runId))) continue;
    const stream = (await runs.named(runId)).get(key);
    if (stream !== undefined && !((replaced.get(stream) ?? '') > runId)) continue;
    await removing(key);
    if (!dryRun) await store.remove(key);
    done.objects++;
    done.bytes += bytes;
  }
  if (!dryRun) await removeSigns(context, runs.isAlive);
  return done;
}

/** What is known of runs, asked for once each. Whether a run has ended is asked before what it has committed. */
function knownRuns({ store, prefix, clock }: VacuumContext) {
  const alive = new Map<string, boolean>();
  const committed = new Map<string, ReadonlyMap<string, string>>();
  return {
    isAlive: async (runId: string): Promise<boolean> => {
      let is = alive.get(runId);
      if (is === undefined) {
        is = await hasLife(store, runKey(prefix, runId), clock.now());
        alive.set(runId, is);
      }
      return is;
    },
    /** The streams of the objects that the run's commits name. */
    named: async (runId: string): Promise<ReadonlyMap<string, string>> => {
      let names = committed.get(runId);
      if (names === undefined) {
        names = await namedObjects(store, prefix, runId);
        committed.set(runId, names);
      }
      return names;
    },
  };
}

async function hasLife(store: Store, key: string, now: number): Promise<boolean> {
  for await (const sign of store.list(key))
    if (sign.key === key) return mayBeAlive(await store.get(key), sign.modifiedAt, now);
  return false;
}

async function namedObjects(store: Store, prefix: string, runId: string): Promise<Map<string, string>> {
  const named = new Map<string, string>();
  for (const key of await commitKeys(store, prefix, runId))
    for (const object of (await readCommit(store, key)).objects) named.set(object.key, object.stream);
  return named;
}

/** The streams of which a run has put a new generation in place, each with the newest such run. */
async function replacedStreams(store: Store, prefix: string): Promise<Map<string, string>> {
  const replaced = new Map<string, string>();
  for (const run of await committedRuns(store, prefix)) {
    const last = (await commitKeys(store, prefix, run)).at(-1);
    if (last === undefined) continue;
    for (const stream of (await readCommit(store, last)).replaces)
      if (!replaced.has(stream)) replaced.set(stream, run);
  }
  return replaced;
}

async function removeSigns(
  { store, prefix }: VacuumContext,
  isAlive: (runId: string) => Promise<boolean>,
): Promise<void> {
  for await (const { key } of store.list(runsFolder(prefix))) {
    const runId = key.slice(runsFolder(prefix).length).replace(/\.json$/, '');
    if (key === runKey(prefix, runId) && !(await isAlive(runId))) await store.remove(key);
  }
}

/** The run of a commit record's key. */
function commitRun(prefix: string, key: string): string | undefined {
  const folder = commitsFolder(prefix);
  if (!key.startsWith(folder)) return undefined;
  return /^([^/]+)\/\d{6,}\.json$/.exec(key.slice(folder.length))?.[1];
}
