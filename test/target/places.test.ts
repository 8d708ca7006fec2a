import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { describe as messageOf } from '../../src/shared/errors.ts';
import { hiveValue, partitionFolders } from '../../src/target/partition.ts';
import { paths, templateProblem } from '../../src/target/path.ts';
import { commitsIn, dataKeys } from '../support/lake.ts';
import { memoryStore } from '../support/memory-store.ts';
import { recordLine, runTarget, schemaLine, stateLine } from '../support/target-run.ts';

const RUN = '20260102T030405000Z-00000000ff';
const name = {
  stream: 'a/b',
  runId: RUN,
  number: 7,
  begunAt: Date.UTC(2026, 0, 2, 3),
  extension: '.jsonl.gz',
};

describe('path templates', () => {
  it.each([
    [undefined, [], `p/a%2Fb/ingest_date=2026-01-02/a%2Fb-${RUN}-000007.jsonl.gz`],
    [undefined, ['k'], `p/a%2Fb/k=1/ingest_date=2026-01-02/a%2Fb-${RUN}-000007.jsonl.gz`],
    [
      '{stream}/{year}/{month}/{day}/{hour}/{run_id}.{part}',
      [],
      `p/a%2Fb/2026/01/02/03/${RUN}.000007.jsonl.gz`,
    ],
    ['x/{partition}/{run_id}-{number}', ['k', 'l'], `p/x/k=1/l=2/${RUN}-000007.jsonl.gz`],
    ['{record.k}/{record.l}/{run_id}-{number}', [], `p/k=1/l=2/${RUN}-000007.jsonl.gz`],
  ])('%j with %j', (template, partitionBy, key) => {
    const places = paths('p', template, partitionBy);
    expect(places.keyOf(name, ['k=1', 'l=2'].slice(0, places.fields.length))).toBe(key);
    expect(places.makerOf(key)).toEqual({ runId: RUN, number: 7 });
    for (const other of [
      `q/${key}`,
      key.slice(2),
      `${key}.bak`,
      key.replace('000007', '7'),
      key.replace('Z-', '-'),
    ])
      expect(places.makerOf(other)).toBeUndefined();
  });

  it.each([
    ['{stream}/{number}', [], '{run_id}'],
    ['{stream}/{run_id}', [], '{number}'],
    ['{nonsense}/{run_id}-{number}', [], '{nonsense}'],
    ['{stream}/{run_id}-{number}', ['k'], '{partition}'],
    ['{partition}/{run_id}-{number}', [], 'partition_by'],
    ['../{run_id}-{number}', [], 'dot'],
    ['/{run_id}-{number}', [], 'empty'],
    ['_commits/{run_id}/{number}', [], '_'],
    ['a b/{run_id}-{number}', [], 'letters'],
  ])('refuses %j with %j', (template, partitionBy, words) => {
    expect(templateProblem(template, partitionBy)).toContain(words);
  });
});

describe('partitions', () => {
  it.each([
    ['{"k":"ABC"}', 'k=ABC'],
    ['{"k":"a/b=c%"}', 'k=a%2Fb%3Dc%25'],
    ['{"k":".."}', 'k=..'],
    ['{"k":"é😀"}', 'k=é😀'],
    ['{"k":12345678901234567890}', 'k=12345678901234567890'],
    ['{"k":true}', 'k=true'],
    ['{"k":null}', 'k=__HIVE_DEFAULT_PARTITION__'],
    ['{"k":""}', 'k=__HIVE_DEFAULT_PARTITION__'],
    ['{}', 'k=__HIVE_DEFAULT_PARTITION__'],
  ])('%s goes to %s', (record, folder) => {
    expect(partitionFolders(Buffer.from(record), ['k'])).toEqual([folder]);
  });

  it('finds members of members', () => {
    const record = Buffer.from('{"a":{"b":{"c":"x"}},"a.b":"y"}');
    expect(partitionFolders(record, ['a.b.c', 'a.b', 'a.z.c'])).toEqual([
      'a.b.c=x',
      'a.b=y',
      'a.z.c=__HIVE_DEFAULT_PARTITION__',
    ]);
    expect(() => partitionFolders(record, ['a'])).toThrow('plain value');
  });

  it('no value leaves its folder', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const value = hiveValue(text);
        expect(value).not.toMatch(/[/\\\p{Cc}]/u);
        expect(value).not.toBe('');
        expect(Buffer.byteLength(value)).toBeLessThan(200);
      }),
    );
  });

  it('may not make a key that is too long: what came before is durable', async () => {
    const store = memoryStore();
    const long = 'x'.repeat(150);
    const fields = ['a', 'b', 'c', 'd', 'e', 'f', 'g'];
    const record = (value: string): string =>
      recordLine('s', Object.fromEntries(fields.map((field) => [field, value])));
    const input = [schemaLine('s'), record('x'), stateLine(1), record(long), stateLine(2)];
    const { states, error } = await runTarget(store, input, { partition_by: fields });
    expect(messageOf(error)).toMatch(/^KEY_TOO_LONG: line 4: stream "s": .*1024.*partition_by/);
    expect(states).toEqual(['1']);
    const one = 'y'.repeat(120);
    const named = [schemaLine('s'), recordLine('s', { [one]: long }), stateLine(1)];
    const other = await runTarget(memoryStore(), named, { partition_by: [one] });
    expect(messageOf(other.error)).toMatch(/^KEY_TOO_LONG: line 2: stream "s": .*250/);
  });

  it('are objects of their own, and commits hold all of them', async () => {
    const store = memoryStore();
    let input = schemaLine('s');
    for (let id = 0; id < 20; id++) input += recordLine('s', { id, k: `p${id % 4}` });
    const { states, error } = await runTarget(store, [input + stateLine(20)], {
      partition_by: ['k'],
      max_open_objects: 3,
    });
    expect(error).toBeUndefined();
    expect(states).toEqual(['20']);
    expect(new Set(dataKeys(store.objects).map((key) => key.split('/')[1]))).toEqual(
      new Set(['k=p0', 'k=p1', 'k=p2', 'k=p3']),
    );
    const rows = commitsIn(store.objects).flatMap(({ objects }) => objects.map((object) => object.rows));
    expect(rows.reduce((sum, count) => sum + count, 0)).toBe(20);
  });
});
