import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../src/shared/json/value.ts';
import type { Message } from '../../src/protocol/message.ts';
import { singer } from '../../src/protocol/singer.ts';

const encoded = (message: Message): Buffer => Buffer.concat(singer.encode(message));

/** A message with its bytes as text, for comparing. */
function readable(message: object): object {
  return Object.fromEntries(
    Object.entries(message).map(([name, value]) => [
      name,
      value instanceof Uint8Array ? Buffer.from(value).toString() : (value as unknown),
    ]),
  );
}

const name = fc.string({ unit: 'grapheme' });
const jsonObject = fc.dictionary(name, fc.jsonValue(), { noNullPrototype: true }) as fc.Arbitrary<JsonObject>;
const bytesOf = (value: fc.Arbitrary<unknown>) =>
  fc.tuple(value, fc.constantFrom(undefined, 1)).map(([value, indent]) =>
    // A record is one line: white space inside it may be anything but a line break.
    Buffer.from(JSON.stringify(value, null, indent).replaceAll('\n', '\t')),
  );
const optional = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined });
const clean = <T extends object>(value: T): T =>
  Object.fromEntries(Object.entries(value).filter(([, member]) => member !== undefined)) as T;

const message = fc.oneof(
  fc
    .record({
      type: fc.constant('record' as const),
      stream: name,
      record: bytesOf(jsonObject),
      timeExtracted: optional(name),
      version: optional(fc.maxSafeInteger()),
    })
    .map(clean),
  fc.record({ type: fc.constant('state' as const), state: bytesOf(fc.jsonValue()) }),
  fc
    .record({
      type: fc.constant('schema' as const),
      stream: name,
      schema: jsonObject.map((schema) => JSON.parse(JSON.stringify(schema)) as JsonObject),
      keyProperties: fc.array(name),
      bookmarkProperties: optional(fc.array(name)),
    })
    .map(clean),
  fc.record({ type: fc.constant('activate_version' as const), stream: name, version: fc.maxSafeInteger() }),
) as fc.Arbitrary<Message>;

describe('the Singer codec', () => {
  it('reads back what it writes, one line each', () => {
    fc.assert(
      fc.property(message, (message) => {
        const line = encoded(message);
        expect(line.indexOf('\n')).toBe(line.length - 1);
        expect(readable(singer.decode(line))).toEqual(readable(message));
        expect(readable(singer.decode(line.subarray(0, -1)))).toEqual(readable(message));
      }),
      { numRuns: 500 },
    );
  });

  it('writes what JSON.parse understands', () => {
    const record = Buffer.from('{"id":"1","n":9223372036854775807}');
    const line = encoded({
      type: 'record',
      stream: 'a"b',
      record,
      timeExtracted: 't',
      version: 3,
    }).toString();
    expect(line).toBe(
      '{"type":"RECORD","stream":"a\\"b","record":{"id":"1","n":9223372036854775807},"time_extracted":"t","version":3}\n',
    );
  });

  it('takes members in any order, unknown ones, and spaces', () => {
    const line = Buffer.from(
      ' { "new" : [ {"type":"X"} ] , "record":\t{"type":"STATE","a" : 1.0} ,"stream": "s", "\\u0074ype" : "record" } \r\n',
    );
    expect(readable(singer.decode(line))).toEqual({
      type: 'record',
      stream: 's',
      record: '{"type":"STATE","a" : 1.0}',
    });
  });

  it('keeps versions beyond 2^53', () => {
    const activate = '{"type":"ACTIVATE_VERSION","stream":"s","version":1795341600123456789}\n';
    const record = '{"type":"RECORD","stream":"s","record":{},"version":1795341600123456789}\n';
    for (const line of [activate, record]) {
      const message = singer.decode(Buffer.from(line)) as Message;
      expect(message).toMatchObject({ version: 1_795_341_600_123_456_789n });
      expect(encoded(message).toString()).toBe(line);
    }
  });

  it('tells messages it does not know from lines that are no messages', () => {
    expect(singer.decode(Buffer.from('{"type":"NEWS","stream":"s"}'))).toEqual({
      type: 'unknown',
      name: 'NEWS',
    });
  });

  it.each<[string, string | Buffer, string]>([
    ['empty', '', 'it is not JSON'],
    ['text', 'INFO starting', 'it is not JSON'],
    ['a number', '5', 'it must be a JSON object'],
    ['a list', '[{"type":"RECORD"}]', 'it must be a JSON object'],
    [
      'cut',
      '{"type":"RECORD","stream":"s","record":{"secret":"hus',
      'it is not JSON: the JSON text ends too early',
    ],
    ['two', '{"type":"STATE","value":1}{"type":"STATE","value":1}', 'it is not JSON'],
    ['without a type', '{"stream":"secret"}', 'it has no "type"'],
    ['with a number as type', '{"type":1}', 'it has no "type"'],
    ['RECORD without record', '{"type":"RECORD","stream":"s"}', 'RECORD has no "record"'],
    ['RECORD of another kind', '{"type":"RECORD","stream":"s","record":[]}', '"record" must be an object'],
    ['RECORD without stream', '{"type":"RECORD","record":{}}', 'RECORD has no string "stream"'],
    ['STATE without value', '{"type":"STATE"}', 'STATE has no "value"'],
    ['SCHEMA without schema', '{"type":"SCHEMA","stream":"s"}', 'SCHEMA has no "schema"'],
    ['SCHEMA of another kind', '{"type":"SCHEMA","stream":"s","schema":true}', '"schema" must be an object'],
    [
      'SCHEMA with one key as text',
      '{"type":"SCHEMA","stream":"s","schema":{},"key_properties":"id"}',
      '"key_properties" must be a list of names',
    ],
    [
      'ACTIVATE_VERSION with half a version',
      '{"type":"ACTIVATE_VERSION","stream":"s","version":1.5}',
      'no integer',
    ],
    ['not UTF-8', Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]), 'not valid UTF-8'],
  ])('refuses a line that is %s, without quoting it', (_, line, problem) => {
    let error: unknown;
    try {
      singer.decode(Buffer.from(line));
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toMatchObject({ kind: 'config', code: 'BAD_MESSAGE' });
    expect((error as Error).message).toContain(problem);
    expect((error as Error).message).not.toMatch(/secret|hus|INFO/);
  });

  it('answers any bytes with a message or a config error', () => {
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 60 }).map((array) => Buffer.from(array)),
      fc.tuple(message, fc.nat(), fc.nat(255)).map(([message, at, byte]) => {
        const line = encoded(message);
        line[at % line.length] = byte;
        return line;
      }),
    );
    fc.assert(
      fc.property(bytes, (line) => {
        try {
          expect(singer.decode(line)).toHaveProperty('type');
        } catch (error) {
          expect(error).toMatchObject({ kind: 'config', code: 'BAD_MESSAGE' });
        }
      }),
      { numRuns: 1000 },
    );
  });
});
