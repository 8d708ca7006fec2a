import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { sampleSite } from '../test/support/jira/sample-site.ts';
import { startJira } from '../test/support/jira/server.ts';
import type { Site } from '../test/support/jira/site.ts';
import { statusOf } from '../test/support/jira/site-defaults.ts';
import { tapConfig } from '../test/support/tap-config.ts';
import { committedObjects, lastState, readRows, type LakeObject, type Row } from './demo-lake.ts';
import { command, count, good, say, table, title } from './demo-paper.ts';
import { runPipe, stopPipe, type Pipe } from './demo-pipe.ts';

// Two Jiras on this machine, one of each kind, are copied into a folder by the two programs as they are built;
// then some issues change, and a second run has to bring exactly those. Nothing outside this machine is used.

const HOME = 'demo-lake';
const ISSUES = 2000;
const EDITS = 24;
const SHOWN = 4;
const SUMMARY_LENGTH = 28;
const FIRST: Pipe = { tap: 'tap-jira -c tap.json', target: 'target-s3 -c target.json > state.jsonl' };
const NEXT: Pipe = {
  tap: 'tap-jira -c tap.json -s state.jsonl',
  target: 'target-s3 -c target.json >> state.jsonl',
};
const KINDS = [
  { flavour: 'datacenter', name: 'Jira Data Center, REST API v2', seed: 1 },
  { flavour: 'cloud', name: 'Jira Cloud, REST API v3', seed: 2 },
] as const;

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, stopPipe);
try {
  await demo();
} catch (error) {
  process.exitCode = 1;
  say();
  say(`The demo FAILED: ${error instanceof Error ? error.message : String(error)}`);
}

async function demo(): Promise<void> {
  const started = performance.now();
  await rm(HOME, { recursive: true, force: true });
  let moved = 0;
  for (const kind of KINDS) moved += await copyOne(kind);
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  title('Done');
  say(`  ${count(moved)} rows moved and checked in ${seconds} s. They are still there:`);
  command(`gzip -dc ${HOME}/cloud/lake/issues/*/*.jsonl.gz | head -n 1`);
  say();
  say('The demo SUCCEEDED: every issue arrived, and the second runs brought exactly what had changed.');
}

/** Copies one Jira in two runs; returns the number of rows that arrived. */
async function copyOne({ flavour, name, seed }: (typeof KINDS)[number]): Promise<number> {
  const site = sampleSite({ issues: ISSUES, projects: 4, seed });
  await using jira = await startJira({ flavour, site, record: false });
  const folder = join(HOME, flavour);
  const lake = join(folder, 'lake');
  const write = (file: string, value: object): Promise<void> =>
    writeFile(join(folder, file), `${JSON.stringify(value, null, 2)}\n`);
  await mkdir(folder, { recursive: true });
  await write('tap.json', tapConfig(flavour, jira.url, { max_retry_seconds: 10 }));
  await write('target.json', { local_path: 'lake' });

  title(name);
  say(`  ${count(site.size)} issues in the projects ${[...site.projects.keys()].join(', ')} at ${jira.url}`);
  say();
  say('  The first run brings everything:');
  command(`cd ${folder}`);
  await runAndName(FIRST, folder);
  const first = await committedObjects(lake);
  const all = await readRows(lake, first);
  showObjects(first);
  showRows(all);
  await showState(join(folder, 'state.jsonl'));
  expectVersions(all, versionsOf(site), 'the first run');
  good(`${count(all.length)} rows read back: each issue of the site, once, in its newest version`);

  const changed = changeSome(site);
  say();
  say(`  ${EDITS} issues are edited, 1 is created. The next run starts from the saved state:`);
  await runAndName(NEXT, folder);
  const second = (await committedObjects(lake)).slice(first.length);
  const news = await readRows(lake, second);
  showObjects(second);
  showRows(news);
  const expected = new Map([...versionsOf(site)].filter(([id]) => changed.has(id)));
  expectVersions(news, expected, 'the second run');
  good(`${news.length} rows arrived: the ${EDITS} that were edited and the new one, nothing else`);
  return all.length + news.length;
}

async function runAndName(pipe: Pipe, folder: string): Promise<void> {
  command(`${pipe.tap} | ${pipe.target}`);
  await runPipe(pipe, folder);
}

/** Edits issues all over the site and creates one; returns their ids. */
function changeSome(site: Site): ReadonlySet<string> {
  const ids = Array.from(site.all(), ({ id }) => id);
  const edited = Array.from({ length: EDITS }, (_, i) => ids[Math.floor((i * ids.length) / EDITS)]!);
  for (const id of edited) {
    site.edit(id, {
      summary: 'Edited between the two runs',
      status: statusOf('3', 'In Progress', 'indeterminate'),
    });
  }
  const [project] = site.projects.keys();
  return new Set([...edited, site.create(project!, { summary: 'Created between the two runs' }).id]);
}

type Versions = ReadonlyMap<string, string>;

/** The newest version (`updated`) of each issue of a site. */
function versionsOf(site: Site): Versions {
  return new Map(Array.from(site.all(), ({ id, updated }) => [id, new Date(updated).toISOString()]));
}

function expectVersions(rows: readonly Row[], expected: Versions, what: string): void {
  const arrived = new Set(rows.map(({ id }) => id));
  const missing = [...expected.keys()].filter((id) => !arrived.has(id));
  if (missing.length > 0) throw new Error(`${what} did not bring ${list(missing)}`);
  if (rows.length !== expected.size)
    throw new Error(`${what} brought ${rows.length} rows instead of ${expected.size}`);
  const wrong = rows.filter(({ id, updated }) => expected.get(id) !== updated).map(({ id }) => id);
  if (wrong.length > 0) throw new Error(`${what} brought other versions than the newest of ${list(wrong)}`);
}

function list(ids: readonly string[]): string {
  const some = ids.slice(0, 5).join(', ');
  return `${ids.length} issues: ${some}${ids.length > 5 ? ', ...' : ''}`;
}

function showObjects(objects: readonly LakeObject[]): void {
  say();
  table(
    ['rows', 'kB', 'object'],
    objects.map(({ key, rows, bytes }) => [count(rows), count(Math.ceil(bytes / 1000)), key]),
  );
}

function showRows(rows: readonly Row[]): void {
  const newest = rows.reduce((a, b) => (Number(b.id) > Number(a.id) ? b : a));
  const some = [...rows.filter((row) => row !== newest).slice(0, SHOWN - 1), newest];
  say();
  table(
    ['key', 'status', 'updated', 'summary'],
    some.map(({ key, updated, fields }) => [key, fields.status.name, updated, fields.summary]),
    SUMMARY_LENGTH,
  );
  say();
}

async function showState(file: string): Promise<void> {
  const projects = Object.entries(await lastState(file));
  table(
    ['project', 'last_ingest_date', 'recent (the saved state, shortened)'],
    projects.map(([key, state]) => [
      key,
      state.last_ingest_date,
      `${Object.keys(state.recent ?? {}).length} versions`,
    ]),
  );
  say();
}
