import { readFileSync } from 'node:fs';
import { Ajv } from 'ajv';
import type { JsonObject, JsonValue } from '../../src/shared/json/value.ts';
import { isObject } from '../../src/shared/json/value.ts';

type Descriptor = { readonly name: string };

/** The messages of a connector, as far as the tests look into them. */
export type AirbyteMessage = {
  readonly type: string;
  readonly record?: { readonly stream: string; readonly data: JsonObject; readonly emitted_at: number };
  readonly state?: {
    readonly stream: { readonly stream_descriptor: Descriptor; readonly stream_state: JsonObject };
    readonly sourceStats: { readonly recordCount: number };
  };
  readonly log?: { readonly level: string; readonly message: string };
  readonly trace?: {
    readonly type: string;
    readonly stream_status?: {
      readonly stream_descriptor: Descriptor;
      readonly status: string;
      readonly reasons?: readonly JsonObject[];
    };
    readonly error?: {
      readonly message: string;
      readonly failure_type: string;
      readonly stream_descriptor?: Descriptor;
    };
  };
  readonly connectionStatus?: { readonly status: string; readonly message?: string };
  readonly catalog?: { readonly streams: readonly JsonObject[] };
  readonly spec?: JsonObject & { readonly connectionSpecification: JsonObject };
  readonly control?: { readonly connectorConfig: { readonly config: JsonObject } };
};

const { definitions } = JSON.parse(
  readFileSync(new URL('../cases/airbyte-protocol.json', import.meta.url), 'utf8'),
) as { readonly definitions: JsonObject };
const ajv = new Ajv({ strict: false, validateFormats: false, allErrors: true });
const isMessage = ajv.compile({ $ref: '#/definitions/AirbyteMessage', definitions });

/** What the user's data and states are in; nulls are allowed only there. */
const CARGO = new Set([
  'data',
  'stream_state',
  'shared_state',
  'config',
  'json_schema',
  'connectionSpecification',
]);

/**
 * The messages that a connector printed. Throws if a line is none: by the protocol's own schema, by the rule that
 * a message has no nulls, or because `emitted_at` of a record is not written as an integer.
 */
export function airbyteMessages(stdout: string): AirbyteMessage[] {
  return stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const message = JSON.parse(line) as AirbyteMessage & JsonObject;
      if (!isMessage(message)) throw new Error(`${ajv.errorsText(isMessage.errors)}: ${line.slice(0, 300)}`);
      if (hasNull(message)) throw new Error(`a null: ${line.slice(0, 300)}`);
      if (message.type === 'RECORD' && !/,"emitted_at":\d+\}\}$/.test(line))
        throw new Error(line.slice(-100));
      if (message.type === 'STATE' && !/"recordCount":\d+\.\d+[,}]/.test(line))
        throw new Error(line.slice(-100));
      return message;
    });
}

function hasNull(value: JsonValue): boolean {
  if (value === null) return true;
  if (Array.isArray(value)) return value.some(hasNull);
  return isObject(value) && Object.entries(value).some(([name, item]) => !CARGO.has(name) && hasNull(item));
}

/** The statuses of each stream, in order, as `RUNNING` or `RUNNING RATE_LIMITED`. */
export function statusesOf(messages: readonly AirbyteMessage[]): Record<string, string[]> {
  const statuses: Record<string, string[]> = {};
  for (const { trace } of messages) {
    const status = trace?.stream_status;
    if (status === undefined) continue;
    const reasons = (status.reasons ?? []).map(({ type }) => ` ${String(type)}`);
    (statuses[status.stream_descriptor.name] ??= []).push(`${status.status}${reasons.join('')}`);
  }
  return statuses;
}

/** The errors told by TRACE messages. */
export function errorsOf(
  messages: readonly AirbyteMessage[],
): NonNullable<NonNullable<AirbyteMessage['trace']>['error']>[] {
  return messages.flatMap(({ trace }) => (trace?.error === undefined ? [] : [trace.error]));
}

/** What `--state` takes after these messages: the last state of each stream. */
export function lastStates(messages: readonly AirbyteMessage[]): object[] {
  const states = new Map<string, object>();
  for (const { state } of messages)
    if (state !== undefined) states.set(state.stream.stream_descriptor.name, state);
  return [...states.values()];
}

/** The data of the records of a stream. */
export function dataOf(messages: readonly AirbyteMessage[], stream = 'issues'): JsonObject[] {
  return messages.flatMap(({ record }) => (record?.stream === stream ? [record.data] : []));
}

/** A ConfiguredAirbyteCatalog that reads streams in one mode. */
export function configuredCatalog(names: readonly string[], syncMode = 'incremental'): object {
  return {
    streams: names.map((name) => ({
      stream: { name, json_schema: {}, supported_sync_modes: ['full_refresh', 'incremental'] },
      sync_mode: syncMode,
      destination_sync_mode: 'append',
    })),
  };
}
