import { describe, toConnectorError, type ErrorKind } from '../shared/errors.ts';
import type { JsonObject } from '../shared/json/value.ts';
import type { Log, LogFields, LogLevel } from '../shared/log.ts';
import { redact } from '../shared/secret.ts';

/** The version of https://github.com/airbytehq/airbyte-protocol that both connectors speak. */
export const PROTOCOL_VERSION = '0.18.0';

export type StreamStatus = 'STARTED' | 'RUNNING' | 'COMPLETE' | 'INCOMPLETE';

const FAILURE_TYPES = {
  config: 'config_error',
  transient: 'transient_error',
  system: 'system_error',
} as const satisfies Record<ErrorKind, string>;

/** One Airbyte message as a line. Airbyte wants optional members left out rather than null. */
export function airbyteLine(message: JsonObject): Uint8Array {
  return Buffer.from(`${JSON.stringify(message)}\n`);
}

/** The one answer to `check`. `failure` says what the user has to change; without it all is well. */
export function connectionStatus(failure?: string): Uint8Array {
  const connectionStatus =
    failure === undefined ? { status: 'SUCCEEDED' } : { status: 'FAILED', message: redact(failure) };
  return airbyteLine({ type: 'CONNECTION_STATUS', connectionStatus });
}

/** Tells how far a stream is; `rateLimitedUntil` (ms) that it waits because of a limit. */
export function streamStatus(
  stream: string,
  status: StreamStatus,
  emittedAt: number,
  rateLimitedUntil?: number,
): Uint8Array {
  const reasons =
    rateLimitedUntil === undefined
      ? {}
      : { reasons: [{ type: 'RATE_LIMITED', rate_limited: { quota_reset: Math.ceil(rateLimitedUntil) } }] };
  return trace('STREAM_STATUS', emittedAt, {
    stream_status: { stream_descriptor: { name: stream }, status, ...reasons },
  });
}

/** Why a connector, or one stream of it, failed: whose turn it is to act, and what a person should know. */
export function errorTrace(thrown: unknown, emittedAt: number, stream?: string): Uint8Array {
  const { kind, message, cause } = toConnectorError(thrown);
  const stack = kind === 'system' && cause instanceof Error ? cause.stack : undefined;
  return trace('ERROR', emittedAt, {
    error: {
      message: redact(message),
      internal_message: redact(describe(thrown)),
      failure_type: FAILURE_TYPES[kind],
      ...(stack === undefined ? {} : { stack_trace: redact(stack) }),
      ...(stream === undefined ? {} : { stream_descriptor: { name: stream } }),
    },
  });
}

function trace(type: 'STREAM_STATUS' | 'ERROR', emittedAt: number, members: JsonObject): Uint8Array {
  return airbyteLine({ type: 'TRACE', trace: { type, emitted_at: emittedAt, ...members } });
}

/** The configuration after a credential was renewed, whole and with its secrets: Airbyte keeps it for the next run. */
export function connectorConfig(config: JsonObject, emittedAt: number): Uint8Array {
  return airbyteLine({
    type: 'CONTROL',
    control: { type: 'CONNECTOR_CONFIG', emitted_at: emittedAt, connectorConfig: { config } },
  });
}

const LEVELS = {
  debug: 'DEBUG',
  info: 'INFO',
  warning: 'WARN',
  error: 'ERROR',
  critical: 'FATAL',
} as const satisfies Record<LogLevel, string>;
const ORDER = Object.keys(LEVELS) as LogLevel[];

/**
 * A log whose lines are LOG messages, secrets removed. Metrics are left out: Airbyte takes its counts from the
 * STATE messages.
 */
export function airbyteLog(least: LogLevel, say: (line: Uint8Array) => void): Log {
  const printer =
    (level: LogLevel) =>
    (message: string, fields: LogFields = {}): void => {
      if (fields.metric !== undefined || ORDER.indexOf(level) < ORDER.indexOf(least)) return;
      say(airbyteLine({ type: 'LOG', log: { level: LEVELS[level], message: redact(message) } }));
    };
  return {
    debug: printer('debug'),
    info: printer('info'),
    warning: printer('warning'),
    error: printer('error'),
    critical: printer('critical'),
  };
}
