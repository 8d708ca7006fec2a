import { setTimeout as delay } from 'node:timers/promises';
import { singer } from '../../src/protocol/singer.ts';
import { parseConfig } from '../../src/shared/config.ts';
import { createLog } from '../../src/shared/log.ts';
import type { JsonObject } from '../../src/shared/json/value.ts';
import { Config } from '../../src/target/config.ts';
import { run } from '../../src/target/run.ts';
import type { Store } from '../../src/target/stores/store.ts';
import { handClock, type HandClock } from './hand-clock.ts';

/** A piece of input: text to be read, time to pass, or a call. */
export type Event = string | Uint8Array | { readonly pass: number } | (() => void);

export type Outcome = {
  readonly states: string[];
  readonly log: string[];
  /** What the run was rejected with, if it was. */
  readonly error: unknown;
};

/** Runs the target inside this process on scripted input. */
export async function runTarget(
  store: Store,
  events: Iterable<Event>,
  settings: JsonObject = {},
  options: {
    readonly clock?: HandClock;
    readonly stop?: AbortSignal;
    readonly print?: (state: string) => void | Promise<void>;
    /** Stay silent at the end instead of ending the input. */
    readonly keepOpen?: boolean;
  } = {},
): Promise<Outcome> {
  const clock = options.clock ?? handClock();
  const outcome = { states: [] as string[], log: [] as string[], error: undefined as unknown };
  const write = (line: string): void => void outcome.log.push(line.trimEnd());
  const config = parseConfig(Config, { local_path: 'unused', ...settings }, () => 'test');
  try {
    await run(config, input(events, clock, options.keepOpen ?? false), {
      store,
      decode: singer.decode,
      print: async (state) => {
        const text = Buffer.from(state).toString('utf8');
        await options.print?.(text);
        outcome.states.push(text);
      },
      clock,
      log: createLog({ name: 'target-s3', format: 'text', level: 'debug', write, now: clock.now }),
      onTerminal: false,
      stop: options.stop ?? new AbortController().signal,
      blocksAtOnce: 2,
    });
  } catch (error) {
    outcome.error = error;
  }
  return outcome;
}

/** The bytes that a script brings, in its time. */
export async function* input(
  events: Iterable<Event>,
  clock: HandClock,
  keepOpen: boolean,
): AsyncGenerator<Uint8Array> {
  for (const event of events) {
    if (typeof event === 'function') event();
    else if (typeof event === 'string' || event instanceof Uint8Array) yield Buffer.from(event);
    else {
      clock.advance(event.pass);
      // What the clock woke runs, the thread pool included.
      for (let i = 0; i < 20; i++) await delay(1);
    }
  }
  if (keepOpen) await new Promise(() => undefined);
}

/** Singer lines for tests. */
export const schemaLine = (stream: string, properties: JsonObject = {}, keys: string[] = []): string =>
  `${JSON.stringify({ type: 'SCHEMA', stream, schema: { properties }, key_properties: keys })}\n`;
export const recordLine = (stream: string, record: JsonObject): string =>
  `${JSON.stringify({ type: 'RECORD', stream, record })}\n`;
export const stateLine = (value: unknown): string => `${JSON.stringify({ type: 'STATE', value })}\n`;
