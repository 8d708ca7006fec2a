#!/usr/bin/env node
import { availableParallelism } from 'node:os';
import { airbyteLine } from '../protocol/airbyte.ts';
import { singer } from '../protocol/singer.ts';
import { systemClock } from '../shared/clock.ts';
import { renderAbout } from '../shared/about.ts';
import { loadConfig, type ConfigSources } from '../shared/config.ts';
import { LineWriter } from '../shared/lines.ts';
import { createLog, logFormatOf, type LogFormat, type LogLevel } from '../shared/log.ts';
import { runProgram } from '../shared/program.ts';
import { check } from './airbyte/check.ts';
import { loadDestinationConfig } from './airbyte/config.ts';
import { destinationSpecification } from './airbyte/spec.ts';
import { write, type AirbyteContext } from './airbyte/write.ts';
import { parseCommand, type Command } from './command.ts';
import { Config } from './config.ts';
import { openInput } from './input.ts';
import { maintain } from './maintain.ts';
import { run } from './run.ts';
import { openStore } from './stores/open-store.ts';
import type { Store } from './stores/store.ts';

const NEWLINE = Buffer.from('\n');

const ABOUT = {
  name: 'target-s3',
  description:
    'Writes the streams of any Singer tap to Amazon S3, an S3-compatible store or a folder, and repeats a STATE only when everything before it is durable.',
  capabilities: ['about', 'structured-logging'],
  config: Config,
};

let log = makeLog(logFormatOf(process.env), 'info');

await runProgram(main, () => log);

async function main(stop: AbortSignal): Promise<number> {
  const command = await parseCommand(process.argv.slice(2), process.env);
  log = makeLog(command.logFormat, command.logLevel);
  switch (command.action) {
    case 'print':
      process.stdout.write(`${command.text}\n`);
      return 0;
    case 'about':
      process.stdout.write(renderAbout(ABOUT, command.format));
      return 0;
    case 'write':
      return writeAll(command, stop);
    case 'spec':
      process.stdout.write(airbyteLine({ type: 'SPEC', spec: destinationSpecification() }));
      return 0;
    case 'check':
      return check(airbyte(command));
    case 'airbyte-write':
      return write({
        ...airbyte(command),
        catalog: command.catalog,
        input: () => openInput(command.input ?? 0),
        stop,
        blocksAtOnce: blocksAtOnce(),
      });
    case 'state':
    case 'vacuum':
    case 'doctor': {
      const out = new LineWriter(process.stdout);
      const config = await configOf(command.config);
      const code = await maintain(command, config, {
        open: (config) => open(config),
        print: (line) => out.write(line, NEWLINE),
        clock: systemClock,
        log,
      });
      await out.end();
      return code;
    }
    default:
      return command satisfies never;
  }
}

async function writeAll(
  { config: paths, input: path }: Extract<Command, { action: 'write' }>,
  stop: AbortSignal,
): Promise<number> {
  const config = await configOf(paths);
  const store = await open(config);
  const out = new LineWriter(process.stdout);
  const input = await openInput(path ?? 0);
  try {
    await run(config, input.chunks, {
      store,
      decode: singer.decode,
      print: async (state) => {
        await out.write(state, NEWLINE);
        await out.flush();
      },
      clock: systemClock,
      log,
      onTerminal: process.stderr.isTTY,
      stop,
      blocksAtOnce: blocksAtOnce(),
    });
  } finally {
    input.close();
  }
  await out.end();
  return 0;
}

function airbyte(command: {
  readonly config: readonly string[];
  readonly logLevel: LogLevel;
}): AirbyteContext {
  return {
    config: () => loadDestinationConfig(sourcesOf(command.config)),
    open,
    out: new LineWriter(process.stdout),
    logLevel: command.logLevel,
    clock: systemClock,
  };
}

function configOf(paths: readonly string[]): Promise<Config> {
  return loadConfig(Config, sourcesOf(paths));
}

function sourcesOf(paths: readonly string[]): ConfigSources {
  return { paths, env: process.env, envPrefix: 'TARGET_S3_' };
}

function blocksAtOnce(): number {
  return Math.min(4, Math.max(2, availableParallelism()));
}

function open(config: Config, warn = log.warning): Promise<Store> {
  // The S3 client would print four lines about the end of Node 20 next to every run.
  process.env['AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED'] ??= 'true';
  return openStore(config, process.env, systemClock, warn);
}

function makeLog(format: LogFormat, level: LogLevel): ReturnType<typeof createLog> {
  return createLog({
    name: 'target-s3',
    format,
    level,
    write: (line) => process.stderr.write(line),
    now: systemClock.now,
  });
}
