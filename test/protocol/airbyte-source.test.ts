import { describe, expect, it } from 'vitest';
import { configError, systemError, transientError } from '../../src/shared/errors.ts';
import { errorTrace, airbyteLog } from '../../src/protocol/airbyte.ts';
import { SourceLines } from '../../src/protocol/airbyte-source.ts';
import type { Message } from '../../src/protocol/message.ts';
import { airbyteMessages, errorsOf, statusesOf, type AirbyteMessage } from '../support/airbyte.ts';

const NOW = 1_795_341_600_123;

const text = (lines: readonly Uint8Array[]): string => Buffer.concat(lines).toString();
const messagesOf = (lines: readonly Uint8Array[]): AirbyteMessage[] => airbyteMessages(text(lines));
const record = (stream: string, body: string): Message => ({
  type: 'record',
  stream,
  record: Buffer.from(body),
  timeExtracted: new Date(NOW).toISOString(),
});
const state = (bookmarks: object): Message => ({
  type: 'state',
  state: Buffer.from(JSON.stringify({ bookmarks, other: { issues: 1 } })),
});
const linesFor = (...names: string[]): SourceLines =>
  new SourceLines(
    names.map((name) => ({ name: name.replace('!', ''), fullRefresh: name.endsWith('!') })),
    () => NOW,
  );
const statesOf = (lines: readonly Uint8Array[]): [string, object, number][] =>
  messagesOf(lines).flatMap(({ state: found }) =>
    found === undefined
      ? []
      : [[found.stream.stream_descriptor.name, found.stream.stream_state, found.sourceStats.recordCount]],
  );

describe('the lines of an Airbyte source', () => {
  it('have a record as it was served, byte for byte, and when it was read', () => {
    const lines = linesFor('issues');
    const body = '{"id":"1", "n":12345678901234567890,"s":"\\u0061","x":null}';
    lines.encode(record('issues', '{}'));
    expect(text(lines.encode(record('issues', body)))).toBe(
      `{"type":"RECORD","record":{"stream":"issues","data":${body},"emitted_at":${NOW}}}\n`,
    );
  });

  it('have a state for each stream whose part has changed, counting the records since its last one', () => {
    const lines = linesFor('issues', 'issue_comments');
    for (const stream of ['issues', 'issues', 'issue_comments']) lines.encode(record(stream, '{}'));
    const begun = { projects: { A: { last_ingest_date: '2026-01-01T00:00:00Z' } } };
    expect(
      statesOf(lines.encode(state({ issues: begun, issue_comments: { projects: {} }, else: {} }))),
    ).toEqual([
      ['issues', begun, 2],
      ['issue_comments', { projects: {} }, 1],
    ]);
    lines.encode(record('issues', '{}'));
    const further = { projects: { B: {} } };
    expect(statesOf(lines.encode(state({ issues: begun, issue_comments: further })))).toEqual([
      ['issue_comments', further, 0],
    ]);
    expect(statesOf(lines.encode(state({ issues: further, issue_comments: further })))).toEqual([
      ['issues', further, 1],
    ]);
  });

  it('carry a state as it is, whatever its numbers', () => {
    const lines = linesFor('issues');
    const message: Message = {
      type: 'state',
      state: Buffer.from('{"bookmarks":{"issues":{"n":12345678901234567890}}}'),
    };
    expect(text(lines.encode(message))).toContain(
      '"stream_state":{"n":12345678901234567890}},"sourceStats":{"recordCount":0.0}',
    );
  });

  it('mark the states of a full refresh until it has come to its end', () => {
    const lines = linesFor('issues!');
    lines.encode(record('issues', '{}'));
    expect(statesOf(lines.encode(state({ issues: { projects: {} } })))).toEqual([
      ['issues', { full_refresh_under_way: true, projects: {} }, 1],
    ]);
    expect(statesOf(lines.ended(true, new Map()))).toEqual([['issues', { projects: {} }, 0]]);
    const empty = linesFor('issues!');
    expect(statesOf(empty.encode(state({ issues: {} })))).toEqual([
      ['issues', { full_refresh_under_way: true }, 0],
    ]);
    expect(statesOf(empty.ended(false, new Map()))).toEqual([]);
  });

  it('cover the last records also when they changed no state', () => {
    const lines = linesFor('issues');
    lines.encode(state({ issues: {} }));
    lines.encode(record('issues', '{}'));
    lines.encode(state({ issues: {} }));
    expect(statesOf(lines.ended(true, new Map()))).toEqual([['issues', {}, 1]]);
  });

  it('tell of each stream that it has started, runs, waits and ends', () => {
    const lines = linesFor('issues', 'issue_comments');
    const all = [
      ...lines.started(),
      ...lines.encode(record('issues', '{}')),
      ...lines.waiting(NOW + 30_000),
      ...lines.waiting(NOW + 30_500),
      ...lines.encode(record('issues', '{}')),
      ...lines.encode(record('issues', '{}')),
      ...lines.ended(true, new Map([['issue_comments', transientError('later')]])),
    ];
    expect(statusesOf(messagesOf(all))).toEqual({
      issues: ['STARTED', 'RUNNING', 'RUNNING RATE_LIMITED', 'RUNNING', 'COMPLETE'],
      issue_comments: ['STARTED', 'RUNNING RATE_LIMITED', 'INCOMPLETE'],
    });
    expect(text(all)).toContain(`{"quota_reset":${NOW + 30_000}}`);
  });

  it('say why a stream has failed, before they say that it has', () => {
    const lines = linesFor('issues');
    const [error, status, ...rest] = messagesOf(
      lines.ended(true, new Map([['issues', configError('change it')]])),
    );
    expect(error?.trace?.error).toMatchObject({
      message: 'change it',
      failure_type: 'config_error',
      stream_descriptor: { name: 'issues' },
    });
    expect(status?.trace?.stream_status?.status).toBe('INCOMPLETE');
    expect(rest).toEqual([]);
  });

  it('call every stream incomplete when the run did not come to its end', () => {
    expect(statusesOf(messagesOf(linesFor('issues').ended(false, new Map())))).toEqual({
      issues: ['INCOMPLETE'],
    });
  });

  it('have no word for schemas', () => {
    const schema: Message = { type: 'schema', stream: 'issues', schema: {}, keyProperties: [] };
    expect(linesFor('issues').encode(schema)).toEqual([]);
  });
});

describe('what a connector says beside them', () => {
  it.each([
    [configError('a'), 'config_error'],
    [transientError('b'), 'transient_error'],
    [systemError('c'), 'system_error'],
    [new TypeError('d'), 'system_error'],
  ])('%s is a %s', (error, type) => {
    const [told] = errorsOf(messagesOf([errorTrace(error, NOW)]));
    expect(told).toMatchObject({ message: error.message, failure_type: type });
    expect('stack_trace' in told!).toBe(error instanceof TypeError);
  });

  it('logs at the levels of Airbyte, from the least one on', () => {
    const lines: Uint8Array[] = [];
    const log = airbyteLog('info', (line) => lines.push(line));
    log.debug('a');
    log.info('b');
    log.warning('c');
    log.error('d');
    log.critical('e');
    log.info('METRIC', { metric: { value: 1 } });
    expect(messagesOf(lines).map(({ log: said }) => said)).toEqual([
      { level: 'INFO', message: 'b' },
      { level: 'WARN', message: 'c' },
      { level: 'ERROR', message: 'd' },
      { level: 'FATAL', message: 'e' },
    ]);
  });
});
