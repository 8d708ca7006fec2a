// Resident memory of both programs while many issues go through the pipe. Prints; judges nothing.
//
//   npm run bench:memory -- [--issues 200000] [--issue-bytes 8000] [--flavour cloud]
import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { Scratch, shell } from '../test/support/programs.ts';
import { startJiraProcess } from './jira.ts';

const { values } = parseArgs({
  options: {
    issues: { type: 'string', default: '200000' },
    'issue-bytes': { type: 'string', default: '8000' },
    flavour: { type: 'string', default: 'datacenter' },
  },
});

const SAMPLE_MS = 250;
const CACHE_BYTES = 64 * 2 ** 20;
const PROGRAMS = ['tap', 'target'] as const;

const line = PROGRAMS.map(
  (name) =>
    `(echo $BASHPID > ${name}.pid; exec ${name === 'tap' ? 'tap-jira' : 'target-s3'} -c ${name}.json)`,
).join(' | ');

await using scratch = await Scratch.open();
const flavour = values.flavour === 'cloud' ? 'cloud' : 'datacenter';
const issueBytes = Number(values['issue-bytes']);
using jira = await startJiraProcess(flavour, Number(values.issues), issueBytes, CACHE_BYTES);
await scratch.write('tap.json', jira.config);
await scratch.write('target.json', { local_path: 'lake' });

const curves = { tap: [] as number[], target: [] as number[] };
const started = Date.now();
const end = new AbortController();
const ended = shell(`${line} > state.jsonl; echo "\${PIPESTATUS[@]}"`, { cwd: scratch.path }).finally(() => {
  end.abort();
});
while (!end.signal.aborted) {
  for (const name of PROGRAMS) {
    const megabytes = await residentMegabytes(scratch.at(`${name}.pid`));
    if (megabytes !== undefined) curves[name].push(megabytes);
  }
  await sleep(SAMPLE_MS);
}
const { stdout, stderr } = await ended;
console.log(
  `${flavour}: ${values.issues} issues of about ${issueBytes} bytes; ${((Date.now() - started) / 1000).toFixed(0)} s; exit codes ${stdout.trim()}`,
);
console.log(stderr.trim().split('\n').at(-1));
for (const name of PROGRAMS) {
  const curve = curves[name];
  const means = [0, 1, 2, 3].map((quarter) => {
    const part = curve.slice((curve.length * quarter) / 4, (curve.length * (quarter + 1)) / 4);
    return Math.round(part.reduce((sum, value) => sum + value, 0) / part.length);
  });
  console.log(
    `${name.padEnd(7)} mean of each quarter: ${means.join(', ')} MB; peak ${Math.max(...curve)} MB; ${curve.length} samples`,
  );
}

async function residentMegabytes(pidFile: string): Promise<number | undefined> {
  try {
    const pid = (await readFile(pidFile, 'utf8')).trim();
    const status = await readFile(`/proc/${pid}/status`, 'utf8');
    const kilobytes = /VmRSS:\s+(\d+)/.exec(status)?.[1];
    return kilobytes === undefined ? undefined : Math.round(Number(kilobytes) / 1024);
  } catch {
    return undefined;
  }
}
