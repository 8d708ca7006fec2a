import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { sampleSite } from './support/jira/sample-site.ts';
import { startJira, type Jira } from './support/jira/server.ts';
import { Site } from './support/jira/site.ts';
import { FLAVOURS, tapConfig } from './support/tap-config.ts';
import type { JsonObject } from '../src/shared/json/value.ts';
import {
  lastStateOf,
  messagesOf,
  recordsOf,
  rowsOf,
  runTapProgram,
  Scratch,
  shell,
  startTap,
} from './support/programs.ts';

const ISSUES = 400;
const NOW = Date.parse('2026-11-23T10:00:00.123Z');
const MINUTE = 60_000;

let jira: Jira;
let scratch: Scratch;
let now = NOW;
beforeAll(async () => {
  jira = await startJira({ flavour: 'cloud', site: new Site() });
});
afterAll(() => jira.close());
beforeEach(async () => {
  scratch = await Scratch.open();
  now = NOW;
  return () => scratch[Symbol.asyncDispose]();
});

const ids = (records: Iterable<{ readonly id: string }>): string[] =>
  Array.from(records, ({ id }) => id).toSorted();

const idsOfRows = (rows: readonly string[]): string[] =>
  ids(rows.map((row) => JSON.parse(row) as { id: string }));

describe.each(FLAVOURS)('the programs, with %s', (flavour) => {
  let site: Site;
  let requests: number;
  let onRequest: (number: number) => void;

  const count = (): void => {
    requests += 1;
    onRequest(requests);
  };
  const configure = (more: JsonObject = {}): Promise<string> =>
    scratch.write('tap.json', tapConfig(flavour, jira.url, { page_size: 50, ...more }));

  beforeEach(async () => {
    requests = 0;
    onRequest = () => undefined;
    site = sampleSite({ issues: ISSUES, projects: 3, now: () => now });
    jira.use({ flavour, site, onRequest: count });
    await configure();
    await scratch.write('target.json', { local_path: 'lake' });
  });

  const pipe = (tapArgs: string, line = 'target-s3 -c target.json >> state.jsonl') =>
    shell(`tap-jira -c tap.json ${tapArgs} | ${line}; echo "\${PIPESTATUS[@]}"`, { cwd: scratch.path });
  const tapArgs = ['-c', 'tap.json'];
  const runTap = (args: readonly string[] = tapArgs) => runTapProgram(args, { cwd: scratch.path });

  it('move every issue, then exactly those that changed', async () => {
    const first = await pipe('');
    expect(first).toMatchObject({ code: 0, stdout: '0 0\n' });
    const all = await rowsOf(scratch.at('lake'), 'issues');
    expect(idsOfRows(all)).toEqual(ids(site.all()));

    now += 30 * MINUTE;
    const some = ids(site.all()).filter((_, at) => at % 57 === 0);
    for (const id of some) site.edit(id, { summary: 'changed' });
    const created = [site.create('PAY'), site.create('WEB')];
    site.remove(ids(site.all()).at(3)!);
    now += MINUTE;
    const second = await pipe('-s state.jsonl');
    expect(second).toMatchObject({ code: 0, stdout: '0 0\n' });
    const rows = await rowsOf(scratch.at('lake'), 'issues');
    const added = idsOfRows(rows.filter((row) => !all.includes(row)));
    expect(rows).toHaveLength(all.length + added.length);
    expect(added).toEqual([...some, ...ids(created)].toSorted());

    now += 30 * MINUTE;
    const third = await runTap([...tapArgs, '-s', 'state.jsonl']);
    expect(third.code).toBe(0);
    expect(recordsOf(third.stdout)).toEqual([]);
  });

  it('print a STATE last that names every project', async () => {
    const { stdout } = await runTap();
    expect(messagesOf(stdout).at(-1)?.type).toBe('STATE');
    expect(lastStateOf(stdout)).toMatchObject({
      bookmarks: {
        issues: {
          projects: Object.fromEntries(
            [...site.projects.keys()].map((key) => [key, { last_ingest_date: '2026-11-23T10:00:00Z' }]),
          ),
        },
      },
    });
  });

  it('end with one line when the reader goes away', async () => {
    const { stdout, stderr } = await pipe('', 'head -1 > head.jsonl');
    expect(stdout).toBe('1 0\n');
    expect(messagesOf(await readFile(scratch.at('head.jsonl'), 'utf8'))).toMatchObject([{ type: 'SCHEMA' }]);
    expect(problems(stderr)).toEqual([expect.stringContaining('ended before this one')]);
  });

  it('lose nothing with a slow reader', async () => {
    const { stdout } = await pipe('', '(sleep 2; cat) > all.jsonl');
    expect(stdout).toBe('0 0\n');
    expect(ids(recordsOf(await readFile(scratch.at('all.jsonl'), 'utf8')))).toEqual(ids(site.all()));
  });

  it.each([
    ['SIGTERM', 0],
    ['SIGINT', 130],
  ] as const)('end in good order after %s', async (signal, code) => {
    await configure({ page_size: 10, pages_per_commit: 1, concurrency: 1 });
    const tap = startTap(tapArgs, { cwd: scratch.path });
    onRequest = (number) => {
      if (number === 15) tap.child.kill(signal);
    };
    const stopped = await tap.ended;
    expect(stopped.code).toBe(code);
    const sent = ids(recordsOf(stopped.stdout));
    expect(sent.length).toBeGreaterThan(0);
    expect(sent.length).toBeLessThan(ISSUES);
    expect(messagesOf(stopped.stdout).at(-1)?.type).toBe('STATE');
    expect(problems(stopped.stderr)).toEqual([]);

    await scratch.write('state.json', lastStateOf(stopped.stdout));
    const rest = await runTap([...tapArgs, '-s', 'state.json']);
    expect(rest.code).toBe(0);
    expect([...new Set([...sent, ...ids(recordsOf(rest.stdout))])].toSorted()).toEqual(ids(site.all()));
  });

  it.each(['tap', 'target'])('lose nothing when the %s is killed', async (victim) => {
    await configure({ page_size: 10, pages_per_commit: 1, concurrency: 2 });
    await scratch.write('target.json', { local_path: 'lake', batch_wait_seconds: 0.05 });
    const killed: Promise<unknown>[] = [];
    onRequest = (number) => {
      if (number === 25) killed.push(shell(`kill -9 "$(cat ${victim}.pid)"`, { cwd: scratch.path }));
    };
    jira.use({ flavour, site, onRequest: count, respond: () => ({ delay: 15 }) });
    const tap = '(echo $BASHPID > tap.pid; exec tap-jira -c tap.json)';
    const target = '(echo $BASHPID > target.pid; exec target-s3 -c target.json > state.jsonl)';
    const { stdout } = await shell(`${tap} | ${target}; echo "\${PIPESTATUS[@]}"`, { cwd: scratch.path });
    await Promise.all(killed);
    expect(stdout.split(/\s/)[victim === 'tap' ? 0 : 1]).toBe('137');
    const again = await pipe(
      (await readFile(scratch.at('state.jsonl'), 'utf8')) === '' ? '' : '-s state.jsonl',
    );
    expect(again).toMatchObject({ stdout: '0 0\n' });
    const rows = idsOfRows(await rowsOf(scratch.at('lake'), 'issues'));
    expect([...new Set(rows)]).toEqual(ids(site.all()));
  });
});

const problems = (stderr: string): string[] =>
  stderr.split('\n').filter((line) => line !== '' && !/^(INFO|WARNING|DEBUG) /.test(line));
