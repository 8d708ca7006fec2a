import { writeFile } from 'node:fs/promises';
import { gunzipSync, gzipSync } from 'node:zlib';
import { pathToFileURL } from 'node:url';
import { describe, expect, it } from 'vitest';
import { describe as told } from '../../src/shared/errors.ts';
import { Stopped } from '../../src/shared/program.ts';
import { handClock } from '../support/hand-clock.ts';
import { commitsIn, committedRows, dataKeys } from '../support/lake.ts';
import { memoryStore, type MemoryStore } from '../support/memory-store.ts';
import { Scratch } from '../support/programs.ts';
import { recordLine, runTarget, schemaLine, stateLine } from '../support/target-run.ts';

const ids = (store: MemoryStore): unknown[] => committedRows(store.objects).map(({ id }) => id);
const text = (store: MemoryStore, key: string): string => gunzipSync(store.objects.get(key)!).toString();

describe('quarantine', () => {
  const schema = schemaLine('s', { id: { type: 'integer' } }, ['id']);
  const bad = '{"type":"RECORD", "stream":"s","record":{"id":"x","big":12345678901234567890}}\n';

  it('puts lines aside with everything that is wrong, durable before the STATE', async () => {
    const store = memoryStore();
    const input = [schema + recordLine('s', { id: 1 }) + bad + recordLine('s', {}), stateLine(3)];
    const { states, error, log } = await runTarget(store, input, { validate_records: 'quarantine' });
    expect(error).toBeUndefined();
    expect(states).toEqual(['3']);
    expect(ids(store)).toEqual([1]);
    const key = [...store.objects.keys()].find((name) => name.startsWith('_rejected/s/s-'));
    const lines = text(store, key!).split('\n');
    expect(lines[0]).toBe(
      `{"line_number":3,"stream":"s","errors":[{"path":"/id","message":"must be integer, not string"}],"message":${bad.trim()}}`,
    );
    expect(lines[1]).toContain('/id');
    expect(commitsIn(store.objects)[0]!.objects).toContainEqual(
      expect.objectContaining({ key, rows: 2, rejected: true }) as unknown,
    );
    expect(log.join('\n')).toContain('2 rows were rejected');
  });

  it('ends the run when there are too many', async () => {
    const settings = { validate_records: 'quarantine', max_rejected_rows: 1 };
    const { states, error } = await runTarget(
      memoryStore(),
      [schema, bad, stateLine(1), bad, stateLine(2)],
      settings,
    );
    expect(told(error)).toMatch(/TOO_MANY_REJECTED: line 4: stream "s": .*max_rejected_rows/);
    expect(states).toEqual(['1']);
  });

  it('names a few of many problems', async () => {
    const properties = Object.fromEntries(
      Array.from({ length: 5000 }, (_, i) => [`c${i}`, { type: 'null' }]),
    );
    const wrong = Object.fromEntries(Object.keys(properties).map((name) => [name, 1]));
    const input = [schemaLine('s', properties), recordLine('s', wrong)];
    const settings = { validate_records: 'quarantine', max_rejected_rows: 0 };
    const said = told((await runTarget(memoryStore(), input, settings)).error);
    expect(said).toMatch(/line 2: stream "s": .* and 4997 more;/);
    expect(said.length).toBeLessThan(500);
  });

  it('fail names what is wrong, off stores it', async () => {
    expect(told((await runTarget(memoryStore(), [schema, bad])).error)).toContain(
      '/id must be integer, not string',
    );
    const store = memoryStore();
    expect((await runTarget(store, [schema, bad], { validate_records: 'off' })).error).toBeUndefined();
    expect(ids(store)).toEqual(['x']);
  });
});

describe('csv', () => {
  it('has a header, and begins another object when a record brings a column', async () => {
    const store = memoryStore();
    const input = [
      schemaLine('s', { id: {}, t: {} }),
      '{"type":"RECORD","stream":"s","record":{"t":"a,\\"b\\"\\nc","id":12345678901234567890}}\n',
      recordLine('s', { id: null, t: '' }),
      recordLine('s', { id: 1.5, more: { x: [1] } }),
      recordLine('s', { id: 2 }),
      stateLine(4),
    ];
    const { states, error } = await runTarget(store, input, { format: 'csv' });
    expect(error).toBeUndefined();
    expect(states).toEqual(['4']);
    const keys = dataKeys(store.objects);
    expect(keys.map((key) => text(store, key))).toEqual([
      'id,t\n12345678901234567890,"a,""b""\nc"\n,""\n',
      'id,t,more\n1.5,,"{""x"":[1]}"\n2,,\n',
    ]);
    expect(commitsIn(store.objects)[0]!.objects.map(({ rows }) => rows)).toEqual([2, 2]);
  });

  it('forgets the columns of records that bring ever new ones', async () => {
    const store = memoryStore();
    const wide = (record: number, columns: number): string =>
      `{"type":"RECORD","stream":"s","record":{"id":${record},${Array.from({ length: columns }, (_, i) => `"r${record}c${i}":${i}`).join(',')}}}\n`;
    const input = [schemaLine('s', { id: {} }), wide(1, 30_000), wide(2, 30_000), wide(3, 2), stateLine(3)];
    const { states, error } = await runTarget(store, input, { format: 'csv' });
    expect(error).toBeUndefined();
    expect(states).toEqual(['3']);
    const headers = dataKeys(store.objects).map((key) => text(store, key).split('\n')[0]!.split(','));
    expect(headers.map((columns) => columns.length)).toEqual([30_001, 30_001, 3]);
    expect(headers.map((columns) => columns[0])).toEqual(['id', 'id', 'id']);
  }, 20_000);
});

describe('load_method overwrite', () => {
  const settings = { load_method: 'overwrite', batch_size_rows: 2 };
  const load = (...from: number[]): string =>
    schemaLine('s') + from.map((id) => recordLine('s', { id }) + stateLine(id)).join('');

  it('replaces what earlier runs committed of the same streams, and only that', async () => {
    const store = memoryStore();
    const clock = handClock();
    await runTarget(store, [schemaLine('t') + recordLine('t', { id: 't' }) + load(1, 2, 3)], {}, { clock });
    const before = dataKeys(store.objects);
    store.objects.set('s/ingest_date=2026-01-02/mine.txt', Buffer.from('x'));
    for (const [from, to] of [
      [4, 5],
      [6, 7],
    ] as const) {
      clock.advance(1000);
      const { states, error } = await runTarget(store, [load(from, to)], settings, { clock });
      expect(error).toBeUndefined();
      expect(states).toEqual([String(to)]);
      expect(ids(store)).toEqual(['t', from, to]);
      expect(dataKeys(store.objects)).toHaveLength(1 + 1 + 1); // t, s and the file of somebody else
    }
    expect(dataKeys(store.objects)).toContain(before.find((key) => key.startsWith('t/')));
    store.objects.delete('s/ingest_date=2026-01-02/mine.txt');
  });

  it('replaces nothing when the run fails, is stopped, or the tap seems to have died', async () => {
    const store = memoryStore();
    const clock = handClock();
    await runTarget(store, [load(1, 2, 3)], {}, { clock });
    const attempt = async (
      input: readonly (string | (() => void))[],
      stop?: AbortSignal,
    ): Promise<string> => {
      clock.advance(1000);
      const outcome = await runTarget(store, input, settings, {
        clock,
        ...(stop === undefined ? {} : { stop, keepOpen: true }),
      });
      expect(outcome.states).toEqual([]);
      expect(ids(store)).toEqual([1, 2, 3]);
      return outcome.error === undefined ? '' : told(outcome.error);
    };
    expect(await attempt([load(4, 5), 'nonsense\n'])).toContain('line 6');
    expect(await attempt([load(4, 5) + recordLine('s', { id: 6 })])).toContain('INPUT_INCOMPLETE');
    expect(await attempt([schemaLine('s') + recordLine('s', { id: 6 })])).toContain('INPUT_INCOMPLETE');
    expect(await attempt([load(4) + stateLine({ currently_syncing: 's' })])).toContain('currently_syncing');
    expect(await attempt([schemaLine('s')])).toBe('');
    const stop = new AbortController();
    await attempt([load(4, 5, 6, 7), () => stop.abort(new Stopped('SIGTERM'))], stop.signal);
  });

  it('takes ACTIVATE_VERSION for the end of a stream of a tap without STATEs', async () => {
    const store = memoryStore();
    const clock = handClock();
    await runTarget(store, [load(1)], {}, { clock });
    clock.advance(1000);
    const end = '{"type":"ACTIVATE_VERSION","stream":"s","version":1}\n';
    const { error } = await runTarget(store, [schemaLine('s') + recordLine('s', { id: 2 }) + end], settings, {
      clock,
    });
    expect(error).toBeUndefined();
    expect(ids(store)).toEqual([2]);
  });

  it('says so when old objects cannot be removed', async () => {
    const store = memoryStore();
    const clock = handClock();
    await runTarget(store, [load(1)], {}, { clock });
    clock.advance(1000);
    const stuck = { ...store, remove: () => Promise.reject(new Error('not allowed')) };
    const { states, error, log } = await runTarget(stuck, [load(2)], settings, { clock });
    expect({ states, error }).toEqual({ states: ['2'], error: undefined });
    expect(log.join('\n')).toContain('not allowed');
    expect(ids(store)).toEqual([2]);
  });
});

describe('BATCH', () => {
  it('is left where it stands when the run is stopped, and no later STATE is said', async () => {
    await using scratch = await Scratch.open();
    const file = await scratch.write('a.jsonl', '{"id":1}\n'.repeat(100_000));
    const manifest = [pathToFileURL(file).href];
    const batch = `${JSON.stringify({ type: 'BATCH', stream: 's', encoding: { format: 'jsonl' }, manifest })}\n`;
    const stop = new AbortController();
    const pause = async ({ key }: { key: string }): Promise<void> => {
      if (key.startsWith('s/')) stop.abort();
    };
    const store = memoryStore({ pause });
    const input = schemaLine('s') + recordLine('s', { id: 0 }) + stateLine(1) + batch + stateLine(2);
    const { states, error } = await runTarget(
      store,
      [input],
      { batch_size_rows: 1000 },
      { stop: stop.signal },
    );
    expect(error).toBeUndefined();
    expect(states).not.toContain('2');
    const rows = commitsIn(store.objects).flatMap(({ objects }) => objects.map((object) => object.rows));
    expect(rows.reduce((sum, count) => sum + count, 0)).toBeLessThan(50_000);
  });

  it('takes the rows of local files', async () => {
    await using scratch = await Scratch.open();
    const plain = await scratch.write('a.jsonl', '{"id":1}\n\n{"id":12345678901234567890}');
    await writeFile(scratch.at('b.jsonl.gz'), gzipSync('{"id":2}\n{"id":3\n'));
    const batch = (compression: string | undefined, url: string): string =>
      `${JSON.stringify({ type: 'BATCH', stream: 's', encoding: { format: 'jsonl', compression }, manifest: [url] })}\n`;
    const store = memoryStore();
    const good = batch(undefined, pathToFileURL(plain).href);
    expect((await runTarget(store, [schemaLine('s'), good, stateLine(1)])).error).toBeUndefined();
    expect(commitsIn(store.objects)[0]!.objects[0]).toMatchObject({ rows: 2 });
    const fails = async (line: string): Promise<string> =>
      told((await runTarget(memoryStore(), [schemaLine('s'), line])).error);
    expect(await fails(batch('gzip', pathToFileURL(scratch.at('b.jsonl.gz')).href))).toMatch(
      /line 2: .*b\.jsonl\.gz, line 2: it is not JSON/,
    );
    expect(await fails(batch('gzip', 's3://b/k'))).toContain('not on this machine');
    expect(await fails(batch('zip', 'file:///x'))).toContain('batch_config');
    expect(await fails(batch(undefined, pathToFileURL(scratch.at('none')).href))).toContain('ENOENT');
  });
});
