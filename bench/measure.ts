import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ROOT, shell } from '../test/support/programs.ts';

/** What a command used: all of its processes and threads. */
export type Usage = {
  readonly cpuSeconds: number;
  readonly wallSeconds: number;
  /** The largest resident memory of a Node process of it; undefined without one. */
  readonly peakMegabytes: number | undefined;
};

const REPORTER = join(ROOT, 'dist/bench/report-usage.js');

/** Runs a line of bash and accounts for it as the operating system does. Throws when it fails. */
export async function measure(line: string, cwd: string): Promise<Usage> {
  const memory = join(cwd, 'memory');
  const timed = `rm -f memory; set -o pipefail; TIMEFORMAT='%R %U %S'; time { ${line}; } 2> stderr`;
  const { code, stderr } = await shell(timed, {
    cwd,
    env: { NODE_OPTIONS: `--import=${REPORTER}`, USAGE_FILE: memory },
  });
  if (code !== 0) throw new Error(`${line}: ${code}: ${await readFile(join(cwd, 'stderr'), 'utf8')}`);
  const [wall, user, system] = stderr.trim().split(/\s+/).map(Number);
  const peaks = await readFile(memory, 'utf8').catch(() => '');
  const megabytes = peaks.split('\n').filter(Boolean).map(Number);
  return {
    cpuSeconds: user! + system!,
    wallSeconds: wall!,
    peakMegabytes: megabytes.length === 0 ? undefined : Math.max(...megabytes),
  };
}

/** For each quantity the median of several runs. */
export function median(runs: readonly Usage[]): Usage {
  const middle = (values: readonly number[]): number =>
    values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!;
  const peaks = runs.flatMap(({ peakMegabytes }) => peakMegabytes ?? []);
  return {
    cpuSeconds: middle(runs.map(({ cpuSeconds }) => cpuSeconds)),
    wallSeconds: middle(runs.map(({ wallSeconds }) => wallSeconds)),
    peakMegabytes: peaks.length === 0 ? undefined : middle(peaks),
  };
}
