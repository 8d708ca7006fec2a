import { readFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { airbyteMessages, errorsOf } from '../../support/airbyte.ts';
import {
  catalogOf,
  configured,
  recordMessage,
  statusMessage,
  streamState,
} from '../../support/destination-run.ts';
import { committedRows } from '../../support/lake.ts';
import { Scratch, type Ended } from '../../support/programs.ts';
import { filesAsObjects, runTargetProgram, startTarget } from '../../support/target-process.ts';

let scratch: Scratch;
beforeEach(async () => {
  scratch = await Scratch.open();
  await configure();
});
afterEach(() => scratch[Symbol.asyncDispose]());

const configure = (settings: object = {}): Promise<string> =>
  scratch.write('c.json', { local_path: 'lake', ...settings });
const run = (args: readonly string[], input = ''): Promise<Ended> =>
  runTargetProgram(args, input, { cwd: scratch.path });
const WRITE = ['write', '--config', 'c.json', '--catalog', 'catalog.json'];
/** So that it prints only states. */
const QUIET = ['--log-level', 'error'];
const ids = async (): Promise<unknown[]> =>
  committedRows(await filesAsObjects(scratch.at('lake'))).map(({ id }) => id);
const statuses = (ended: Ended): unknown[] =>
  airbyteMessages(ended.stdout).flatMap(({ connectionStatus }) => connectionStatus ?? []);

describe('destination-s3', () => {
  it('spec prints destination-spec.json', async () => {
    const { code, stdout, stderr } = await run(['spec']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const file = new URL('../../../destination-spec.json', import.meta.url);
    expect(airbyteMessages(stdout)).toEqual([
      { type: 'SPEC', spec: JSON.parse(readFileSync(file, 'utf8')) as unknown },
    ]);
  });

  it('check says what is well and what is wrong, in one status', async () => {
    const good = await run(['check', '--config', 'c.json']);
    expect(good).toMatchObject({ code: 0, stderr: '' });
    expect(statuses(good)).toEqual([{ status: 'SUCCEEDED' }]);
    expect([...(await filesAsObjects(scratch.at('lake'))).keys()]).toEqual([]);
    for (const [settings, problem] of [
      [{ local_path: 'c.json/below' }, 'c.json/below'],
      [{ local_path: null }, 'give s3_bucket or local_path'],
      [{ load_method: 'overwrite' }, 'load_method: leave it out'],
    ] as const) {
      await configure(settings);
      const bad = await run(['check', '--config', 'c.json']);
      expect(bad).toMatchObject({ code: 0, stderr: '' });
      expect(statuses(bad)).toMatchObject([
        { status: 'FAILED', message: expect.stringContaining(problem) as string },
      ]);
    }
  });

  it('write stores what comes and speaks only Airbyte', async () => {
    await scratch.write('catalog.json', catalogOf(configured('s')));
    const input = recordMessage('s', { id: 1 }) + streamState('s', { at: 1 }) + statusMessage('s');
    const { code, stdout, stderr } = await run(WRITE, input);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const messages = airbyteMessages(stdout);
    expect(new Set(messages.map(({ type }) => type))).toEqual(new Set(['LOG', 'STATE']));
    expect(await ids()).toEqual([1]);
  });

  it.each([
    ['a missing catalog', () => Promise.resolve(''), 'catalog.json: the catalog file: no such file'],
    ['a wrong setting', () => configure({ compresion: 'x' }), 'did you mean compression?'],
    ['a folder that cannot be', () => configure({ local_path: 'c.json/x' }), 'c.json/x'],
  ])('tells of %s', async (what, prepare, problem) => {
    if (what !== 'a missing catalog') await scratch.write('catalog.json', catalogOf(configured('s')));
    await prepare();
    const { code, stdout, stderr } = await run(WRITE, '');
    expect({ code, stderr }).toEqual({ code: 1, stderr: '' });
    expect(errorsOf(airbyteMessages(stdout))).toMatchObject([
      { failure_type: 'config_error', message: expect.stringContaining(problem) as string },
    ]);
  });

  it.each([
    [['write', '--config', 'c.json'], '--catalog is missing'],
    [['check'], '--config is missing'],
    [['--config', 'c.json', '--catalog', 'x'], 'catalog'],
    [['read'], 'read'],
  ])('refuses %j', async (args, problem) => {
    const { code, stdout, stderr } = await run(args);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain(problem);
  });

  it.each([
    ['append', 'SIGKILL'],
    ['overwrite', 'SIGKILL'],
    ['overwrite', 'SIGTERM'],
  ] as const)('goes on from the last state after an %s and %s', async (mode, signal) => {
    const count = 60;
    const input = Array.from(
      { length: count },
      (_, id) => recordMessage('s', { id }) + streamState('s', { next: id + 1 }),
    );
    await configure({ batch_size_rows: 3, batch_wait_seconds: 0.05 });
    const stream = configured('s', {
      destination_sync_mode: mode,
      generation_id: 2,
      minimum_generation_id: mode === 'overwrite' ? 2 : 0,
    });
    await scratch.write('catalog.json', catalogOf(stream));
    const first = startTarget([...WRITE, ...QUIET], { cwd: scratch.path });
    first.stdin.write(input.slice(0, 40).join(''));
    await first.printed(12);
    first.child.kill(signal);
    const end = await first.ended;
    expect(end.code).toBe(signal === 'SIGKILL' ? -1 : 1);
    if (mode === 'overwrite') expect(await ids()).toEqual([]);
    const lines = end.stdout
      .split('\n')
      .filter((line) => line.startsWith('{"type":"STATE"') && line.endsWith('}}}'));
    const last = JSON.parse(lines.at(-1)!) as { state: { stream: { stream_state: { next: number } } } };
    const { next } = last.state.stream.stream_state;
    expect(next).toBeGreaterThan(0);
    const { code } = await run(WRITE, input.slice(next).join('') + statusMessage('s'));
    expect(code).toBe(0);
    const found = (await ids()).map(Number).toSorted((a, b) => a - b);
    // A kill may come between a commit and its state, whose rows then come again.
    expect(signal === 'SIGKILL' ? [...new Set(found)] : found).toEqual(input.map((_, id) => id));
  });
});
