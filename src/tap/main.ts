#!/usr/bin/env node
import { basename } from 'node:path';
import { renderAbout } from '../shared/about.ts';
import { readJsonObject } from '../shared/config-file.ts';
import type { ConfigSources } from '../shared/config.ts';
import { systemClock } from '../shared/clock.ts';
import { LineWriter } from '../shared/lines.ts';
import { createLog, logFormatOf, parseLogLevel, type Log, type LogLevel } from '../shared/log.ts';
import { runProgram } from '../shared/program.ts';
import { VERSION } from '../shared/version.ts';
import { UsageError } from '../shared/errors.ts';
import { redact } from '../shared/secret.ts';
import { airbyteLine, airbyteLog } from '../protocol/airbyte.ts';
import { discoveryCatalog, readSelection } from '../protocol/catalog.ts';
import type { Message } from '../protocol/message.ts';
import { singer } from '../protocol/singer.ts';
import { airbyteCatalog } from './airbyte/catalog.ts';
import { SharedOutput } from '../shared/shared-output.ts';
import { read } from './airbyte/read.ts';
import { credentialsOfHost } from './airbyte/renewed-credentials.ts';
import { reportCheck } from './airbyte/report-check.ts';
import { authorize } from './authorize/authorize.ts';
import { openBrowser } from './authorize/browser.ts';
import { terminalOn } from './authorize/terminal.ts';
import { parseCommand, type Command, type LogChoice } from './command.ts';
import { check, type Finding } from './check.ts';
import { TapConfig } from './config.ts';
import { configOptions, loadBeforeLogin, loadTapConfig } from './load-config.ts';
import { openClient } from './open-client.ts';
import { run } from './run.ts';
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

/** Only the name under which Airbyte knows the program says that a host reads what `check` prints. */
const IS_SOURCE = /^source-jira\b/.test(basename(process.argv[1] ?? ''));

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
        return print(airbyteLine({ type: 'SPEC', spec: connectorSpecification() }));
      case 'airbyte-catalog': {
        const catalog = airbyteCatalog(offeredStreams(loadSchemas()));
        return print(airbyteLine({ type: 'CATALOG', catalog }));
      }
      case 'discover': {
        log = logFor(command.log);
        return print(`${JSON.stringify(discoveryCatalog(offeredStreams(loadSchemas())), null, 2)}\n`);
      }
      case 'check':
        log = logFor(command.log);
        return checkAndReport(command, signal);
      case 'sync':
        log = logFor(command.log);
        return syncToStdout(command, signal);
      case 'authorize':
        log = logFor(command.log);
        return authorizeFromTerminal(command, signal);
      case 'read':
        return read({
          ...command,
          setup: () => loadTapConfig(sourcesOf(command.config)),
          out,
          logLevel: logLevel(command.log),
          clock: systemClock,
          signal,
        });
      default:
        return command satisfies never;
    }
  },
  () => log,
);

async function print(text: string | Uint8Array): Promise<number> {
  await out.write(Buffer.from(text));
  await out.end();
  return 0;
}

async function syncToStdout(
  command: Command & { readonly do: 'sync' },
  signal: AbortSignal,
): Promise<number> {
  const { config, store } = await loadTapConfig(sourcesOf(command.config));
  const state = command.state === undefined ? {} : await readStateFile(command.state);
  const streams = await streamsFor(command);
  const reporter = process.stderr.isTTY
    ? terminalReporter((text) => process.stderr.write(text), systemClock.elapsed)
    : logReporter(log);
  const messages = run({
    config,
    store,
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

/** For a person, a line per finding, and the exit code 1 when something is wrong; else Airbyte's `check`. */
async function checkAndReport(
  command: Command & { readonly do: 'check' },
  signal: AbortSignal,
): Promise<number> {
  if (!process.stdout.isTTY) {
    const output = new SharedOutput(out);
    const hostLog = airbyteLog(logLevel(command.log), (line) => output.say(line));
    const host = IS_SOURCE ? output : undefined;
    return reportCheck(findings(command, hostLog, signal, host), output, hostLog, systemClock.now);
  }
  let failed = false;
  for await (const { verdict, about, text } of findings(command, log, signal)) {
    failed ||= verdict === 'failed';
    await out.write(Buffer.from(redact(`${verdict.padEnd(8)} ${about.padEnd(12)} ${text}\n`)));
    await out.flush();
  }
  await out.end();
  return failed ? 1 : 0;
}

async function* findings(
  command: Command & { readonly do: 'check' },
  log: Log,
  signal: AbortSignal,
  host?: SharedOutput,
): AsyncGenerator<Finding> {
  const { config, written, store: file } = await loadTapConfig(sourcesOf(command.config));
  const store =
    host === undefined ? file : credentialsOfHost(file, written, (line) => host.tell(line), systemClock.now);
  const { client, close } = await openClient({ config, store, clock: systemClock, log, signal });
  try {
    yield* check({ client, config, streams: await streamsFor(command), clock: systemClock, log });
  } finally {
    await close();
  }
}

async function authorizeFromTerminal(
  command: Command & { readonly do: 'authorize' },
  signal: AbortSignal,
): Promise<number> {
  const desktop = { platform: process.platform, env: process.env };
  const terminal = terminalOn({
    input: process.stdin,
    interactive: process.stdin.isTTY && process.stdout.isTTY,
    open: async (address) => command.browser && openBrowser(address, desktop),
    say: async (text) => {
      await out.write(Buffer.from(redact(text)));
      await out.flush();
    },
  });
  const setup = await loadBeforeLogin(sourcesOf(command.config));
  const options = configOptions(command.config);
  const { flags } = command;
  await authorize({ ...setup, flags, terminal, configOptions: options, clock: systemClock, log, signal });
  await out.end();
  return 0;
}

function sourcesOf(paths: readonly string[]): ConfigSources {
  return { paths, env: process.env, envPrefix: 'TAP_JIRA_' };
}

async function streamsFor({ catalog }: { readonly catalog?: string }): Promise<readonly SelectedStream[]> {
  const selection =
    catalog === undefined ? undefined : readSelection(await readJsonObject(catalog, 'catalog'), catalog);
  if (selection?.size === 0) log.warning(`${catalog}: selects no stream, so that nothing is read`);
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

function logLevel({ level }: LogChoice): LogLevel {
  const wanted = level ?? process.env['TAP_JIRA_LOGLEVEL'] ?? process.env['LOGLEVEL'] ?? 'info';
  const parsed = parseLogLevel(wanted);
  if (parsed === undefined && level !== undefined)
    throw new UsageError(`--log-level: "${level}" is not debug, info, warning or error`);
  return parsed ?? 'info';
}

function logFor(choice: LogChoice): Log {
  return createLog({
    name: 'tap-jira',
    format: choice.format ?? logFormatOf(process.env),
    level: logLevel(choice),
    // On a terminal a line takes the place of the progress bar, which is drawn again below it.
    write: (line) => process.stderr.write(process.stderr.isTTY ? `\r\u001b[K${line}` : line),
    now: systemClock.now,
  });
}
