import { isUtf8 } from 'node:buffer';
import { configError } from '../shared/errors.ts';
import {
  expectEnd,
  JsonSyntaxError,
  scannedText,
  scanObject,
  skipSpace,
  skipString,
  skipValue,
  textEquals,
} from '../shared/json/scan.ts';
import { isObject, parseBytes, type JsonValue } from '../shared/json/value.ts';
import type { BatchMessage, Codec, Message, UnknownMessage } from './message.ts';

/** Singer lines: https://github.com/singer-io/getting-started/blob/master/docs/SPEC.md */
export const singer: Codec = { encode, decode };

const RECORD_END = Buffer.from('}\n');
const STATE_START = Buffer.from('{"type":"STATE","value":');
const recordStarts = new Map<string, Uint8Array>();

function encode(message: Message): readonly Uint8Array[] {
  switch (message.type) {
    case 'record':
      return [recordStart(message.stream), message.record, recordEnd(message.timeExtracted, message.version)];
    case 'state':
      return [STATE_START, message.state, RECORD_END];
    case 'schema':
      return [
        line({
          type: 'SCHEMA',
          stream: message.stream,
          schema: message.schema,
          key_properties: message.keyProperties,
          ...(message.bookmarkProperties === undefined
            ? {}
            : { bookmark_properties: message.bookmarkProperties }),
        }),
      ];
    case 'activate_version':
      return [line({ type: 'ACTIVATE_VERSION', stream: message.stream, version: message.version })];
    default:
      return message satisfies never;
  }
}

function line(value: JsonValue): Uint8Array {
  return Buffer.from(`${JSON.stringify(value)}\n`);
}

function recordStart(stream: string): Uint8Array {
  let start = recordStarts.get(stream);
  if (start === undefined) {
    start = Buffer.from(`{"type":"RECORD","stream":${JSON.stringify(stream)},"record":`);
    recordStarts.set(stream, start);
  }
  return start;
}

function recordEnd(timeExtracted: string | undefined, version: number | undefined): Uint8Array {
  if (timeExtracted === undefined && version === undefined) return RECORD_END;
  const time = timeExtracted === undefined ? '' : `,"time_extracted":${JSON.stringify(timeExtracted)}`;
  return Buffer.from(`${time}${version === undefined ? '' : `,"version":${version}`}}\n`);
}

type Range = { readonly start: number; readonly end: number };

/** The members of a message that have a meaning; `scanObject` finds all of them in one pass over the line. */
const MEMBERS = [
  'type',
  'stream',
  'record',
  'value',
  'schema',
  'key_properties',
  'time_extracted',
  'version',
  'bookmark_properties',
  'encoding',
  'manifest',
] as const;
type Member = (typeof MEMBERS)[number];

function decode(bytes: Uint8Array): Message | BatchMessage | UnknownMessage {
  if (!isUtf8(bytes)) throw badLine('it is not valid UTF-8');
  const found = scanLine(bytes);
  const type = text(bytes, found, 'type');
  if (type === undefined) throw badLine('it has no "type"');
  switch (type.toUpperCase()) {
    case 'RECORD': {
      const record = range(found, 'record', type);
      if (bytes[record.start] !== 0x7b) throw badLine('"record" must be an object');
      const timeExtracted = text(bytes, found, 'time_extracted');
      const version = integer(bytes, found, 'version');
      return {
        type: 'record',
        stream: requiredText(bytes, found, 'stream', type),
        record: bytes.subarray(record.start, record.end),
        ...(timeExtracted === undefined ? {} : { timeExtracted }),
        ...(version === undefined ? {} : { version }),
      };
    }
    case 'STATE': {
      const value = range(found, 'value', type);
      return { type: 'state', state: bytes.subarray(value.start, value.end) };
    }
    case 'SCHEMA': {
      const at = range(found, 'schema', type);
      const schema = parseBytes(bytes, at.start, at.end);
      if (!isObject(schema)) throw badLine('"schema" must be an object');
      const bookmarkProperties = names(bytes, found, 'bookmark_properties');
      return {
        type: 'schema',
        stream: requiredText(bytes, found, 'stream', type),
        schema,
        keyProperties: names(bytes, found, 'key_properties') ?? [],
        ...(bookmarkProperties === undefined ? {} : { bookmarkProperties }),
      };
    }
    case 'ACTIVATE_VERSION': {
      const version = integer(bytes, found, 'version');
      if (version === undefined) throw badLine('ACTIVATE_VERSION has no integer "version"');
      return { type: 'activate_version', stream: requiredText(bytes, found, 'stream', type), version };
    }
    case 'BATCH': {
      const at = range(found, 'encoding', type);
      const encoding = parseBytes(bytes, at.start, at.end);
      if (!isObject(encoding)) throw badLine('"encoding" must be an object');
      const { format, compression } = encoding as Readonly<
        Record<'format' | 'compression', JsonValue | undefined>
      >;
      const version = integer(bytes, found, 'version');
      return {
        type: 'batch',
        stream: requiredText(bytes, found, 'stream', type),
        format: typeof format === 'string' ? format : 'jsonl',
        compression: typeof compression === 'string' ? compression : undefined,
        manifest: names(bytes, found, 'manifest') ?? [],
        ...(version === undefined ? {} : { version }),
      };
    }
    default:
      return { type: 'unknown', name: type };
  }
}

function scanLine(bytes: Uint8Array): Map<Member, Range> {
  const found = new Map<Member, Range>();
  try {
    const start = skipSpace(bytes, 0, bytes.length);
    if (bytes[start] !== 0x7b) skipValue(bytes, start, bytes.length);
    if (bytes[start] !== 0x7b) throw badLine('it must be a JSON object');
    const after = scanObject(bytes, start, bytes.length, (nameStart, nameEnd, valueStart) => {
      const member = MEMBERS.find((name) => textEquals(bytes, nameStart, nameEnd, name));
      const end = skipValue(bytes, valueStart, bytes.length);
      if (member !== undefined) found.set(member, { start: valueStart, end });
      return end;
    });
    expectEnd(bytes, after, bytes.length);
  } catch (cause) {
    if (cause instanceof JsonSyntaxError) throw badLine(`it is not JSON: ${cause.message}`);
    throw cause;
  }
  return found;
}

function badLine(problem: string): Error {
  return configError(
    `not a Singer message: ${problem}; check that the program before the pipe writes only messages to stdout`,
    {
      code: 'BAD_MESSAGE',
    },
  );
}

function range(found: Map<Member, Range>, member: Member, type: string): Range {
  const at = found.get(member);
  if (at === undefined) throw badLine(`${type} has no "${member}"`);
  return at;
}

function text(bytes: Uint8Array, found: Map<Member, Range>, member: Member): string | undefined {
  const at = found.get(member);
  if (at === undefined || bytes[at.start] !== 0x22) return undefined;
  return scannedText(bytes, at.start + 1, skipString(bytes, at.start, at.end) - 1);
}

function requiredText(bytes: Uint8Array, found: Map<Member, Range>, member: Member, type: string): string {
  const value = text(bytes, found, member);
  if (value === undefined) throw badLine(`${type} has no string "${member}"`);
  return value;
}

function integer(bytes: Uint8Array, found: Map<Member, Range>, member: Member): number | undefined {
  const at = found.get(member);
  const value = at === undefined ? undefined : parseBytes(bytes, at.start, at.end);
  return typeof value === 'number' && Number.isSafeInteger(value) ? value : undefined;
}

function names(bytes: Uint8Array, found: Map<Member, Range>, member: Member): readonly string[] | undefined {
  const at = found.get(member);
  const value = at === undefined ? undefined : parseBytes(bytes, at.start, at.end);
  if (value === undefined || value === null) return undefined;
  if (!Array.isArray(value) || !value.every((name) => typeof name === 'string'))
    throw badLine(`"${member}" must be a list of names`);
  return value;
}
