import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Writable } from 'node:stream';
import type { Objects } from './lake.ts';
import { cleanEnv, ROOT, type Ended } from './programs.ts';

/** The program to test; another build of it may be named. */
const PROGRAM = process.env['TARGET_S3_PROGRAM'] ?? join(ROOT, 'bin/target-s3');

export type TargetProcess = {
  readonly child: ChildProcess;
  readonly stdin: Writable;
  readonly ended: Promise<Ended>;
  /** What it has printed so far. */
  readonly states: () => string[];
  /** Resolves when it has printed so many STATEs. */
  readonly printed: (count: number) => Promise<void>;
};

/** Starts the built target; its input is to be written to `stdin`. */
export function startTarget(
  args: readonly string[],
  options: { readonly cwd: string; readonly env?: Readonly<Record<string, string>> },
): TargetProcess {
  const child = spawn(process.execPath, [PROGRAM, ...args], { cwd: options.cwd, env: cleanEnv(options.env) });
  const out: Buffer[] = [];
  const err: Buffer[] = [];
  let heard = (): void => undefined;
  child.stdin.on('error', () => undefined); // it may end before it has read everything
  child.stdout.on('data', (chunk: Buffer) => {
    out.push(chunk);
    heard();
  });
  child.stderr.on('data', (chunk: Buffer) => err.push(chunk));
  const ended = once(child, 'close').then(([code]) => ({
    code: (code as number | null) ?? -1,
    stdout: Buffer.concat(out).toString(),
    stderr: Buffer.concat(err).toString(),
  }));
  const states = (): string[] => Buffer.concat(out).toString().split('\n').slice(0, -1);
  const printed = async (count: number): Promise<void> => {
    while (states().length < count) {
      const more = new Promise<void>((resolve) => {
        heard = resolve;
      });
      const end = await Promise.race([more, ended]);
      if (end !== undefined && states().length < count) throw new Error(`it ended: ${end.stderr}`);
    }
  };
  return { child, stdin: child.stdin, ended, states, printed };
}

/** Runs the built target on an input, to its end. */
export async function runTargetProgram(
  args: readonly string[],
  input: string | Uint8Array,
  options: { readonly cwd: string; readonly env?: Readonly<Record<string, string>> },
): Promise<Ended> {
  const target = startTarget(args, options);
  target.stdin.end(input);
  return target.ended;
}

/** The files of a folder as objects; hidden ones are not seen. */
export async function filesAsObjects(folder: string): Promise<Objects> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
  const objects = new Map<string, Uint8Array>();
  for (const entry of entries) {
    if (!entry.isFile() || entry.name.startsWith('.')) continue;
    const path = join(entry.parentPath, entry.name);
    objects.set(path.slice(folder.length + 1), await readFile(path));
  }
  return objects;
}
