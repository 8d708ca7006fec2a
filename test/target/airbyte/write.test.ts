import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Stopped } from '../../../src/shared/program.ts';
import type { JsonObject } from '../../../src/shared/json/value.ts';
import { vacuum } from '../../../src/target/vacuum.ts';
import { paths } from '../../../src/target/path.ts';
import { errorsOf } from '../../support/airbyte.ts';
import {
  catalogOf,
  configured,
  recordMessage,
  runDestination,
  statusMessage,
  streamState,
} from '../../support/destination-run.ts';
import { handClock } from '../../support/hand-clock.ts';
import { commitsIn, committedRows, dataKeys, rowsOf } from '../../support/lake.ts';
import { memoryStore, type Fate, type MemoryStore } from '../../support/memory-store.ts';
import { recordLine, runTarget, schemaLine, stateLine, type Event } from '../../support/target-run.ts';

const ids = (store: MemoryStore): unknown[] => committedRows(store.objects).map(({ id }) => id);
const records = (...from: readonly number[]): string => from.map((id) => recordMessage('s', { id })).join('');
const complete = statusMessage('s');

describe('an append', () => {
  const catalog = catalogOf(
    configured('s'),
    configured('s', { namespace: 'n', sync_id: 7, generation_id: 2 }),
  );

  it('says every state back when its records are durable, equal ones too', async () => {
    const store = memoryStore();
    const sent = [1, 1, 2].map((at) => streamState('s', { at }, { sourceStats: { recordCount: 1 } }));
    const both = complete + statusMessage('s', 'COMPLETE', { namespace: 'n' });
    const input = [records(1) + sent[0]! + records(2), sent[1]! + records(3) + sent[2]! + both];
    const { code, states } = await runDestination(store, catalog, input);
    expect(code).toBe(0);
    expect(states.map((line) => line.replace(',"destinationStats":{"recordCount":1.0}', ''))).toEqual(
      sent.map((line) => line.trim()),
    );
    expect(ids(store)).toEqual([1, 2, 3]);
  });

  it('adds the columns of Airbyte, or not', async () => {
    const store = memoryStore();
    const changes = [{ field: 'a', change: 'NULLED', reason: 'SOURCE_RETRIEVAL_ERROR' }];
    const line = recordMessage('s', { _airbyte_meta: 1, a: 1 }, { namespace: 'n', meta: { changes } });
    await runDestination(store, catalog, [recordMessage('s', {}) + line.replace('"a":1', '"a":1.0e3')]);
    const [first, second] = dataKeys(store.objects).toSorted().toReversed();
    expect(rowsOf(store.objects, first!)).toEqual([
      {
        _airbyte_raw_id: expect.stringMatching(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/) as string,
        _airbyte_extracted_at: 1_714_608_000_123,
        _airbyte_generation_id: 0,
        _airbyte_meta: { changes: [] },
      },
    ]);
    expect(second).toMatch(/^n\.s\/ingest_date=/);
    expect(rowsOf(store.objects, second!)).toMatchObject([
      { a: 1000, _airbyte_generation_id: 2, _airbyte_meta: { sync_id: 7, changes } },
    ]);
    const plain = memoryStore();
    await runDestination(plain, catalog, [records(1)], { add_record_metadata: false });
    expect(committedRows(plain.objects)).toEqual([{ id: 1 }]);
  });

  it('takes what does not fit the schema, unless it is told to look', async () => {
    const strict = catalogOf(configured('s', { json_schema: { properties: { id: { type: 'integer' } } } }));
    const input =
      recordMessage('s', { id: 'x' }) + recordMessage('s', { id: 1 }) + streamState('s', {}) + complete;
    const store = memoryStore();
    expect(await runDestination(store, strict, [input])).toMatchObject({ code: 0 });
    expect(ids(store)).toEqual(['x', 1]);
    const aside = await runDestination(memoryStore(), strict, [input], { validate_records: 'quarantine' });
    expect(aside.states[0]).toContain('"destinationStats":{"recordCount":1.0,"rejectedRecordCount":1.0}');
    const refused = await runDestination(memoryStore(), strict, [input], { validate_records: 'fail' });
    expect(errorsOf(refused.messages)[0]).toMatchObject({ failure_type: 'config_error' });
    expect(errorsOf(refused.messages)[0]!.message).toContain('line 1: stream "s"');
  });

  it('keeps no more states in memory than it may', async () => {
    const store = memoryStore();
    const large = streamState('s', { text: 'x'.repeat(3_000_000) });
    const input = [records(1) + large, large, large, () => expect(commitsIn(store.objects)).toHaveLength(1)];
    const { states } = await runDestination(store, catalog, [...input, records(2) + complete]);
    expect(states).toHaveLength(3);
  });
});

describe('an input that is not complete', () => {
  it.each([
    ['it ends early', [records(1) + streamState('s', { at: 1 }) + records(2)]],
    ['the source says so', [records(1) + streamState('s', { at: 1 }) + statusMessage('s', 'INCOMPLETE')]],
  ])('is an error, and what is safe is said: %s', async (_, input) => {
    const store = memoryStore();
    const { code, states, messages } = await runDestination(store, catalogOf(configured('s')), input);
    expect(code).toBe(1);
    expect(states).toHaveLength(1);
    expect(ids(store)).toContain(1);
    expect(errorsOf(messages)).toMatchObject([{ failure_type: 'transient_error' }]);
    expect(errorsOf(messages)[0]!.message).toContain('COMPLETE status came for: "s"');
  });

  it('is not hidden by a stop', async () => {
    const stop = new AbortController();
    const store = memoryStore();
    const input = [records(1) + streamState('s', {}), () => stop.abort(new Stopped('SIGTERM'))];
    const options = { stop: stop.signal, keepOpen: true };
    const outcome = await runDestination(store, catalogOf(configured('s')), input, {}, options);
    expect(outcome).toMatchObject({ code: 1, states: { length: 1 } });
    expect(errorsOf(outcome.messages)[0]!.message).toContain('this run was stopped');
  });

  it('names a record of another stream', async () => {
    const outcome = await runDestination(memoryStore(), catalogOf(configured('s')), [recordMessage('t', {})]);
    expect(outcome.code).toBe(1);
    expect(errorsOf(outcome.messages)[0]!.message).toMatch(/^line 1: the stream "t" is not in/);
  });
});

describe('an overwrite', () => {
  const anew = catalogOf(configured('s', { destination_sync_mode: 'overwrite' }), configured('t'));
  const generation = (id: number, mode = 'overwrite'): object =>
    catalogOf(
      configured('s', {
        destination_sync_mode: mode,
        generation_id: id,
        minimum_generation_id: id,
        sync_id: 9,
      }),
    );
  const done = complete + statusMessage('t');

  /** Runs one after the other on one store, a second apart. */
  const series = (store: MemoryStore) => {
    const clock = handClock();
    return async (catalog: object, ...input: readonly Event[]): Promise<unknown[]> => {
      clock.advance(1000);
      await runDestination(store, catalog, input, { batch_size_rows: 1 }, { clock });
      return ids(store);
    };
  };

  it('replaces what was there when its stream is complete, and only that', async () => {
    const store = memoryStore();
    const run = series(store);
    expect(
      await run(
        catalogOf(configured('s'), configured('t')),
        records(1) + recordMessage('t', { id: 't' }) + done,
      ),
    ).toEqual([1, 't']);
    store.objects.set('s/ingest_date=2026-01-02/mine.txt', Buffer.from('x'));
    expect(
      await run(anew, records(2) + streamState('s', {}) + records(3) + streamState('s', {}) + done),
    ).toEqual(['t', 2, 3]);
    expect(await run(anew, records(4) + streamState('s', {}) + done)).toEqual(['t', 4]);
    expect(dataKeys(store.objects)).toHaveLength(2 + 1);
    expect(await run(anew, done)).toEqual(['t']);
    expect(await run(catalogOf(configured('s'), configured('t')), records(5) + done)).toEqual(['t', 5]);
  });

  it('replaces nothing when its stream is not complete, whatever the others are', async () => {
    const store = memoryStore();
    const run = series(store);
    await run(anew, records(1) + done);
    const half = records(2) + streamState('s', {}) + recordMessage('t', { id: 't' });
    expect(await run(anew, half + statusMessage('t'))).toEqual([1, 't']);
    expect(await run(anew, `${half + done}nonsense\n`)).toEqual([1, 't', 't']);
    expect(await run(anew, records(3) + done)).toEqual(['t', 't', 3]);
    expect(dataKeys(store.objects)).toHaveLength(3);
  });

  it.each(['overwrite', 'append'])('goes on in a later sync of the same generation (%s)', async (mode) => {
    const store = memoryStore();
    const run = series(store);
    expect(await run(generation(4, mode), records(1) + complete)).toEqual([1]);
    expect(await run(generation(5, mode), records(2) + streamState('s', { at: 2 }))).toEqual([1]);
    expect(await run(generation(5, mode), records(3) + streamState('s', { at: 3 }) + complete)).toEqual([
      2, 3,
    ]);
    const kept = catalogOf(configured('s', { generation_id: 5, minimum_generation_id: 0 }));
    expect(await run(kept, records(4) + complete)).toEqual([2, 3, 4]);
    expect(dataKeys(store.objects)).toHaveLength(3);
    const swept = { store, prefix: '', paths: paths('', undefined, []), olderThanMs: 0, dryRun: false };
    await vacuum({ ...swept, clock: handClock(), removing: () => Promise.resolve() });
    expect(ids(store)).toEqual([2, 3, 4]);
    expect(await run(generation(6, mode), records(5) + complete)).toEqual([5]);
    expect(dataKeys(store.objects)).toHaveLength(1);
  });

  it('leaves to vacuum what it could not remove', async () => {
    const store = memoryStore();
    const run = series(store);
    await run(generation(4), records(1) + complete);
    await run(generation(5), records(2));
    const stuck = { ...store, remove: () => Promise.reject(new Error('not allowed')) };
    const clock = handClock(Date.UTC(2026, 5, 1));
    const { code, messages } = await runDestination(
      stuck,
      generation(5),
      [records(3) + complete],
      {},
      { clock },
    );
    expect(code).toBe(0);
    expect(JSON.stringify(messages)).toContain('not allowed');
    expect(dataKeys(store.objects)).toHaveLength(3);
    const swept = { store, prefix: '', paths: paths('', undefined, []), olderThanMs: 0, dryRun: false };
    store.objects.delete([...store.objects.keys()].find((key) => key.startsWith('_runs/'))!);
    await vacuum({ ...swept, clock, removing: () => Promise.resolve() });
    expect(dataKeys(store.objects)).toHaveLength(2);
    expect(ids(store)).toEqual([2, 3]);
  });

  it('loses nothing and shows nothing early, whatever fails on the way', async () => {
    const fate = fc.constantFrom<Fate>('fails', 'answer lost');
    const attempts = fc.array(fc.record({ operation: fc.integer({ min: 2, max: 14 }), fate }), {
      maxLength: 3,
    });
    await fc.assert(
      fc.asyncProperty(attempts, fc.integer({ min: 1, max: 4 }), async (attempts, rows) => {
        const objects = memoryStore().objects;
        const clock = handClock();
        let next = 0;
        const attempt = async (how?: (typeof attempts)[number]): Promise<number> => {
          clock.advance(1000);
          const store = memoryStore({
            objects,
            fate: (_, n) => (n === how?.operation ? how.fate : 'works'),
          });
          const left = Array.from({ length: 8 - next }, (_, i) => next + i);
          const input = left.map((id) => records(id) + streamState('s', { next: id + 1 }));
          const settings = { batch_size_rows: rows };
          const end = await runDestination(store, generation(5), [...input, complete], settings, { clock });
          const last = end.states.at(-1);
          if (last !== undefined) next = Number(/"next":(\d+)/.exec(last)![1]);
          return end.code;
        };
        await runDestination(
          memoryStore({ objects }),
          generation(4),
          [records(-1) + complete],
          {},
          { clock },
        );
        for (const how of attempts) {
          const code = await attempt(how);
          const shown = committedRows(objects);
          // The last commit may be there although its answer was lost.
          if (code === 1 && next < 8) expect(shown.map(({ id }) => id)).toEqual([-1]);
        }
        expect(await attempt()).toBe(0);
        const shown = committedRows(objects).map(({ id }) => Number(id));
        expect([...new Set(shown)].toSorted((a, b) => a - b)).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
        if (attempts.every((how) => how.fate === 'fails')) expect(shown).toHaveLength(8);
      }),
      { numRuns: 100 },
    );
  });

  it('by a host that does not count replaces each time', async () => {
    const run = series(memoryStore());
    const ones = { generation_id: 1, minimum_generation_id: 1, sync_id: 1 };
    const overwrite = catalogOf(configured('s', { destination_sync_mode: 'overwrite', ...ones }));
    expect(await run(overwrite, records(1) + complete)).toEqual([1]);
    expect(await run(overwrite, records(2) + complete)).toEqual([2]);
    expect(await run(catalogOf(configured('s', ones)), records(3) + complete)).toEqual([2, 3]);
  });
});

describe('the same input', () => {
  const act = fc.oneof(
    {
      weight: 4,
      arbitrary: fc.record({
        stream: fc.constantFrom('s', 't'),
        data: fc.dictionary(fc.string(), fc.jsonValue(), { noNullPrototype: true }),
      }),
    },
    { weight: 1, arbitrary: fc.record({ state: fc.nat() }) },
    { weight: 1, arbitrary: fc.record({ pass: fc.constantFrom(500, 2000) }) },
  );
  const settings = fc.record({
    format: fc.constantFrom('jsonl', 'csv'),
    batch_size_rows: fc.constantFrom(1, 3, 1000),
    batch_wait_seconds: fc.constantFrom(1, 60),
  });

  it('makes the same objects through Singer and through Airbyte', async () => {
    let objects = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(act, { maxLength: 20 }), settings, async (acts, settings) => {
        const one = { ...settings, validate_records: 'off', add_record_metadata: false };
        const schema = { type: 'object', properties: { id: {} } };
        const singer = memoryStore();
        await runTarget(
          singer,
          [
            ['s', 't']
              .map((stream) =>
                schemaLine(stream, { id: {} }).replace('"schema":{', '"schema":{"type":"object",'),
              )
              .join(''),
            ...acts.map((act) => {
              if ('pass' in act) return act;
              return 'state' in act
                ? stateLine({ n: act.state })
                : recordLine(act.stream, act.data as JsonObject);
            }),
          ],
          one,
        );
        const airbyte = memoryStore();
        const catalog = catalogOf(
          configured('s', { json_schema: schema }),
          configured('t', { json_schema: schema }),
        );
        const { code, states } = await runDestination(
          airbyte,
          catalog,
          [
            '\n',
            ...acts.map((act) => {
              if ('pass' in act) return act;
              return 'state' in act
                ? streamState('s', { n: act.state })
                : recordMessage(act.stream, act.data as JsonObject);
            }),
            complete + statusMessage('t'),
          ],
          one,
        );
        expect(code).toBe(0);
        expect(states).toHaveLength(acts.filter((act) => 'state' in act).length);
        const named = (store: MemoryStore): unknown =>
          commitsIn(store.objects)
            .flatMap(({ objects }) => objects)
            .map((object) => ({ ...object, generation: undefined }));
        expect(named(airbyte)).toEqual(named(singer));
        expect(dataKeys(airbyte.objects)).toEqual(dataKeys(singer.objects));
        for (const key of dataKeys(singer.objects))
          expect(Buffer.compare(airbyte.objects.get(key)!, singer.objects.get(key)!)).toBe(0);
        objects += dataKeys(singer.objects).length;
      }),
      { numRuns: 60 },
    );
    expect(objects).toBeGreaterThan(100);
  });
});
