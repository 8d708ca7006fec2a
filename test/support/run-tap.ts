import { systemClock, type Clock } from '../../src/shared/clock.ts';
import { parseConfig } from '../../src/shared/config.ts';
import type { JsonObject } from '../../src/shared/json/value.ts';
import type { Log } from '../../src/shared/log.ts';
import { Stopped } from '../../src/shared/program.ts';
import type { Message } from '../../src/protocol/message.ts';
import { TapConfig } from '../../src/tap/config.ts';
import type { Progress, Tally } from '../../src/tap/progress.ts';
import { run } from '../../src/tap/run.ts';
import { loadSchemas } from '../../src/tap/schemas.ts';
import { selectedStreams } from '../../src/tap/streams.ts';

/** A clock whose waits are over at once. */
export const hurriedClock: Clock = { ...systemClock, sleep: async (_ms, signal) => signal?.throwIfAborted() };

const schemas = loadSchemas();

export type TapRun = {
  readonly records: { readonly stream: string; readonly record: JsonObject; readonly text: string }[];
  /** The last STATE that came out, or the one the run began with. */
  state: JsonObject;
  /** How the run ended, if not well. */
  error?: Error;
  readonly messages: Message['type'][];
  readonly logged: string[];
  readonly tallies: Map<string, Tally>;
};

export type TapRunOptions = {
  readonly state?: JsonObject;
  /** Ends the run, as a crash would, when so many messages have come out. */
  readonly crashAfter?: number;
  /** Asks the run to stop, as SIGTERM does, when so many messages have come out, and reads on to its end. */
  readonly stopAfter?: number;
  readonly clock?: Clock;
  /** Streams to select; default: those selected by default. */
  readonly streams?: readonly string[];
};

/** Runs the tap's own code in this process, and keeps what it says. */
export async function runTap(config: JsonObject, options: TapRunOptions = {}): Promise<TapRun> {
  const result: TapRun = {
    records: [],
    state: options.state ?? {},
    messages: [],
    logged: [],
    tallies: new Map(),
  };
  const print = (message: string): void => void result.logged.push(message);
  const log: Log = { debug: print, info: print, warning: print, error: print, critical: print };
  const progress: Progress = {
    started: () => undefined,
    counted: () => undefined,
    finished: (project, tally) => void result.tallies.set(project, { ...tally }),
  };
  const stop = new AbortController();
  const messages = run({
    config: parseConfig(TapConfig, config, () => 'test'),
    streams: selectedStreams(
      schemas,
      options.streams && new Map(options.streams.map((name) => [name, new Map()])),
    ),
    state: result.state,
    stateSource: 'test',
    clock: options.clock ?? hurriedClock,
    log,
    progress,
    signal: stop.signal,
  });
  try {
    for await (const message of messages) {
      result.messages.push(message.type);
      if (message.type === 'record') {
        const text = Buffer.from(message.record).toString();
        result.records.push({ stream: message.stream, record: JSON.parse(text) as JsonObject, text });
      } else if (message.type === 'state') {
        result.state = JSON.parse(Buffer.from(message.state).toString()) as JsonObject;
      }
      if (result.messages.length === options.stopAfter) stop.abort(new Stopped('SIGTERM'));
      if (result.messages.length === options.crashAfter) {
        stop.abort(new Error('crashed'));
        break;
      }
    }
  } catch (error) {
    result.error = error as Error;
  }
  return result;
}
