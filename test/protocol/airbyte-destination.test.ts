import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DestinationLines } from '../../src/protocol/airbyte-destination.ts';
import type { Decoded } from '../../src/protocol/message.ts';
import { describe as told } from '../../src/shared/errors.ts';
import type { JsonObject } from '../../src/shared/json/value.ts';
import { airbyteMessages } from '../support/airbyte.ts';

const STREAMS = [
  { id: 's', name: 's', namespace: '' },
  { id: 'n.s', name: 's', namespace: 'n' },
  { id: 'all', name: 'all', namespace: '' },
];
const lines = (): DestinationLines => new DestinationLines(STREAMS);
const say = (to: DestinationLines, message: unknown): Decoded =>
  to.decode(Buffer.from(typeof message === 'string' ? message : JSON.stringify(message)));
const record = (stream: string, data: unknown = {}, more: object = {}): object => ({
  type: 'RECORD',
  record: { stream, data, emitted_at: 1, ...more },
});
const state = (name: string, value: unknown, more: object = {}): object => ({
  type: 'STATE',
  state: { type: 'STREAM', stream: { stream_descriptor: { name }, stream_state: value }, ...more },
});
const complete = (name: string, more: object = {}): object => ({
  type: 'TRACE',
  trace: {
    type: 'STREAM_STATUS',
    emitted_at: 1.5,
    stream_status: { stream_descriptor: { name, ...more }, status: 'COMPLETE' },
  },
});
const failure = (message: unknown): string => {
  try {
    say(lines(), message);
  } catch (error) {
    return told(error);
  }
  return 'nothing';
};
/** What stands in the RECORD's message, bytes as text. */
const readable = (decoded: Decoded): object =>
  Object.fromEntries(
    Object.entries(decoded!).map(([name, value]) => [
      name,
      value instanceof Uint8Array ? Buffer.from(value).toString() : (value as unknown),
    ]),
  );

describe('records', () => {
  it('pass their data on byte for byte', () => {
    const data = fc.dictionary(fc.string({ unit: 'grapheme' }), fc.jsonValue(), { noNullPrototype: true });
    fc.assert(
      fc.property(data, fc.constantFrom('', ' ', '\t '), fc.boolean(), (data, space, typeLast) => {
        const text = JSON.stringify(data, null, 1).replaceAll('\n', `${space}\t`);
        const body = `"record":${space}{"data":${space}${text},"meta":null,"stream":"s"${space}}`;
        const line = typeLast ? `{${body},"type":"RECORD"}` : `{"type":"RECORD"${space},${body},"log":null}`;
        expect(readable(say(lines(), line))).toEqual({ type: 'record', stream: 's', record: text });
      }),
    );
  });

  it('say when they were read, and what was changed in them', () => {
    const changes = [{ field: 'a', change: 'NULLED', reason: 'SOURCE_RETRIEVAL_ERROR' }];
    const decoded = say(lines(), record('s', {}, { emitted_at: 1_714_608_000_123, meta: { changes } }));
    expect(readable(decoded)).toMatchObject({
      timeExtracted: '2024-05-02T00:00:00.123Z',
      changes: JSON.stringify(changes),
    });
    for (const more of [
      { emitted_at: null, meta: null },
      { emitted_at: 1e300, meta: { changes: null } },
    ])
      expect(readable(say(lines(), record('s', {}, more)))).toEqual({
        type: 'record',
        stream: 's',
        record: '{}',
      });
  });

  it('belong to the stream of their name and namespace', () => {
    expect(say(lines(), record('s', {}, { namespace: null }))).toMatchObject({ stream: 's' });
    expect(say(lines(), record('s', {}, { namespace: 'n' }))).toMatchObject({ stream: 'n.s' });
    expect(failure(record('t'))).toMatch(/^UNKNOWN_STREAM: the stream "t" is not in the configured catalog/);
    expect(failure(record('all', {}, { namespace: 'n' }))).toContain('"all" of namespace "n"');
    expect(failure(record('__proto__'))).toContain('UNKNOWN_STREAM');
  });
});

describe('other lines', () => {
  it.each(['LOG', 'CONTROL', 'SPEC', 'CATALOG', 'CONNECTION_STATUS'])('%s is nothing to it', (type) => {
    expect(say(lines(), { type })).toBeUndefined();
  });

  it('of an unknown type are named', () => {
    expect(say(lines(), { type: 'NEW' })).toEqual({ type: 'unknown', name: 'NEW' });
  });

  it.each([
    ['nonsense', 'it is not JSON'],
    ['[]', 'it must be a JSON object'],
    [{}, 'it has no "type"'],
    [{ type: null }, 'it has no "type"'],
    [{ type: 'RECORD' }, 'no object "record"'],
    [{ type: 'RECORD', record: null }, 'no object "record"'],
    [record('s', null), 'no object "data"'],
    [record('s', [1]), 'no object "data"'],
    [{ type: 'RECORD', record: { data: {} } }, 'no string "stream"'],
    [{ type: 'STATE', state: null }, 'no object "state"'],
    ['{"type":"RECORD","record":{"stream":"s","data":{"secret":"hunter2"', 'it is not JSON'],
  ])('%j is an error that does not quote it', (line, problem) => {
    expect(failure(line)).toMatch(/^BAD_MESSAGE: not an Airbyte message/);
    expect(failure(line)).toContain(problem);
    expect(failure(line)).not.toContain('hunter2');
  });
});

describe('the ends of streams', () => {
  it('are known by name and namespace; COMPLETE counts, until INCOMPLETE takes it back', () => {
    const input = lines();
    for (const status of ['STARTED', 'RUNNING', 'INCOMPLETE'])
      say(input, JSON.stringify(complete('s')).replace('COMPLETE', status));
    for (const trace of [null, { type: 'STREAM_STATUS' }, { type: 'ERROR', error: { message: 'x' } }])
      say(input, { type: 'TRACE', trace });
    say(input, complete('unknown'));
    expect([...input.incomplete]).toEqual(['s', 'n.s', 'all']);
    say(input, complete('s', { namespace: 'n' }));
    say(input, complete('s', { namespace: null }));
    expect([...input.incomplete]).toEqual(['all']);
    say(input, JSON.stringify(complete('s')).replace('COMPLETE', 'RUNNING'));
    expect([...input.incomplete]).toEqual(['all']);
    say(input, JSON.stringify(complete('s')).replace('COMPLETE', 'INCOMPLETE'));
    expect(new Set(input.incomplete)).toEqual(new Set(['all', 's']));
  });
});

describe('states', () => {
  const take = (to: DestinationLines, message: unknown): Uint8Array => {
    const decoded = say(to, message);
    if (decoded?.type !== 'state') throw new Error('no state');
    return decoded.state;
  };
  const echoes = (to: DestinationLines, state: Uint8Array): string[] =>
    to.states.echo(state).map((line) => Buffer.from(line).toString());

  it('are said back once each, in order, with the number of records they cover', () => {
    const input = lines();
    for (const stream of ['s', 's', 'all']) say(input, record(stream));
    const first = take(input, state('s', { at: 1 }));
    const second = take(input, state('s', { at: 1 }));
    say(input, record('s'));
    input.states.reject('s');
    const third = take(input, { type: 'STATE', state: { type: 'GLOBAL', global: { stream_states: [] } } });
    const fourth = take(input, { type: 'STATE', state: { data: { old: true } } });
    const stats = (echo: string): string => /"destinationStats":(\{.*?\})/.exec(echo)![1]!;
    expect(echoes(input, first).map(stats)).toEqual(['{"recordCount":2.0}']);
    expect(echoes(input, third).map(stats)).toEqual([
      '{"recordCount":0.0}',
      '{"recordCount":1.0,"rejectedRecordCount":1.0}',
    ]);
    expect(echoes(input, third)).toEqual([]);
    expect(echoes(input, fourth)).toEqual([
      '{"type":"STATE","state":{"data":{"old":true},"destinationStats":{"recordCount":0.0}}}\n',
    ]);
    expect(echoes(input, second)).toEqual([]);
  });

  it('are said back unchanged', () => {
    const value = fc.jsonValue().map((json) => JSON.stringify(json, null, 1).replaceAll('\n', '\t'));
    fc.assert(
      fc.property(value, fc.constantFrom('', '"destinationStats":null,'), (value, stats) => {
        const stream = `"stream" : {"stream_descriptor":{"name":"s"},"stream_state":{ "v":${value}}}`;
        const input = lines();
        const taken = take(input, `{"state":{"type":"STREAM",${stats}${stream},"n":1.0},"type":"STATE"}`);
        expect(echoes(input, taken)).toEqual([
          `{"type":"STATE","state":{"type":"STREAM",${stream},"n":1.0,"destinationStats":{"recordCount":0.0}}}\n`,
        ]);
      }),
    );
  });

  it('are said back without the nulls of a host that writes them, which are not part of the protocol', () => {
    const descriptor = { name: 's', namespace: null };
    const kept = { n: null, of: [null, { x: null }] };
    const nulls = { global: null, data: null, sourceStats: null };
    const input = lines();
    take(input, {
      type: 'STATE',
      state: { type: 'STREAM', stream: { stream_descriptor: descriptor, stream_state: kept }, ...nulls },
    });
    take(input, {
      type: 'STATE',
      state: {
        type: 'GLOBAL',
        stream: null,
        global: {
          shared_state: kept,
          stream_states: [
            { stream_descriptor: descriptor, stream_state: kept },
            { stream_descriptor: descriptor, stream_state: null },
          ],
        },
      },
    });
    const last = take(input, { type: 'STATE', state: { type: 'LEGACY', data: kept, stream: null } });
    const said = echoes(input, last);
    expect(airbyteMessages(said.join(''))).toMatchObject([
      { state: { type: 'STREAM', stream: { stream_descriptor: { name: 's' }, stream_state: kept } } },
      {
        state: {
          type: 'GLOBAL',
          global: {
            shared_state: kept,
            stream_states: [{ stream_descriptor: { name: 's' }, stream_state: kept }, {}],
          },
        },
      },
      { state: { type: 'LEGACY', data: kept } },
    ]);
  });

  it('are one state to the rest of the program: the newest of each stream', () => {
    const input = lines();
    take(input, state('s', { at: 1 }));
    take(input, { type: 'STATE', state: { type: 'STREAM', stream: null } });
    take(input, state('all', { at: 2 }));
    const last = JSON.parse(Buffer.from(take(input, state('s', { at: 3 }))).toString()) as {
      readonly number: number;
      readonly airbyte_states: readonly { readonly stream: { readonly stream_state: JsonObject } | null }[];
    };
    expect(last.number).toBe(4);
    expect(last.airbyte_states.map(({ stream }) => stream?.stream_state['at'])).toEqual([3, undefined, 2]);
  });
});
