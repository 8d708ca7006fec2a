import { configError } from '../shared/errors.ts';
import { isObject, parseBytes, type JsonValue } from '../shared/json/value.ts';
import { membersOfLine, textOf, valueOf, type Members, type Range } from './members.ts';
import type { BatchMessage, Codec, Message, UnknownMessage, Version } from './message.ts';

/** Singer lines: https://github.com/singer-io/getting-started/blob/master/docs/SPEC.md */
export const singer = { encode, decode } satisfies Codec;

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
      return [
        Buffer.from(
          `{"type":"ACTIVATE_VERSION","stream":${JSON.stringify(message.stream)},"version":${message.version}}\n`,
        ),
      ];
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

function recordEnd(timeExtracted: string | undefined, version: Version | undefined): Uint8Array {
  if (timeExtracted === undefined && version === undefined) return RECORD_END;
  const time = timeExtracted === undefined ? '' : `,"time_extracted":${JSON.stringify(timeExtracted)}`;
  return Buffer.from(`${time}${version === undefined ? '' : `,"version":${version}`}}\n`);
}

/** The members of a message that have a meaning. */
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
type Found = Members<Member>;

function decode(bytes: Uint8Array): Message | BatchMessage | UnknownMessage {
  const found = membersOfLine(bytes, MEMBERS, badLine);
  const type = textOf(bytes, found, 'type');
  if (type === undefined) throw badLine('it has no "type"');
  switch (type.toUpperCase()) {
    case 'RECORD': {
      const record = range(found, 'record', type);
      if (bytes[record.start] !== 0x7b) throw badLine('"record" must be an object');
      const timeExtracted = textOf(bytes, found, 'time_extracted');
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
      const manifest = names(bytes, found, 'manifest');
      if (manifest === undefined) throw badLine('BATCH has no "manifest"');
      const { format, compression } = encoding as Readonly<
        Record<'format' | 'compression', JsonValue | undefined>
      >;
      const version = integer(bytes, found, 'version');
      return {
        type: 'batch',
        stream: requiredText(bytes, found, 'stream', type),
        format: typeof format === 'string' ? format : 'jsonl',
        compression: typeof compression === 'string' ? compression : undefined,
        manifest,
        ...(version === undefined ? {} : { version }),
      };
    }
    default:
      return { type: 'unknown', name: type };
  }
}

function badLine(problem: string): Error {
  return configError(
    `not a Singer message: ${problem}; check that the program before the pipe writes only messages to stdout`,
    {
      code: 'BAD_MESSAGE',
    },
  );
}

function range(found: Found, member: Member, type: string): Range {
  const at = found.get(member);
  if (at === undefined) throw badLine(`${type} has no "${member}"`);
  return at;
}

function requiredText(bytes: Uint8Array, found: Found, member: Member, type: string): string {
  const value = textOf(bytes, found, member);
  if (value === undefined) throw badLine(`${type} has no string "${member}"`);
  return value;
}

function integer(bytes: Uint8Array, found: Found, member: Member): Version | undefined {
  const at = found.get(member);
  const value = valueOf(bytes, found, member);
  if (at === undefined || typeof value !== 'number') return undefined;
  if (Number.isSafeInteger(value)) return value;
  const text = Buffer.from(bytes.subarray(at.start, at.end)).toString();
  return /^-?\d{1,40}$/.test(text) ? BigInt(text) : undefined;
}

function names(bytes: Uint8Array, found: Found, member: Member): readonly string[] | undefined {
  const value = valueOf(bytes, found, member);
  if (value === undefined || value === null) return undefined;
  if (!Array.isArray(value) || !value.every((name) => typeof name === 'string'))
    throw badLine(`"${member}" must be a list of names`);
  return value;
}
