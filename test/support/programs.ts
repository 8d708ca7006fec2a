import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';

/** The folder of the package, whether this runs as source or built. */
export const ROOT = fileURLToPath(
  new URL(import.meta.url.includes('/dist/') ? '../../../' : '../../', import.meta.url),
);

/** How a program ended, and all it said. */
export type Ended = {
  /** -1 when a signal ended it. */
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
};

export type Running = { readonly child: ChildProcess; readonly ended: Promise<Ended> };

export type ProgramOptions = {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
};

/** An environment without the settings of whoever runs the tests; the built programs are on its path. */
export function cleanEnv(more: Readonly<Record<string, string>> = {}): Record<string, string> {
  const path = [join(ROOT, 'bin'), join(process.execPath, '..'), process.env['PATH'] ?? ''].join(':');
  return { PATH: path, HOME: process.env['HOME'] ?? '/', ...more };
}

/** Starts a program and collects what it says; its standard input is empty. */
export function start(file: string, args: readonly string[], options: ProgramOptions = {}): Running {
  const child = spawn(file, args, {
    cwd: options.cwd,
    env: cleanEnv(options.env),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const out: Buffer[] = [];
  const err: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => out.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => err.push(chunk));
  const ended = once(child, 'close').then(([code]) => ({
    code: (code as number | null) ?? -1,
    stdout: Buffer.concat(out).toString(),
    stderr: Buffer.concat(err).toString(),
  }));
  return { child, ended };
}

/** Starts the built tap. */
export function startTap(args: readonly string[], options: ProgramOptions = {}): Running {
  return start(process.execPath, [join(ROOT, 'bin/tap-jira'), ...args], options);
}

/** Runs the built tap to its end. */
export function runTapProgram(args: readonly string[], options: ProgramOptions = {}): Promise<Ended> {
  return startTap(args, options).ended;
}

/** Runs a line of bash to its end; the programs are called by their names, and joined by real pipes. */
export function shell(line: string, options: ProgramOptions = {}): Promise<Ended> {
  return start('bash', ['-c', line], options).ended;
}

/** A folder that is removed after use. */
export class Scratch {
  readonly path: string;

  private constructor(path: string) {
    this.path = path;
  }

  static async open(): Promise<Scratch> {
    return new Scratch(await mkdtemp(join(tmpdir(), 'jira-to-s3-')));
  }

  at(name: string): string {
    return join(this.path, name);
  }

  /** Writes a file, as JSON unless it is text; returns its path. */
  async write(name: string, value: unknown): Promise<string> {
    await writeFile(this.at(name), typeof value === 'string' ? value : JSON.stringify(value));
    return this.at(name);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.path, { recursive: true, force: true });
  }
}

export type RecordLine = {
  readonly type: 'RECORD';
  readonly stream: string;
  readonly record: {
    readonly id: string;
    readonly key: string;
    readonly updated: string;
    readonly fields: object;
  };
};
export type StateLine = { readonly type: 'STATE'; readonly value: object };
export type SchemaLine = { readonly type: 'SCHEMA'; readonly stream: string };
export type MessageLine = RecordLine | StateLine | SchemaLine;

/** The messages a tap printed; throws if one of its lines is not JSON. */
export function messagesOf(stdout: string): MessageLine[] {
  return stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as MessageLine);
}

/** The records among them. */
export function recordsOf(stdout: string): RecordLine['record'][] {
  return messagesOf(stdout).flatMap((message) => (message.type === 'RECORD' ? [message.record] : []));
}

/** The last line that is a STATE, as a tap prints it. */
export function lastStateOf(stdout: string): object | undefined {
  return messagesOf(stdout).findLast((message) => message.type === 'STATE')?.value;
}

/** The rows of a stream in a lake: every line of every object below the folder, as text. */
export async function rowsOf(lake: string, stream: string): Promise<string[]> {
  const files = await readdir(join(lake, stream), { recursive: true });
  const rows: string[] = [];
  for (const file of files.filter((name) => name.endsWith('.jsonl.gz')).sort()) {
    const text = gunzipSync(await readFile(join(lake, stream, file))).toString();
    rows.push(...text.split('\n').filter((line) => line !== ''));
  }
  return rows;
}
