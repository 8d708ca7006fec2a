import { PassThrough } from 'node:stream';
import { LineWriter } from '../../src/shared/lines.ts';
import { parseConfig } from '../../src/shared/config.ts';
import type { JsonObject } from '../../src/shared/json/value.ts';
import { DestinationConfig } from '../../src/target/airbyte/config.ts';
import { write } from '../../src/target/airbyte/write.ts';
import type { Store } from '../../src/target/stores/store.ts';
import { airbyteMessages, type AirbyteMessage } from './airbyte.ts';
import { handClock, type HandClock } from './hand-clock.ts';
import { Scratch } from './programs.ts';
import { input, type Event } from './target-run.ts';

export type DestinationOutcome = {
  readonly code: number;
  /** Every line; they have been checked against the protocol. */
  readonly messages: readonly AirbyteMessage[];
  /** The lines of STATEs, as they were printed. */
  readonly states: readonly string[];
};

/** Runs the destination inside this process on scripted input. */
export async function runDestination(
  store: Store,
  catalog: object,
  events: Iterable<Event>,
  settings: JsonObject = {},
  options: { readonly clock?: HandClock; readonly stop?: AbortSignal; readonly keepOpen?: boolean } = {},
): Promise<DestinationOutcome> {
  await using scratch = await Scratch.open();
  const clock = options.clock ?? handClock();
  const stdout = new PassThrough();
  const chunks: Buffer[] = [];
  stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
  const code = await write({
    config: () =>
      Promise.resolve(parseConfig(DestinationConfig, { local_path: 'unused', ...settings }, () => 'test')),
    open: () => Promise.resolve(store),
    out: new LineWriter(stdout),
    logLevel: 'debug',
    clock,
    catalog: await scratch.write('catalog.json', catalog),
    input: () =>
      Promise.resolve({
        chunks: input(events, clock, options.keepOpen ?? false),
        close: () => undefined,
      }),
    stop: options.stop ?? new AbortController().signal,
    blocksAtOnce: 2,
  });
  const text = Buffer.concat(chunks).toString();
  const states = text.split('\n').filter((line) => line.startsWith('{"type":"STATE"'));
  return { code, messages: airbyteMessages(text), states };
}

/** A stream of a configured catalog. */
export const configured = (name: string, more: JsonObject = {}): object => {
  const { namespace, json_schema: schema = { type: 'object', properties: {} }, ...rest } = more;
  const stream = { name, json_schema: schema, ...(namespace === undefined ? {} : { namespace }) };
  return { stream, sync_mode: 'full_refresh', destination_sync_mode: 'append', ...rest };
};
export const catalogOf = (...streams: readonly object[]): object => ({ streams });

/** Airbyte lines for tests. */
export const recordMessage = (stream: string, data: JsonObject, more: JsonObject = {}): string =>
  `${JSON.stringify({ type: 'RECORD', record: { stream, data, emitted_at: 1_714_608_000_123, ...more } })}\n`;
export const streamState = (name: string, state: JsonObject, more: JsonObject = {}): string =>
  `${JSON.stringify({ type: 'STATE', state: { type: 'STREAM', stream: { stream_descriptor: { name }, stream_state: state }, ...more } })}\n`;
export const statusMessage = (name: string, status = 'COMPLETE', more: JsonObject = {}): string =>
  `${JSON.stringify({ type: 'TRACE', trace: { type: 'STREAM_STATUS', emitted_at: 1.5, stream_status: { stream_descriptor: { name, ...more }, status } } })}\n`;
