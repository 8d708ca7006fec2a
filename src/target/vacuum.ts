import type { Clock } from '../shared/clock.ts';
import { mayBeAlive } from './alive.ts';
import { readCommit, type CommittedObject, type Generations } from './commit-record.ts';
import { stays } from './generation.ts';
import { homeOf } from './home.ts';
import { commitsFolder, runKey, runsFolder } from './key.ts';
import { commitKeys, committedRuns } from './last-state.ts';
import { Numbers } from './numbers.ts';
import type { Maker, Paths } from './path.ts';
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
  const { store, prefix, paths, olderThanMs, dryRun, removing } = context;
  const below = prefix === '' ? '' : `${prefix}/`;
  const home = homeOf(store, prefix);
  const runs = knownRuns(context, await replacedStreams(store, prefix));
  // With 0 everything is old enough, whatever the clocks say.
  const isOld = (at: number): boolean => olderThanMs === 0 || at <= storeTime(context) - olderThanMs;
  const done = { objects: 0, bytes: 0, uploads: 0 };
  for await (const { key, begunAt, remove } of store.leftovers(below)) {
    const runId = paths.makerOf(key)?.runId ?? commitRun(prefix, key);
    if (runId === undefined || !isOld(begunAt) || (await runs.isAlive(runId))) continue;
    if (!(await home.isHere(runId, key))) continue;
    await removing(`unfinished upload of ${key}`);
    if (!dryRun) await remove();
    done.uploads++;
  }
  for await (const { key, bytes, modifiedAt } of store.list(below)) {
    const maker = paths.makerOf(key);
    if (maker === undefined || !isOld(modifiedAt) || (await runs.isAlive(maker.runId))) continue;
    if ((await runs.keeps(maker)) || !(await home.isHere(maker.runId, key))) continue;
    await removing(key);
    if (!dryRun) await store.remove(key);
    done.objects++;
    done.bytes += bytes;
  }
  if (!dryRun) await removeSigns(context, runs.isAlive);
  return done;
}

/**
 * What is known of runs, asked for once each. Whether a run has ended is asked before what it has committed. Of an
 * object only its number is remembered, since there may be millions.
 */
function knownRuns(
  { store, prefix, paths, clock }: VacuumContext,
  replaced: ReadonlyMap<string, Replacement>,
) {
  const alive = new Map<string, boolean>();
  const kept = new Map<string, Numbers>();
  return {
    isAlive: async (runId: string): Promise<boolean> => {
      let is = alive.get(runId);
      if (is === undefined) {
        is = await hasLife({ store, clock }, runKey(prefix, runId));
        alive.set(runId, is);
      }
      return is;
    },
    /** Whether the run's commits name this object, and no later generation has replaced it. */
    keeps: async ({ runId, number }: Maker): Promise<boolean> => {
      let numbers = kept.get(runId);
      if (numbers === undefined) {
        numbers = new Numbers();
        kept.set(runId, numbers);
        for (const key of await commitKeys(store, prefix, runId))
          for (const object of (await readCommit(store, key)).objects) {
            const maker = paths.makerOf(object.key);
            if (maker?.runId === runId && !isReplaced(object, runId, replaced)) numbers.add(maker.number);
          }
      }
      return numbers.has(number);
    },
  };
}

async function hasLife(context: Pick<VacuumContext, 'store' | 'clock'>, key: string): Promise<boolean> {
  const { store } = context;
  for await (const sign of store.list(key))
    if (sign.key === key) return mayBeAlive(await store.get(key), sign.modifiedAt, storeTime(context));
  return false;
}

/** The store says when its objects were changed, so the time to compare with is its own, whatever ours is. */
function storeTime({ store, clock }: Pick<VacuumContext, 'store' | 'clock'>): number {
  return clock.now() + (store.clockAhead() ?? 0);
}

/** The newest run that put a new generation of a stream in place, and which one, if it has a name. */
type Replacement = { readonly run: string; readonly generations: Generations };

function isReplaced(
  object: CommittedObject,
  runId: string,
  replaced: ReadonlyMap<string, Replacement>,
): boolean {
  const by = replaced.get(object.stream);
  return by !== undefined && by.run > runId && !stays(object, by.generations);
}

async function replacedStreams(store: Store, prefix: string): Promise<Map<string, Replacement>> {
  const replaced = new Map<string, Replacement>();
  for (const run of await committedRuns(store, prefix)) {
    const last = (await commitKeys(store, prefix, run)).at(-1);
    if (last === undefined) continue;
    const { replaces, generations } = await readCommit(store, last);
    for (const stream of replaces) if (!replaced.has(stream)) replaced.set(stream, { run, generations });
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
