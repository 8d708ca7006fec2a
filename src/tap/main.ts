#!/usr/bin/env node
import { renderAbout } from '../shared/about.ts';
import { readJsonObject } from '../shared/config-file.ts';
import { loadConfig } from '../shared/config.ts';
import { systemClock } from '../shared/clock.ts';
import { LineWriter } from '../shared/lines.ts';
import { createLog, parseLogLevel, type Log } from '../shared/log.ts';
import { runProgram } from '../shared/program.ts';
import { VERSION } from '../shared/version.ts';
import { describe, UsageError } from '../shared/errors.ts';
import { redact } from '../shared/secret.ts';
import { discoveryCatalog, readSelection } from '../protocol/catalog.ts';
import type { Message } from '../protocol/message.ts';
import { singer } from '../protocol/singer.ts';
import { parseCommand, type Command, type LogChoice } from './command.ts';
import { check } from './check.ts';
import { TapConfig, type Config } from './config.ts';
import { openClient, run } from './run.ts';
import { loadSchemas } from './schemas.ts';
import { connectorSpecification } from './spec.ts';
import { readStateFile } from './state-file.ts';
import { offeredStreams, selectedStreams, type SelectedStream } from './streams.ts';
import { logReporter, terminalReporter } from './summary.ts';

const ABOUT = {
  name: 'tap-jira',
  description: 'Reads the issues of Jira Data Center and Jira Cloud, incrementally and completely.',
  capabilities: ['catalog', 'properties', 'discover', 'state', 'about', 'test', 'structured-logging'],
  config: TapConfig,
};

let log = logFor({});
const out = new LineWriter(process.stdout);

await runProgram(
  async (signal) => {
    const command = await parseCommand(process.argv.slice(2), VERSION);
    switch (command.do) {
      case 'print':
        return print(command.text);
      case 'about':
        return print(renderAbout(ABOUT, command.format));
      case 'spec':
        return print(`${JSON.stringify({ type: 'SPEC', spec: connectorSpecification() })}\n`);
      case 'discover': {
        log = logFor(command.log);
        return print(`${JSON.stringify(discoveryCatalog(offeredStreams(loadSchemas())), null, 2)}\n`);
      }
      case 'check':
        log = logFor(command.log);
        return checkAndPrint(command, signal);
      case 'sync':
        log = logFor(command.log);
        return syncToStdout(command, signal);
      default:
        return command satisfies never;
    }
  },
  () => log,
);

async function print(text: string): Promise<number> {
  await out.write(Buffer.from(text));
  await out.end();
  return 0;
}

async function syncToStdout(
  command: Command & { readonly do: 'sync' },
  signal: AbortSignal,
): Promise<number> {
  const config = await loadTapConfig(command.config);
  const state = command.state === undefined ? {} : await readStateFile(command.state);
  const streams = await streamsFor(command);
  const reporter = process.stderr.isTTY
    ? terminalReporter((text) => process.stderr.write(text), systemClock.elapsed)
    : logReporter(log);
  const messages = run({
    config,
    streams,
    state,
    stateSource: command.state ?? 'state',
    clock: systemClock,
    log,
    progress: reporter,
    signal,
  });
  try {
    for await (const message of command.test === undefined
      ? messages
      : sample(messages, command.test, streams.length)) {
      await out.write(...singer.encode(message));
      if (message.type === 'state') await out.flush();
    }
  } finally {
    reporter.close();
    await out.end();
  }
  return 0;
}

/**
 * Prints a line per finding: to the terminal, or to stderr when a host reads stdout, which then gets Airbyte's
 * CONNECTION_STATUS. A host is told of a failed check by that message, so the exit code is 0 (Airbyte's rule).
 */
async function checkAndPrint(
  command: Command & { readonly do: 'check' },
  signal: AbortSignal,
): Promise<number> {
  const person = process.stdout.isTTY;
  const failures: string[] = [];
  try {
    const config = await loadTapConfig(command.config);
    const { client, close } = await openClient({ config, clock: systemClock, log, signal });
    try {
      const streams = await streamsFor(command);
      for await (const { verdict, about, text } of check({
        client,
        config,
        streams,
        clock: systemClock,
        log,
      })) {
        if (verdict === 'failed') failures.push(`${about}: ${text}`);
        const line = redact(`${verdict.padEnd(8)} ${about.padEnd(12)} ${text}\n`);
        if (person) await out.write(Buffer.from(line));
        else process.stderr.write(line);
      }
    } finally {
      await close();
    }
  } catch (error) {
    if (person || signal.aborted) throw error;
    failures.push(describe(error));
  }
  if (!person) {
    const connectionStatus =
      failures.length === 0
        ? { status: 'SUCCEEDED' }
        : { status: 'FAILED', message: redact(failures.join('; ')) };
    await out.write(Buffer.from(`${JSON.stringify({ type: 'CONNECTION_STATUS', connectionStatus })}\n`));
  }
  await out.end();
  return person && failures.length > 0 ? 1 : 0;
}

function loadTapConfig(paths: readonly string[]): Promise<Config> {
  return loadConfig(TapConfig, { paths, env: process.env, envPrefix: 'TAP_JIRA_' });
}

async function streamsFor({ catalog }: { readonly catalog?: string }): Promise<readonly SelectedStream[]> {
  const selection =
    catalog === undefined ? undefined : readSelection(await readJsonObject(catalog, 'catalog'), catalog);
  return selectedStreams(loadSchemas(), selection);
}

/** The schemas, and for `records` the first record of each of `count` streams. */
async function* sample(
  messages: AsyncIterable<Message>,
  what: 'records' | 'schema',
  count: number,
): AsyncGenerator<Message> {
  const shown = new Set<string>();
  let schemas = 0;
  for await (const message of messages) {
    if (message.type === 'schema') {
      yield message;
      if (++schemas === count && what === 'schema') return;
    } else if (message.type === 'record' && !shown.has(message.stream)) {
      shown.add(message.stream);
      yield message;
      if (shown.size === count) return;
    }
  }
}

function logFor({ format, level }: LogChoice): Log {
  const structured = (process.env['SINGER_SDK_LOG_CONFIG'] ?? '') !== '';
  const wanted = level ?? process.env['TAP_JIRA_LOGLEVEL'] ?? process.env['LOGLEVEL'] ?? 'info';
  const parsed = parseLogLevel(wanted);
  if (parsed === undefined && level !== undefined)
    throw new UsageError(`--log-level: "${level}" is not debug, info, warning or error`);
  return createLog({
    name: 'tap-jira',
    format: format ?? (structured ? 'json' : 'text'),
    level: parsed ?? 'info',
    // On a terminal a line takes the place of the progress bar, which is drawn again below it.
    write: (line) => process.stderr.write(process.stderr.isTTY ? `\r\u001b[K${line}` : line),
    now: systemClock.now,
  });
}
