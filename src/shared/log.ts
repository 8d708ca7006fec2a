import type { JsonObject } from './json/value.ts';
import { redact } from './secret.ts';

export type LogLevel = 'debug' | 'info' | 'warning' | 'error' | 'critical';
export type LogFormat = 'text' | 'json';

/** What a line is about, beside its words. `stream` is the Singer stream, `metric` a Singer metric. */
export type LogFields = {
  readonly stream?: string;
  readonly metric?: JsonObject;
  readonly extra?: JsonObject;
};

export type Log = {
  readonly [level in LogLevel]: (message: string, fields?: LogFields) => void;
};

export type LogOptions = {
  readonly name: string;
  readonly format: LogFormat;
  readonly level: LogLevel;
  readonly write: (line: string) => void;
  readonly now: () => number;
};

/** The format that a host asks for: Meltano sets this variable for programs that declare structured logs. */
export function logFormatOf(env: Readonly<Record<string, string | undefined>>): LogFormat {
  return (env['SINGER_SDK_LOG_CONFIG'] ?? '') === '' ? 'text' : 'json';
}

const ORDER: readonly LogLevel[] = ['debug', 'info', 'warning', 'error', 'critical'];

/**
 * A log of one line per message, secrets removed. `text` follows singer-python (`INFO message`); `json` has the
 * eight fields that Meltano's parser of structured logs requires.
 */
export function createLog(options: LogOptions): Log {
  const print = (level: LogLevel, message: string, fields: LogFields = {}): void => {
    if (ORDER.indexOf(level) < ORDER.indexOf(options.level)) return;
    const line =
      options.format === 'json'
        ? jsonLine(options, level, message, fields)
        : textLine(level, message, fields);
    options.write(`${redact(line)}\n`);
  };
  return {
    debug: (message, fields) => print('debug', message, fields),
    info: (message, fields) => print('info', message, fields),
    warning: (message, fields) => print('warning', message, fields),
    error: (message, fields) => print('error', message, fields),
    critical: (message, fields) => print('critical', message, fields),
  };
}

function textLine(level: LogLevel, message: string, fields: LogFields): string {
  const metric = fields.metric === undefined ? '' : `METRIC: ${JSON.stringify(fields.metric)}`;
  return `${level.toUpperCase()} ${metric === '' ? message.replaceAll(/\s*\n\s*/g, ' | ') : metric}`;
}

function jsonLine(options: LogOptions, level: LogLevel, message: string, fields: LogFields): string {
  return JSON.stringify({
    level,
    pid: process.pid,
    logger_name: options.name,
    ts: options.now() / 1000,
    thread_name: null,
    app_name: options.name,
    stream_name: fields.stream ?? null,
    message: fields.metric === undefined ? message : 'METRIC',
    extra: fields.extra ?? {},
    ...(fields.metric === undefined ? {} : { metric_info: fields.metric }),
  });
}

const ALIASES: ReadonlyMap<string, LogLevel> = new Map([
  ['warn', 'warning'],
  ['fatal', 'critical'],
  ['trace', 'debug'],
]);

/** The level named by a user (`warn`, `INFO`), or undefined if it is not one. */
export function parseLogLevel(text: string): LogLevel | undefined {
  const word = text.toLowerCase();
  return ALIASES.get(word) ?? ORDER.find((level) => level === word);
}
