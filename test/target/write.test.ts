import { describe, expect, it } from 'vitest';
import { describe as messageOf } from '../../src/shared/errors.ts';
import { Stopped } from '../../src/shared/program.ts';
import { commitsIn, committedRows, dataKeys, rowsOf } from '../support/lake.ts';
import { memoryStore } from '../support/memory-store.ts';
import { recordLine, runTarget, schemaLine, stateLine, type Event } from '../support/target-run.ts';

const rows = (stream: string, ...ids: number[]): string =>
  ids.map((id) => recordLine(stream, { id })).join('');
const ids = (found: { readonly [key: string]: unknown }[]): unknown[] => found.map(({ id }) => id);

describe('the target', () => {
  it('writes rows, then the commit record, then the STATE', async () => {
    const store = memoryStore();
    const events = [schemaLine('s'), rows('s', 1, 2), stateLine({ n: 2 })];
    const { states, error } = await runTarget(store, events);
    expect(error).toBeUndefined();
    expect(states).toEqual(['{"n":2}']);
    expect(store.operations.map(({ key }) => key.replace(/[0-9TZ]{19}-\w{10}/, 'RUN'))).toEqual([
      '_runs/RUN.json',
      's/ingest_date=2026-01-02/s-RUN-000001.jsonl.gz',
      '_commits/RUN/000001.json',
    ]);
    const [commit] = commitsIn(store.objects);
    expect(commit).toMatchObject({ number: 1, state: { n: 2 }, objects: [{ stream: 's', rows: 2 }] });
    expect(ids(committedRows(store.objects))).toEqual([1, 2]);
  });

  it('keeps the bytes of records and of the STATE', async () => {
    const store = memoryStore();
    const record = '{ "id" : 12345678901234567890123, "d":1.10, "t":"\\u00e9\\/", "toString":null}';
    const state = '{"big":9223372036854775807, "s":"\\u0041"}';
    await runTarget(
      store,
      [
        schemaLine('s'),
        `{"type":"RECORD","stream":"s","record":${record}}\n{"type":"STATE","value":${state}}\n`,
      ],
      { compression: 'none' },
    );
    const [key] = dataKeys(store.objects);
    expect(Buffer.from(store.objects.get(key!)!).toString()).toBe(`${record}\n`);
    const commit = [...store.objects.keys()].find((name) => name.startsWith('_commits/'));
    expect(Buffer.from(store.objects.get(commit!)!).toString()).toContain(`"state":${state}}`);
  });

  it('ends objects at the row limit and commits at the next STATE', async () => {
    const store = memoryStore();
    const events = [
      schemaLine('s'),
      rows('s', 1, 2),
      stateLine(2),
      rows('s', 3, 4, 5),
      stateLine(5),
      rows('s', 6),
      stateLine(6),
    ];
    const { states } = await runTarget(store, events, { batch_size_rows: 3 });
    expect(states).toEqual(['5', '6']);
    expect(commitsIn(store.objects).map((commit) => commit.objects.map((object) => object.rows))).toEqual([
      [3, 2],
      [1],
    ]);
  });

  it('commits up to the last STATE when the wait is over, also while no input comes', async () => {
    const store = memoryStore();
    let during: unknown[] = [];
    const states: string[] = [];
    const events: Event[] = [
      schemaLine('s') + schemaLine('t') + rows('s', 1) + stateLine(1) + rows('s', 2) + rows('t', 3),
      { pass: 60_000 },
      { pass: 1000 },
      () => {
        during = [states.length, ...ids(committedRows(store.objects))];
      },
      stateLine(3),
    ];
    await runTarget(store, events, {}, { print: (state) => void states.push(state) });
    expect(during).toEqual([1, 1]);
    expect(states).toEqual(['1', '3']);
    expect(new Set(ids(committedRows(store.objects)))).toEqual(new Set([1, 2, 3]));
  });

  it('makes rows durable after two waits when no STATE comes', async () => {
    const store = memoryStore();
    let during = 0;
    const events: Event[] = [
      schemaLine('s') + rows('s', 1),
      { pass: 121_000 },
      { pass: 1000 },
      () => {
        during = dataKeys(store.objects).length;
      },
    ];
    await runTarget(store, events);
    expect(during).toBe(1);
    expect(ids(committedRows(store.objects))).toEqual([1]);
  });

  it('keeps rows after the last STATE in a commit of their own', async () => {
    const store = memoryStore();
    const { states } = await runTarget(store, [
      schemaLine('s') + rows('s', 1) + stateLine(1) + rows('s', 2, 3),
    ]);
    expect(states).toEqual(['1']);
    const commits = commitsIn(store.objects);
    expect(commits.map(({ state }) => state)).toEqual([1, undefined]);
    expect(commits.map((commit) => commit.objects.map((object) => object.rows))).toEqual([[1], [2]]);
    expect(commits[1]!.rows_after_state).toBe(2);
  });

  it('prints a STATE that comes without rows', async () => {
    const { states } = await runTarget(memoryStore(), [stateLine(1) + stateLine(2)]);
    expect(states).toEqual(['2']);
  });

  it('ends an object when the schema changes, not when it is repeated', async () => {
    const store = memoryStore();
    const first = schemaLine('s', { a: { type: 'string' }, b: {} });
    const same = schemaLine('s', { b: {}, a: { type: 'string' } });
    const other = schemaLine('s', { a: { type: 'number' }, b: {} });
    await runTarget(store, [first + rows('s', 1) + same + rows('s', 2) + other + rows('s', 3)]);
    expect(dataKeys(store.objects).map((key) => ids(rowsOf(store.objects, key)))).toEqual([[1, 2], [3]]);
  });

  it('warns once about each type it does not know', async () => {
    const unknown = '{"type":"HELLO"}\n';
    const { log, error } = await runTarget(memoryStore(), [unknown + unknown]);
    expect(error).toBeUndefined();
    expect(log.filter((line) => line.startsWith('WARNING'))).toEqual([
      'WARNING messages of type HELLO are skipped',
    ]);
  });

  it.each([
    ['not json', 'nonsense\n', 'BAD_MESSAGE: line 4: '],
    ['half a line', '{"type":"RECORD","stream":"s","rec', 'BAD_MESSAGE: line 4: stream "s": not'],
    ['no type', '{"stream":"s"}\n', 'BAD_MESSAGE: line 4: stream "s": not'],
    ['an array', '[]\n', 'BAD_MESSAGE: line 4: '],
    ['NUL', '\0\n', 'BAD_MESSAGE: line 4: '],
    ['NUL in a text', '{"type":"RECORD","stream":"s","record":{"id":"\0"}}\n', 'BAD_MESSAGE: line 4: '],
    [
      'broken UTF-8',
      Buffer.from(recordLine('s', { id: '\u00ff' }), 'latin1'),
      'BAD_MESSAGE: line 4: stream "s": not',
    ],
    ['a record before its schema', rows('t', 1), 'RECORD_BEFORE_SCHEMA: line 4: stream "t": '],
    [
      'a record without its key',
      recordLine('s', { x: 1 }),
      'MISSING_KEY: line 4: stream "s": a RECORD has no "id"',
    ],
    [
      'a schema of nothing',
      '{"type":"SCHEMA","stream":"u","schema":{"type":"object"}}\n',
      'BAD_SCHEMA: line 4: stream "u"',
    ],
    [
      'a schema that is too deep',
      `{"type":"SCHEMA","stream":"u","schema":{"properties":{"x":${'['.repeat(20_000)}${']'.repeat(20_000)}}}}\n`,
      'BAD_SCHEMA: line 4: stream "u": its SCHEMA is nested too deeply',
    ],
    [
      'a BATCH without files',
      '{"type":"BATCH","stream":"s","encoding":{"format":"jsonl"}}\n',
      'BAD_MESSAGE: line 4: stream "s": not a Singer message: BATCH has no "manifest"',
    ],
    [
      'a BATCH of another machine',
      '{"type":"BATCH","stream":"s","encoding":{"format":"jsonl"},"manifest":["file://host/x"]}\n',
      'BAD_BATCH: line 4: stream "s": the BATCH file file://host/x is not on this machine',
    ],
    [
      'a file that is not there',
      '{"type":"BATCH","stream":"s","encoding":{"format":"jsonl"},"manifest":["file:///none/x"]}\n',
      'BAD_BATCH: line 4: stream "s": file:///none/x, line 0: ENOENT',
    ],
    [
      'a line that is too long',
      recordLine('s', { id: 'x'.repeat(2000) }),
      'LINE_TOO_LONG: line 4: stream "s": longer',
    ],
  ])('says where %s is, and commits what came before', async (what, bad, message) => {
    const store = memoryStore();
    const before = schemaLine('s', {}, ['id']) + rows('s', 1) + stateLine(1);
    const events = [before, bad, rows('s', 2)];
    const most = /too deep/.test(what) ? 100_000 : 1024;
    const { states, error, log } = await runTarget(store, events, { max_line_bytes: most });
    expect(messageOf(error)).toContain(message);
    expect(log.at(-1)).toContain('1 rows committed in 1 commits');
    expect(messageOf(error)).not.toContain('\n');
    expect(states).toEqual(['1']);
    expect(ids(committedRows(store.objects))).toEqual([1]);
  });

  it('takes lone surrogates and 100,000 columns', async () => {
    const store = memoryStore();
    const wide = Object.fromEntries(Array.from({ length: 100_000 }, (_, i) => [`column${i}`, i]));
    const lone = '{"type":"RECORD","stream":"s","record":{"id":"\\ud800"}}\n';
    const { error } = await runTarget(store, [schemaLine('s') + lone + recordLine('s', wide)]);
    expect(error).toBeUndefined();
    expect(committedRows(store.objects)).toHaveLength(2);
  });

  it('takes 10,000 streams', async () => {
    const store = memoryStore();
    const names = Array.from({ length: 10_000 }, (_, i) => `s${i}`);
    const events = names.map((name) => schemaLine(name) + rows(name, 1));
    const { states, error } = await runTarget(store, [...events, stateLine(1)]);
    expect({ states, error }).toEqual({ states: ['1'], error: undefined });
    const [commit, ...more] = commitsIn(store.objects);
    expect(more).toEqual([]);
    expect(commit!.objects.map(({ stream }) => stream).toSorted()).toEqual(names.toSorted());
  });

  it('logs the metrics of Singer', async () => {
    const { log } = await runTarget(memoryStore(), [schemaLine('s') + rows('s', 1, 2) + stateLine(2)]);
    const metrics = log
      .filter((line) => line.startsWith('INFO METRIC: '))
      .map((line) => JSON.parse(line.slice(13)));
    expect(metrics).toEqual([
      { type: 'counter', metric: 'record_count', value: 2, tags: { stream: 's' } },
      { type: 'timer', metric: 'batch_processing_time', value: expect.any(Number), tags: { stream: 's' } },
    ]);
  });

  it('asked to stop, commits up to the last STATE and leaves the rest to the next run', async () => {
    const store = memoryStore();
    const stop = new AbortController();
    const events: Event[] = [
      schemaLine('s') + rows('s', 1) + stateLine(1) + rows('s', 2),
      () => stop.abort(new Stopped('SIGTERM')),
    ];
    const { states, error, log } = await runTarget(store, events, {}, { stop: stop.signal, keepOpen: true });
    expect(error).toBeUndefined();
    expect(states).toEqual(['1']);
    expect(ids(committedRows(store.objects))).toEqual([1]);
    expect(log.join('\n')).toContain('1 rows after the last STATE are left out');
  });

  it('asked to stop before any STATE came, commits all rows', async () => {
    const store = memoryStore();
    const stop = new AbortController();
    const events: Event[] = [schemaLine('s') + rows('s', 1, 2), () => stop.abort(new Stopped('SIGTERM'))];
    await runTarget(store, events, {}, { stop: stop.signal, keepOpen: true });
    expect(ids(committedRows(store.objects))).toEqual([1, 2]);
  });

  it('fails before reading when the store cannot be written', async () => {
    let read = false;
    const store = memoryStore({ fate: () => 'fails' });
    const { error } = await runTarget(store, [() => (read = true)]);
    expect(error).toBeInstanceOf(Error);
    expect(read).toBe(false);
  });

  it('ends soon after an object has failed, while no input comes', async () => {
    const store = memoryStore({ fate: ({ key }) => (key.startsWith('s/') ? 'fails' : 'works') });
    const events: Event[] = [schemaLine('s') + rows('s', 1, 2, 3) + stateLine(3), rows('s', 4)];
    const { error, states } = await runTarget(store, events, { batch_size_rows: 2 }, { keepOpen: true });
    expect(String(error)).toContain('fails');
    expect(states).toEqual([]);
    expect(commitsIn(store.objects)).toEqual([]);
  });

  it('keeps the memory limit over many streams, closing the largest objects', async () => {
    const store = memoryStore();
    const padding = 'x'.repeat(5000);
    const events: Event[] = [];
    for (let stream = 0; stream < 100; stream++) events.push(schemaLine(`s${stream}`));
    for (let row = 0; row < 100; row++)
      for (let stream = 0; stream < 100; stream++)
        events.push(recordLine(`s${stream}`, { id: row, padding }));
    const { log, error } = await runTarget(store, [...events, stateLine(1)], {
      max_memory_bytes: 16 * 1024 * 1024,
    });
    expect(error).toBeUndefined();
    expect(committedRows(store.objects)).toHaveLength(10_000);
    expect(log.some((line) => line.includes('closed for: memory'))).toBe(true);
  });

  it('adds metadata when asked to', async () => {
    const store = memoryStore();
    const record =
      '{"type":"RECORD","stream":"s","record":{"id":1},"time_extracted":"2026-01-01T00:00:00Z","version":7}\n';
    await runTarget(store, [schemaLine('s') + record], { add_record_metadata: true });
    expect(committedRows(store.objects)).toEqual([
      {
        id: 1,
        _sdc_extracted_at: '2026-01-01T00:00:00Z',
        _sdc_received_at: '2026-01-02T03:04:05.000Z',
        _sdc_batched_at: '2026-01-02T03:04:05.000Z',
        _sdc_deleted_at: null,
        _sdc_sequence: Date.UTC(2026, 0, 2, 3, 4, 5),
        _sdc_table_version: 7,
      },
    ]);
  });
});
