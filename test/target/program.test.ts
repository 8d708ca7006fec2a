import { existsSync } from 'node:fs';
import { mkdir, readdir } from 'node:fs/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { VERSION } from '../../src/shared/version.ts';
import { commitsIn, committedRows, dataKeys, rowsOf } from '../support/lake.ts';
import { Scratch, type Ended } from '../support/programs.ts';
import { filesAsObjects, runTargetProgram, startTarget } from '../support/target-process.ts';
import { recordLine, schemaLine, stateLine } from '../support/target-run.ts';

let scratch: Scratch;
beforeEach(async () => {
  scratch = await Scratch.open();
  await configure();
});
afterEach(() => scratch[Symbol.asyncDispose]());

const configure = (settings: object = {}): Promise<string> =>
  scratch.write('t.json', { local_path: 'lake', ...settings });
const run = (input: string, ...args: readonly string[]): Promise<Ended> =>
  runTargetProgram(args.length === 0 ? ['-c', 't.json'] : args, input, { cwd: scratch.path });
const start = (): ReturnType<typeof startTarget> => startTarget(['-c', 't.json'], { cwd: scratch.path });
const lake = (): ReturnType<typeof filesAsObjects> => filesAsObjects(scratch.at('lake'));
const rows = (from: number, to: number): string => {
  let text = '';
  for (let id = from; id < to; id++) text += recordLine('s', { id });
  return text;
};
const idsIn = (found: { readonly [key: string]: unknown }[]): number[] =>
  found.map(({ id }) => Number(id)).toSorted((a, b) => a - b);
const upTo = (count: number): number[] => Array.from({ length: count }, (_, i) => i);
const complaints = (stderr: string): string[] =>
  stderr.split('\n').filter((line) => line !== '' && !line.startsWith('INFO '));

describe('target-s3', () => {
  it('writes rows and prints the STATE', async () => {
    const { code, stdout, stderr } = await run(schemaLine('s') + rows(0, 3) + stateLine({ n: 3 }));
    expect({ code, stdout }).toEqual({ code: 0, stdout: '{"n":3}\n' });
    expect(stderr).toMatch(/^INFO stored s\/ingest_date=.*: 3 rows, \d+ bytes/);
    expect(stderr).toMatch(/INFO 3 rows committed in 1 commits; 1 objects with \d+ bytes stored in /);
    expect(stderr.replaceAll(scratch.path, '')).not.toMatch(/error|exception/i);
    expect(idsIn(committedRows(await lake()))).toEqual([0, 1, 2]);
  });

  it('skips blank lines, however long', async () => {
    const blank = `\n\r\n \t\n${' '.repeat(100)}\r\n`;
    expect(await run(blank + schemaLine('s') + blank + rows(0, 3) + blank)).toMatchObject({ code: 0 });
    expect(idsIn(committedRows(await lake()))).toEqual([0, 1, 2]);
  });

  it('reads a named file', async () => {
    await scratch.write('in.jsonl', schemaLine('s') + rows(0, 3));
    expect(await run('', '-c', 't.json', '--input', 'in.jsonl')).toMatchObject({ code: 0 });
    expect(idsIn(committedRows(await lake()))).toEqual([0, 1, 2]);
  });

  it('tells version, help and settings', async () => {
    expect(await run('', '--version')).toMatchObject({ code: 0, stdout: `target-s3 v${VERSION}\n` });
    expect((await run('', '--help')).stdout).toContain('--config');
    const about = JSON.parse((await run('', '--about', '--format', 'json')).stdout) as {
      settings: { properties: Record<string, object> };
    };
    expect(about).toMatchObject({ name: 'target-s3', version: VERSION });
    expect(about.settings.properties['aws_secret_access_key']).toMatchObject({
      secret: true,
      writeOnly: true,
    });
    for (const format of ['markdown', 'text'])
      expect((await run('', '--about', '--format', format)).stdout).toContain('s3_bucket');
  });

  it.each([
    [['--nonsense'], 'nonsense'],
    [[], '--config is missing'],
    [['-c', 't.json', 'upload'], 'Unknown argument: upload'],
    [['-c', 't.json', '--log-level', 'loud'], 'loud'],
    [['-c', 't.json', '--log-format', 'xml'], 'xml'],
    [['-c'], 'c'],
  ])('refuses the arguments %j', async (args, words) => {
    const { code, stdout, stderr } = await runTargetProgram(args, '', { cwd: scratch.path });
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(complaints(stderr)).toEqual([expect.stringContaining(words)]);
  });

  it.each([
    ['both stores', { s3_bucket: 'b' }, 'either s3_bucket or local_path'],
    ['no store', { local_path: null }, 'give s3_bucket or local_path'],
    ['an unknown setting', { batch_size_row: 1 }, 'unknown setting; did you mean batch_size_rows'],
    ['a number out of range', { batch_size_rows: 0 }, 'batch_size_rows'],
    ['a wrong type', { batch_size_rows: 'many' }, 'must be of type'],
    ['a prefix that leaves its place', { s3_key_prefix: 'a/../b' }, 's3_key_prefix'],
    ['half of the credentials', { aws_access_key_id: 'x' }, 'together'],
    ['a reference to nothing', { s3_key_prefix: 'env:NO_SUCH_THING' }, 'NO_SUCH_THING'],
    ['a folder below a file', { local_path: 't.json/lake' }, 'local_path'],
    ['a folder that cannot be made', { local_path: '/proc/nowhere/lake' }, 'local_path'],
  ])('refuses %s', async (_, settings, words) => {
    await configure(settings);
    const { code, stdout, stderr } = await run(schemaLine('s') + rows(0, 3) + stateLine(3));
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(complaints(stderr)).toEqual([expect.stringContaining(words)]);
  });

  it('names the line that is not UTF-8', async () => {
    const broken = Buffer.from(recordLine('s', { id: 'x' }));
    broken[broken.indexOf('x')] = 0xff;
    const input = Buffer.concat([Buffer.from(schemaLine('s') + rows(0, 1) + stateLine(1)), broken]);
    const { code, stdout, stderr } = await runTargetProgram(['-c', 't.json'], input, { cwd: scratch.path });
    expect({ code, stdout }).toEqual({ code: 1, stdout: '1\n' });
    expect(complaints(stderr)).toEqual([expect.stringMatching(/BAD_MESSAGE: line 4: .*UTF-8/)]);
  });

  it('takes settings from the environment', async () => {
    const env = { TARGET_S3_LOCAL_PATH: 'elsewhere', TARGET_S3_BATCH_SIZE_ROWS: '2' };
    const { code } = await runTargetProgram(['--config=ENV'], schemaLine('s') + rows(0, 3), {
      cwd: scratch.path,
      env,
    });
    expect(code).toBe(0);
    expect(dataKeys(await filesAsObjects(scratch.at('elsewhere')))).toHaveLength(2);
  });

  it('prints JSON lines when asked to', async () => {
    const { stderr } = await run(schemaLine('s') + rows(0, 1), '-c', 't.json', '--log-format', 'json');
    const lines = stderr
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as object);
    expect(lines[0]).toMatchObject({
      level: 'info',
      stream_name: 's',
      extra: { rows: 1, reason: 'end of input' },
    });
  });

  it('commits after the wait while its input is silent, and ends well after a signal', async () => {
    await configure({ batch_wait_seconds: 0.2 });
    for (const [signal, code] of [
      ['SIGTERM', 0],
      ['SIGINT', 130],
    ] as const) {
      const target = start();
      target.stdin.write(schemaLine('s') + rows(0, 2) + stateLine(2));
      await target.printed(1);
      target.stdin.write(rows(2, 4) + stateLine(4));
      await target.printed(2);
      target.child.kill(signal);
      expect(await target.ended).toMatchObject({ code, stdout: '2\n4\n' });
    }
  });

  it('asked to stop, commits what it holds', async () => {
    const target = start();
    target.stdin.write(schemaLine('s') + rows(0, 2) + stateLine(2));
    while ((await readdir(scratch.path)).length < 2) await new Promise((resolve) => setTimeout(resolve, 20));
    await new Promise((resolve) => setTimeout(resolve, 200));
    target.child.kill('SIGTERM');
    target.child.kill('SIGTERM');
    expect(await target.ended).toMatchObject({ code: 0, stdout: '2\n' });
    expect(idsIn(committedRows(await lake()))).toEqual([0, 1]);
  });

  it('ends when nobody reads its STATEs, with the data committed', async () => {
    const target = start();
    target.child.stdout!.destroy();
    target.stdin.end(schemaLine('s') + rows(0, 3) + stateLine(3));
    const { code, stderr } = await target.ended;
    expect(code).toBe(1);
    expect(complaints(stderr)).toHaveLength(1);
    expect(idsIn(committedRows(await lake()))).toEqual([0, 1, 2]);
  });

  it('killed at any time, loses nothing and leaves nothing half-written to be seen', async () => {
    await configure({ batch_size_rows: 50, batch_wait_seconds: 0.05 });
    const total = 3000;
    let resume = 0;
    const padding = 'x'.repeat(300);
    for (let kill = 0; kill < 8; kill++) {
      const target = start();
      target.stdin.write(schemaLine('s'));
      for (let id = resume; id < total; id++) {
        target.stdin.write(recordLine('s', { id, padding }));
        if (id % 10 === 9) target.stdin.write(stateLine(id + 1));
      }
      if (kill < 7) {
        await target.printed(1 + (kill % 3));
        target.child.kill('SIGKILL');
      } else target.stdin.end();
      await target.ended;
      const printed = Number(target.states().at(-1));
      const objects = await lake();
      const found = new Set(idsIn(committedRows(objects)));
      for (let id = 0; id < printed; id++) expect(found).toContain(id);
      for (const key of dataKeys(objects)) expect(rowsOf(objects, key).length).toBeGreaterThan(0);
      resume = Number(commitsIn(objects).findLast(({ state }) => state !== undefined)!.state);
    }
    expect(idsIn(committedRows(await lake()))).toEqual(upTo(total));
  }, 60_000);

  it('keeps streams with any name inside its folder', async () => {
    await mkdir(scratch.at('lake'));
    const names = ['../../outside', '/etc/x', '', '.', '..', '_commits', 'a:b?c', 'x'.repeat(400), 'é\u0000'];
    const input = names.map((name) => schemaLine(name) + recordLine(name, { id: 1 })).join('');
    expect(await run(input)).toMatchObject({ code: 0 });
    expect(await readdir(scratch.path)).toEqual(['lake', 't.json']);
    expect(existsSync('/etc/x')).toBe(false);
    const [commit] = commitsIn(await lake());
    expect(commit!.objects.map(({ stream }) => stream).toSorted()).toEqual(names.toSorted());
    expect(committedRows(await lake())).toHaveLength(names.length);
  });
});
