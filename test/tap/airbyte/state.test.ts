import { describe, expect, it } from 'vitest';
import { readAirbyteState, startingState } from '../../../src/tap/airbyte/state.ts';
import { Scratch } from '../../support/programs.ts';

const bookmark = { projects: { ABC: { last_ingest_date: '2026-11-01T00:00:00Z' } } };
const stream = { stream_descriptor: { name: 'issues' }, stream_state: bookmark };
const singer = { bookmarks: { issues: bookmark } };

async function readState(content: unknown): Promise<unknown> {
  await using scratch = await Scratch.open();
  return await readAirbyteState(await scratch.write('state.json', content));
}

describe('a state from Airbyte', () => {
  it.each<[string, unknown]>([
    ['a state for each stream', [{ type: 'STREAM', stream, sourceStats: { recordCount: 1.0 } }]],
    [
      'the last of several',
      [
        { type: 'STREAM', stream: { ...stream, stream_state: { projects: {} } } },
        { type: 'STREAM', stream },
      ],
    ],
    [
      'nulls for what is not there',
      [
        {
          type: 'STREAM',
          stream: { ...stream, stream_descriptor: { name: 'issues', namespace: null } },
          global: null,
          data: null,
        },
      ],
    ],
    ['a global state', [{ type: 'GLOBAL', global: { shared_state: {}, stream_states: [stream] } }]],
    ['a legacy state', [{ type: 'LEGACY', data: { issues: bookmark } }]],
    ['a legacy state without a type', [{ data: { issues: bookmark } }]],
    ['a bare legacy state', { issues: bookmark }],
    ['one message', { type: 'STREAM', stream }],
    ['whole messages', [{ type: 'STATE', state: { type: 'STREAM', stream } }]],
    ['a Singer state', singer],
    ['a Singer state as legacy data', [{ type: 'LEGACY', data: singer }]],
  ])('may be %s', async (_what, content) => {
    expect(await readState(content)).toEqual(singer);
  });

  it.each<[string, unknown]>([
    ['an empty list', []],
    ['an empty object', {}],
    ['an empty file', '\n'],
    ['a stream without a state', [{ type: 'STREAM', stream: { ...stream, stream_state: null } }]],
  ])('may be nothing: %s', async (_what, content) => {
    expect(((await readState(content)) as { bookmarks?: object }).bookmarks ?? {}).toEqual({});
  });

  it.each<[string, unknown, string]>([
    ['broken JSON', '[{', 'is not valid JSON'],
    ['a number', 1, 'must be an AirbyteStateMessage'],
    ['a list of numbers', [1], '[0]: not a state of this source: must be'],
    ['another type', [{ type: 'OTHER', stream }], 'type: '],
    [
      'a stream without a name',
      [{ type: 'STREAM', stream: { stream_state: {} } }],
      'stream.stream_descriptor',
    ],
    ['values that are no states', { issues: 5 }, 'a stream has a state that is no object'],
  ])('must not be %s', async (_what, content, message) => {
    await expect(readState(content)).rejects.toMatchObject({
      kind: 'config',
      code: 'BAD_STATE',
      message: expect.stringContaining(message),
    });
  });
});

describe('the state that a read begins with', () => {
  const unfinished = { ...bookmark, full_refresh_under_way: true };

  it.each([
    ['incremental', false, bookmark, true],
    ['incremental after an interrupted full refresh', false, unfinished, true],
    ['full refresh', true, bookmark, false],
    ['full refresh that was interrupted', true, unfinished, true],
  ])('%s', (_what, fullRefresh, saved, kept) => {
    const state = startingState({ bookmarks: { issues: saved, other: {} } }, [
      { name: 'issues', fullRefresh },
    ]);
    expect(state).toEqual({ bookmarks: kept ? { issues: saved, other: {} } : { other: {} } });
  });
});
