import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { systemClock } from '../../src/shared/clock.ts';
import { parseConfig } from '../../src/shared/config.ts';
import { Config } from '../../src/target/config.ts';
import { lastState } from '../../src/target/last-state.ts';
import { paths } from '../../src/target/path.ts';
import { openStore } from '../../src/target/stores/open-store.ts';
import type { Store } from '../../src/target/stores/store.ts';
import { vacuum } from '../../src/target/vacuum.ts';
import { startFaultProxy, type Fault, type FaultProxy } from '../support/fault-proxy.ts';
import { committedRows, dataKeys, rowsOf } from '../support/lake.ts';
import { Scratch } from '../support/programs.ts';
import { openBucket, type Bucket } from '../support/s3-bucket.ts';
import { runTargetProgram, startTarget } from '../support/target-process.ts';
import { recordLine, schemaLine, stateLine } from '../support/target-run.ts';

const SERVER = process.env['S3_SERVER_BIN'];
const SCHEDULES = Number(process.env['CRASHES'] ?? 200);
const SEED = Number(process.env['CRASH_SEED'] ?? Math.floor(Math.random() * 2 ** 31));
/** Processes that meet a fault or a signal, one after the other, before the last one reads to the end in peace. */
const CRASHES = 10;
const AT_ONCE = 3;
/** So many rows more are there for each process of a history. */
const MORE_ROWS = 36;
const ROWS = CRASHES * MORE_ROWS;
const STATE_EVERY = 6;
/** A silent process that asks nothing of the store for so long has made all its requests. */
const QUIET_MS = 600;

const INTERNAL =
  '<Error><Code>InternalError</Code><Message>We encountered an internal error.</Message></Error>';
const DENIED = '<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>';
const FAULTS: readonly Fault[] = [
  { kind: 'none' },
  { kind: 'answer', status: 503, body: INTERNAL },
  { kind: 'answer', status: 403, body: DENIED },
  { kind: 'answer after', status: 500, body: INTERNAL },
  { kind: 'cut before' },
  { kind: 'cut after' },
  { kind: 'twice' },
  { kind: 'delay', ms: 150 },
];

/** What happens at the n-th request of a process. */
type Schedule = {
  readonly at: number;
  readonly fault: Fault;
  readonly signal: 'SIGKILL' | 'SIGTERM' | undefined;
  /** Whether the tap ends, or falls silent for as long as the process lives. */
  readonly ends: boolean;
};

type History = {
  readonly number: number;
  readonly stateFrom: 'output' | 'store';
  readonly schedules: readonly Schedule[];
};

/** A history is told by the seed and its number alone. */
function history(number: number): History {
  let state = (SEED + number * 0x9e37_79b9) >>> 0;
  const below = (limit: number): number => {
    state = (Math.imul(state ^ (state >>> 15), 0x85eb_ca6b) + 0x6d2b_79f5) >>> 0;
    return ((state ^ (state >>> 13)) >>> 0) % limit;
  };
  const schedules = Array.from({ length: CRASHES }, (): Schedule => {
    const signal = ([undefined, 'SIGKILL', 'SIGKILL', 'SIGTERM'] as const)[below(4)];
    return {
      at: 1 + below(10),
      fault: FAULTS[below(FAULTS.length)]!,
      signal,
      ends: signal === undefined || below(2) === 0,
    };
  });
  return { number, stateFrom: number % 2 === 0 ? 'store' : 'output', schedules };
}

function input(from: number, to: number): string {
  let text = schemaLine('a') + schemaLine('b');
  for (let id = from; id < to; id++) {
    text += recordLine(id % 3 === 0 ? 'b' : 'a', { id });
    if (id % STATE_EVERY === STATE_EVERY - 1) text += stateLine(id + 1);
  }
  return text;
}

describe.skipIf(SERVER === undefined)(`crashes (S3_SERVER_BIN names the server; CRASH_SEED=${SEED})`, () => {
  let scratch: Scratch;
  let bucket: Bucket;
  beforeAll(async () => {
    scratch = await Scratch.open();
    bucket = await openBucket(SERVER!, scratch.path);
  });
  afterAll(async () => {
    await bucket[Symbol.asyncDispose]();
    await scratch[Symbol.asyncDispose]();
  });

  const settings = (number: number): Record<string, unknown> => ({
    ...bucket.config,
    s3_key_prefix: `h${number}`,
    batch_size_rows: 10,
    batch_wait_seconds: 0.1,
  });

  /** What is in the store. Objects are never changed, so those that are known need not be read again. */
  async function objectsOf(
    store: Store,
    number: number,
    known: ReadonlyMap<string, Uint8Array> = new Map(),
  ): Promise<Map<string, Uint8Array>> {
    const objects = new Map<string, Uint8Array>();
    for await (const { key } of store.list(`h${number}/`))
      objects.set(key, known.get(key) ?? (await store.get(key))!);
    return objects;
  }
  const ids = (rows: readonly { readonly [key: string]: unknown }[]): number[] =>
    rows.map(({ id }) => Number(id)).toSorted((a, b) => a - b);

  /** One process, with what its schedule does to it; the result is the last STATE it printed. */
  async function crash(
    proxy: FaultProxy,
    name: string,
    rows: string,
    schedule: Schedule,
  ): Promise<string | undefined> {
    const target = startTarget(['-c', name, '--log-level', 'error'], { cwd: scratch.path });
    let requests = 0;
    let quiet: NodeJS.Timeout | undefined;
    proxy.decide = () => {
      clearTimeout(quiet);
      // It may make all its requests before the one that counts.
      if (!schedule.ends) quiet = setTimeout(() => target.child.kill(schedule.signal), QUIET_MS);
      if (++requests !== schedule.at) return { kind: 'none' };
      if (schedule.signal !== undefined) target.child.kill(schedule.signal);
      return schedule.fault;
    };
    target.stdin.write(rows);
    if (schedule.ends) target.stdin.end();
    await target.ended;
    clearTimeout(quiet);
    await proxy.settled();
    return target.states().at(-1);
  }

  async function play({ number, stateFrom, schedules }: History): Promise<void> {
    await using proxy = await startFaultProxy(bucket.config['aws_endpoint_url']!);
    const name = `h${number}.json`;
    await scratch.write(name, { ...settings(number), aws_endpoint_url: proxy.url });
    const config = parseConfig(Config, settings(number) as Record<string, string>, () => 'test');
    const store = await openStore(config, {}, systemClock);
    let printed = 0;
    const resume = async (): Promise<number> => {
      if (stateFrom === 'output') return printed;
      const state = await lastState(store, `h${number}`);
      return state === undefined ? 0 : Number(Buffer.from(state).toString());
    };
    let objects: ReadonlyMap<string, Uint8Array> = new Map();
    for (const [i, schedule] of schedules.entries()) {
      const rows = input(await resume(), (i + 1) * MORE_ROWS);
      const state = await crash(proxy, name, rows, schedule);
      if (state !== undefined) printed = Number(state);
      objects = await objectsOf(store, number, objects);
      const found = new Set(ids(committedRows(objects)));
      for (let id = 0; id < printed; id++) expect(found, `row ${id}, printed ${printed}`).toContain(id);
    }
    proxy.decide = () => ({ kind: 'none' });
    const last = await runTargetProgram(['-c', name], input(await resume(), ROWS), { cwd: scratch.path });
    expect(last.code, last.stderr).toBe(0);
    const removing = (): Promise<void> => Promise.resolve();
    const places = paths(config.s3_key_prefix, undefined, []);
    await vacuum({
      store,
      prefix: config.s3_key_prefix,
      paths: places,
      olderThanMs: 0,
      dryRun: false,
      clock: systemClock,
      removing,
    });
    objects = await objectsOf(store, number);
    const every = Array.from({ length: ROWS }, (_, id) => id);
    const committed = ids(committedRows(objects));
    expect(stateFrom === 'store' ? committed : [...new Set(committed)]).toEqual(every);
    expect(ids(dataKeys(objects).flatMap((key) => rowsOf(objects, key)))).toEqual(committed);
    expect([...objects.keys()].filter((key) => key.includes('/_runs/'))).toEqual([]);
  }

  it(
    `lose nothing over ${SCHEDULES} schedules of faults, kill -9 and SIGTERM`,
    async () => {
      const histories = Array.from({ length: Math.ceil(SCHEDULES / CRASHES) }, (_, i) => history(i));
      const player = async (): Promise<void> => {
        for (let next = histories.shift(); next !== undefined; next = histories.shift()) {
          const told = `CRASH_SEED=${SEED}, history ${next.number}: ${JSON.stringify(next)}`;
          await play(next).catch((error: unknown) => {
            throw new Error(`${told}: ${String(error)}`, { cause: error });
          });
        }
      };
      await Promise.all(Array.from({ length: AT_ONCE }, player));
    },
    Math.max(900_000, SCHEDULES * 2000),
  );

  it('answer `state`, `vacuum` and `doctor` as processes', async () => {
    const name = await scratch.write('p.json', settings(9999));
    const run = (args: readonly string[], text = ''): ReturnType<typeof runTargetProgram> =>
      runTargetProgram([...args, '-c', name], text, { cwd: scratch.path });
    expect(await run([], input(0, ROWS))).toMatchObject({ code: 0 });
    expect(await run(['state'])).toMatchObject({ code: 0, stdout: `${ROWS}\n` });
    expect(await run(['vacuum', '--older-than', '0s'])).toMatchObject({ code: 0, stdout: '' });
    const { code, stdout } = await run(['doctor']);
    // Servers on a file system may let two of many creates at the same instant through; doctor then says so.
    expect(stdout).toMatch(/^(ok {3}.*\n|warn conditional create: of 16 at the same time .*\n)+$/);
    expect(code).toBe(0);
  });
});
