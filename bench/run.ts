// Costs of moving issues, beside what a bare client and gzip need. Prints; judges nothing.
//
//   npm run bench -- [--issues 20000] [--issue-bytes 8000] [--runs 3] [--flavour datacenter]
import { rm, stat } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { ROOT, Scratch } from '../test/support/programs.ts';
import { startJiraProcess } from './jira.ts';
import { measure, median, type Usage } from './measure.ts';

const { values } = parseArgs({
  options: {
    issues: { type: 'string', default: '20000' },
    'issue-bytes': { type: 'string', default: '8000' },
    runs: { type: 'string', default: '3' },
    flavour: { type: 'string', multiple: true, default: ['datacenter', 'cloud'] },
  },
});

const BARE = `${process.execPath} ${join(ROOT, 'dist/bench/bare-client.js')} tap.json`;

/** What is measured, in an order in which each finds the files that it needs. */
const COMMANDS: readonly (readonly [name: string, line: string])[] = [
  ['bare client', BARE],
  ['tap > /dev/null', 'tap-jira -c tap.json > /dev/null'],
  ['tap > file', 'tap-jira -c tap.json > out.jsonl'],
  ['target < file', 'target-s3 -c target.json < out.jsonl > state.jsonl'],
  ['gzip -1 < file', 'gzip -1 < out.jsonl > out.gz'],
  ['tap | target', 'tap-jira -c tap.json | target-s3 -c target.json > state.jsonl'],
];

const CACHE_BYTES = 2 ** 30;

async function runFlavour(flavour: 'cloud' | 'datacenter'): Promise<void> {
  await using scratch = await Scratch.open();
  const issues = Number(values.issues);
  using jira = await startJiraProcess(flavour, issues, Number(values['issue-bytes']), CACHE_BYTES);
  await scratch.write('tap.json', jira.config);
  await scratch.write('target.json', { local_path: 'lake' });
  await measure(BARE, scratch.path); // Jira renders each issue once
  const results = new Map<string, Usage>();
  for (const [name, line] of COMMANDS) {
    const runs: Usage[] = [];
    while (runs.length < Number(values.runs)) {
      await rm(scratch.at('lake'), { recursive: true, force: true });
      runs.push(await measure(line, scratch.path));
    }
    results.set(name, median(runs));
  }
  const { size } = await stat(scratch.at('out.jsonl'));
  console.log(
    `\n${flavour}: ${issues} issues, ${(size / 1e6).toFixed(0)} MB of lines, median of ${values.runs} runs`,
  );
  print(results);
}

function print(results: ReadonlyMap<string, Usage>): void {
  const bare = results.get('bare client')!.cpuSeconds;
  const gzip = results.get('gzip -1 < file')!.cpuSeconds;
  console.log('                    CPU s   wall s   peak MB   CPU / bare client   CPU / gzip -1');
  for (const [name, { cpuSeconds, wallSeconds, peakMegabytes }] of results) {
    const columns = [
      cpuSeconds.toFixed(2).padStart(7),
      wallSeconds.toFixed(2).padStart(9),
      String(peakMegabytes ?? '-').padStart(10),
      (cpuSeconds / bare).toFixed(2).padStart(20),
      (cpuSeconds / gzip).toFixed(2).padStart(16),
    ];
    console.log(name.padEnd(18) + columns.join(''));
  }
}

console.log(`Node ${process.version}, ${availableParallelism()} cores shared with the simulated Jira`);
for (const flavour of values.flavour) await runFlavour(flavour === 'cloud' ? 'cloud' : 'datacenter');
