import { readFile, readlink } from 'node:fs/promises';
import { transientError } from '../shared/errors.ts';
import { isObject, parseBytes, type JsonObject } from '../shared/json/value.ts';
import type { Clock } from '../shared/clock.ts';
import { runKey } from './key.ts';
import type { Store } from './stores/store.ts';

const REFRESH_MS = 60_000;
/** A run that could not say for so long that it is alive commits nothing any more. */
const FENCE_MS = 20 * 60_000;
/** A run that has said nothing for so long is gone; the rest is for clocks that differ and requests that hang. */
const GONE_MS = 45 * 60_000;

/** A process on a Linux machine, beyond doubt; elsewhere undefined. */
type Owner = { readonly machine: string; readonly pid: number; readonly started: string };

/** The sign that a run is alive: an object that is refreshed while it goes on and removed at its end. */
export type SignOfLife = {
  /** Refreshes the sign when it is time to; never rejects. */
  readonly refresh: () => void;
  /** Throws if the run has been silent for so long that somebody may have removed its objects as leftovers. */
  readonly check: () => void;
  /** Removes the sign, if that is allowed; never rejects. */
  readonly end: () => Promise<void>;
};

/** Writes the first sign of a run, which also proves that the store can be written. */
export async function beginLife(
  store: Store,
  prefix: string,
  runId: string,
  clock: Clock,
): Promise<SignOfLife> {
  const key = runKey(prefix, runId);
  const owner = await self();
  const say = async (): Promise<void> => {
    const sign = { run_id: runId, alive_at: new Date(clock.now()).toISOString(), owner };
    await store.replace(key, Buffer.from(`${JSON.stringify(sign)}\n`));
  };
  // Both clocks: one of them may stand still while the machine sleeps.
  const now = (): [number, number] => [clock.now(), clock.elapsed()];
  const since = (then: [number, number]): number => Math.max(...now().map((at, i) => at - then[i]!));
  let last = now();
  let under: Promise<void> | undefined;
  await say();
  return {
    refresh: () => {
      if (under !== undefined || since(last) < REFRESH_MS) return;
      const begun = now();
      under = say()
        .then(
          () => void (last = begun),
          () => undefined,
        )
        .finally(() => (under = undefined));
    },
    check: () => {
      if (since(last) > FENCE_MS)
        throw transientError(
          `this run could not reach the store for ${Math.round(since(last) / 60_000)} minutes; a vacuum may have taken it for dead, so it commits nothing more; run again from the last state`,
          { code: 'RUN_WAS_SILENT' },
        );
    },
    end: async () => {
      await under;
      await store.remove(key).catch(() => undefined);
    },
  };
}

/** Whether the run that left this sign may still be going on. */
export async function mayBeAlive(
  sign: Uint8Array | undefined,
  modifiedAt: number,
  now: number,
): Promise<boolean> {
  if (sign === undefined) return false; // it has ended just now
  if (now - modifiedAt > GONE_MS) return false;
  const there = ownerOf(sign);
  const here = await self();
  if (there === undefined || here?.machine !== there.machine) return true;
  return (await startOf(there.pid)) === there.started;
}

function ownerOf(sign: Uint8Array): Owner | undefined {
  try {
    const value = parseBytes(sign);
    const found = isObject(value) ? (value['owner'] as JsonObject | undefined) : undefined;
    if (!isObject(found)) return undefined;
    const { machine, pid, started } = found as Readonly<Record<string, unknown>>;
    if (typeof machine !== 'string' || typeof pid !== 'number' || typeof started !== 'string')
      return undefined;
    return { machine, pid, started };
  } catch {
    return undefined;
  }
}

async function self(): Promise<Owner | undefined> {
  try {
    const [boot, namespace, pid] = await Promise.all([
      readFile('/proc/sys/kernel/random/boot_id', 'utf8'),
      readlink('/proc/self/ns/pid'),
      readlink('/proc/self'),
    ]);
    const started = await startOf(Number(pid));
    return started === undefined
      ? undefined
      : { machine: `${boot.trim()} ${namespace}`, pid: Number(pid), started };
  } catch {
    return undefined;
  }
}

/** When a process began, in ticks since the machine did; undefined if it is gone. */
async function startOf(pid: number): Promise<string | undefined> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  // The name, in parentheses, may hold spaces.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return ['Z', 'X', ''].includes(fields[0]!) ? undefined : fields[19];
}
