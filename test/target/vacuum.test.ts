import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { JsonObject } from '../../src/shared/json/value.ts';
import { lastState } from '../../src/target/last-state.ts';
import { commitKey, runKey } from '../../src/target/key.ts';
import { paths } from '../../src/target/path.ts';
import { vacuum } from '../../src/target/vacuum.ts';
import { handClock } from '../support/hand-clock.ts';
import { dataKeys, committedRows } from '../support/lake.ts';
import { memoryStore } from '../support/memory-store.ts';
import { Scratch } from '../support/programs.ts';
import { filesAsObjects, runTargetProgram, startTarget } from '../support/target-process.ts';
import { recordLine, runTarget, schemaLine, stateLine } from '../support/target-run.ts';

const RUN = '20260102T030405000Z-00000000ff';
const LEFT = `s/ingest_date=2026-01-02/s-${RUN}-000001.jsonl.gz`;

describe('vacuum', () => {
  const clean = async (
    objects: Map<string, Uint8Array>,
    olderThanMs = 0,
    dryRun = false,
  ): Promise<string[]> => {
    const removed: string[] = [];
    await vacuum({
      store: memoryStore({ objects }),
      prefix: '',
      paths: paths('', undefined, []),
      olderThanMs,
      dryRun,
      clock: handClock(),
      removing: async (what) => void removed.push(what),
    });
    return removed;
  };

  it('removes what no commit names, and nothing that it did not write', async () => {
    const objects = new Map<string, Uint8Array>();
    await runTarget(memoryStore({ objects }), [schemaLine('s'), recordLine('s', { id: 1 }), stateLine(1)]);
    const foreign = [
      's/ingest_date=2026-01-02/notes.txt',
      `backup/${LEFT}`,
      `s/ingest_date=2026-01-02/other-${RUN}-000001.jsonl.gz`,
      `s/ingest_date=today/s-${RUN}-000001.jsonl.gz`,
      `s/s-${RUN}-000001.jsonl.gz`,
      '_commits/readme.txt',
      '_runs/readme.txt',
    ];
    for (const key of [...foreign, LEFT]) objects.set(key, Buffer.from('x'));
    const before = new Set(objects.keys());
    expect(await clean(objects, 0, true)).toEqual([LEFT]);
    expect(new Set(objects.keys())).toEqual(before);
    expect(await clean(objects, 3_600_000)).toEqual([LEFT]); // the store says that they are of 1970
    expect([...before].filter((key) => !objects.has(key))).toEqual([LEFT]);
    expect(committedRows(new Map([...objects].filter(([key]) => !foreign.includes(key))))).toHaveLength(1);
  });

  it('keeps what any of many commits names', async () => {
    const objects = new Map<string, Uint8Array>();
    const key = (number: number): string =>
      `s/ingest_date=2026-01-02/s-${RUN}-${String(number).padStart(6, '0')}.jsonl.gz`;
    for (let number = 1; number <= 3000; number++) objects.set(key(number), Buffer.from('x'));
    const isLeft = (number: number): boolean => number % 700 === 0 || number > 2998;
    for (let commit = 0; commit < 30; commit++) {
      const numbers = Array.from({ length: 100 }, (_, i) => commit * 100 + i + 1);
      const named = numbers.filter((number) => !isLeft(number));
      const record = { version: 1, objects: named.map((number) => ({ key: key(number), stream: 's' })) };
      objects.set(commitKey('', RUN, commit + 1), Buffer.from(JSON.stringify(record)));
    }
    expect(await clean(objects)).toEqual([700, 1400, 2100, 2800, 2999, 3000].map(key));
  });

  it('leaves a run alone that may be alive', async () => {
    const objects = new Map<string, Uint8Array>([[LEFT, Buffer.from('x')]]);
    objects.set(runKey('', RUN), Buffer.from('{"owner":{"machine":"elsewhere","pid":1,"started":"1"}}'));
    const store = { ...memoryStore({ objects }) };
    const { list } = store;
    store.list = async function* (prefix) {
      for await (const object of list(prefix)) yield { ...object, modifiedAt: handClock().now() };
    };
    const options = { store, prefix: '', paths: paths('', undefined, []), olderThanMs: 0, dryRun: false };
    await vacuum({ ...options, clock: handClock(), removing: async () => undefined });
    expect([...objects.keys()]).toHaveLength(2);
    const later = handClock(handClock().now() + 3_600_000);
    await vacuum({ ...options, clock: later, removing: async () => undefined });
    expect([...objects.keys()]).toEqual([]);
  });

  it.each([
    ['', 'raw'],
    ['raw', ''],
  ])('of prefix %j leaves alone what %j has committed under like names', async (own, other) => {
    const objects = new Map<string, Uint8Array>();
    const settings = (prefix: string): JsonObject => ({
      s3_key_prefix: prefix,
      ...(prefix === ''
        ? { path_template: 'raw/{stream}/ingest_date={date}/{stream}-{run_id}-{number}' }
        : {}),
    });
    const input = [schemaLine('s'), recordLine('s', { id: 1 }), stateLine(1)];
    await runTarget(memoryStore({ objects }), input, settings(other));
    objects.set(`raw/${LEFT}`, Buffer.from('x'));
    const { path_template: template } = settings(own) as { readonly path_template?: string };
    const removed: string[] = [];
    await vacuum({
      store: memoryStore({ objects }),
      prefix: own,
      paths: paths(own, template, []),
      olderThanMs: 0,
      dryRun: false,
      clock: handClock(),
      removing: async (what) => void removed.push(what),
    });
    expect(removed).toEqual([`raw/${LEFT}`]);
  });

  it('goes by the clock of the store', async () => {
    const objects = new Map<string, Uint8Array>([[LEFT, Buffer.from('x')]]);
    objects.set(runKey('', RUN), Buffer.from('{"owner":{"machine":"elsewhere","pid":1,"started":"1"}}'));
    const fast = handClock(5 * 3_600_000); // the store says that it is 0:00, and everything of just now
    const store = { ...memoryStore({ objects }), clockAhead: () => -5 * 3_600_000 };
    const options = { store, prefix: '', paths: paths('', undefined, []), dryRun: false, clock: fast };
    await vacuum({ ...options, olderThanMs: 0, removing: async () => undefined });
    expect([...objects.keys()]).toHaveLength(2);
    objects.delete(runKey('', RUN));
    await vacuum({ ...options, olderThanMs: 3_600_000, removing: async () => undefined });
    expect([...objects.keys()]).toEqual([LEFT]);
  });

  it('refuses to work with a commit record that it cannot read', async () => {
    const objects = new Map<string, Uint8Array>([[LEFT, Buffer.from('x')]]);
    objects.set(`_commits/${RUN}/000001.json`, Buffer.from('{'));
    await expect(clean(objects)).rejects.toThrow('not a commit record');
    expect(objects.has(LEFT)).toBe(true);
  });
});

describe('the state in the store', () => {
  it('is that of the newest run that has one, byte for byte', async () => {
    const objects = new Map<string, Uint8Array>();
    const put = (run: string, number: number, state: string): void => {
      const text = `{"version":1,"objects":[]${state === '' ? '' : `,"state":${state}`}}\n`;
      objects.set(`_commits/${run}/${String(number).padStart(6, '0')}.json`, Buffer.from(text));
    };
    expect(await lastState(memoryStore({ objects }), '')).toBeUndefined();
    put('20260101T000000000Z-0000000001', 1, '{"n": 1}');
    put('20260102T000000000Z-0000000001', 999_999, '1');
    put('20260102T000000000Z-0000000001', 1_000_000, '{"big":12345678901234567890}');
    put('20260102T000000000Z-0000000001', 1_000_001, '');
    put('20260103T000000000Z-0000000001', 1, '');
    const state = await lastState(memoryStore({ objects }), '');
    expect(Buffer.from(state!).toString()).toBe('{"big":12345678901234567890}');
  });
});

describe('target-s3 state, vacuum and doctor on a folder', () => {
  let scratch: Scratch;
  beforeEach(async () => {
    scratch = await Scratch.open();
    await scratch.write('t.json', { local_path: 'lake', batch_size_rows: 1 });
  });
  afterEach(() => scratch[Symbol.asyncDispose]());
  const run = (args: readonly string[], input = ''): ReturnType<typeof runTargetProgram> =>
    runTargetProgram([...args, '-c', 't.json'], input, { cwd: scratch.path });

  it('print nothing where there is nothing', async () => {
    expect(await run(['state'])).toMatchObject({ code: 0, stdout: '' });
    expect(await run(['vacuum', '--older-than', '0s'])).toMatchObject({ code: 0, stdout: '' });
  });

  it('leave a run in progress alone, and clean up after one that was killed', async () => {
    await run([], schemaLine('s') + recordLine('s', { id: 1 }) + stateLine({ n: 1 }));
    const target = startTarget(['-c', 't.json'], { cwd: scratch.path });
    target.stdin.write(schemaLine('s') + recordLine('s', { id: 2 }) + recordLine('s', { id: 3 }));
    const keys = async (): Promise<string[]> => dataKeys(await filesAsObjects(scratch.at('lake')));
    while ((await keys()).length < 3) await new Promise((resolve) => setTimeout(resolve, 20));
    expect(await run(['vacuum', '--older-than', '0s'])).toMatchObject({ code: 0, stdout: '' });
    expect(await keys()).toHaveLength(3);
    target.child.kill('SIGKILL');
    await target.ended;
    expect(await run(['vacuum'])).toMatchObject({ code: 0, stdout: '' });
    expect((await run(['vacuum', '--older-than', '0s', '--dry-run'])).stdout).toMatch(
      /^(would remove .*\n){2}$/,
    );
    expect((await run(['vacuum', '--older-than=0s'])).stdout).toMatch(/^(removed .*\n){2}$/);
    expect(await keys()).toHaveLength(1);
    expect(await run(['state'])).toMatchObject({ code: 0, stdout: '{"n":1}\n' });
  });

  it('find the folder in order', async () => {
    const { code, stdout } = await run(['doctor']);
    expect(stdout).toMatch(/^(ok {3}.*\n)+$/);
    expect(code).toBe(0);
  });

  it.each([
    ['vacuum', '--older-than', 'long'],
    ['vacuum', 'state'],
    ['state', '--dry-run'],
  ])('refuse %s %s %s', async (...args) => {
    expect(await run(args)).toMatchObject({ code: 2, stdout: '' });
  });
});
