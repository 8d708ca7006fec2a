import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { delimiter, dirname } from 'node:path';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';

/** A command line of two programs: what a person would type. */
export type Pipe = { readonly tap: string; readonly target: string };

const BIN = fileURLToPath(new URL('../../bin', import.meta.url));

/** The programs by their names, this Node for them, and no proxy on the way to this machine. */
const environment = {
  ...process.env,
  PATH: [BIN, dirname(process.execPath), process.env['PATH'] ?? ''].join(delimiter),
  no_proxy: '127.0.0.1',
  NO_PROXY: '127.0.0.1',
};

let running: ChildProcess | undefined;
let stopped = false;

/**
 * Runs two programs, joined by a pipe of the operating system, in a folder; what they say on stderr is shown as it
 * comes. Throws when one of them ends with another code than 0.
 */
export async function runPipe({ tap, target }: Pipe, folder: string): Promise<void> {
  if (stopped) throw new Error('it was asked to stop');
  // A shell only tells how the last program of a pipe ended, so the first one's code comes by another way.
  const line = `{ ${tap} 3>&-; echo $? >&3; } | ${target} 3>&-`;
  const shell = spawn('sh', ['-c', line], {
    cwd: folder,
    env: environment,
    stdio: ['ignore', 'inherit', 'inherit', 'pipe'],
    detached: true, // a process group of its own, so that `stopPipe` reaches both programs and nothing else
  });
  running = shell;
  const tapCode = text(shell.stdio[3] as Readable);
  const [code, signal] = (await once(shell, 'close')) as [number | null, string | null];
  running = undefined;
  if (stopped) throw new Error('it was asked to stop');
  for (const [name, ended] of [
    ['tap-jira', (await tapCode).trim()],
    ['target-s3', String(code ?? signal)],
  ])
    if (ended !== '0') throw new Error(`${name} ended with ${ended === '' ? 'a signal' : ended}, not with 0`);
}

/** Ends the programs that `runPipe` has started, if any are running; no more can be started. */
export function stopPipe(): void {
  stopped = true;
  if (running?.pid !== undefined) process.kill(-running.pid, 'SIGTERM');
}
