import { describe, expect, it } from 'vitest';
import { describe as told } from '../../../src/shared/errors.ts';
import type { JsonObject } from '../../../src/shared/json/value.ts';
import { readLoads, type Load } from '../../../src/target/airbyte/catalog.ts';
import { catalogOf, configured } from '../../support/destination-run.ts';
import { Scratch } from '../../support/programs.ts';

async function loadsOf(catalog: unknown): Promise<readonly Load[]> {
  await using scratch = await Scratch.open();
  return await readLoads(await scratch.write('catalog.json', catalog));
}
const one = async (more: JsonObject): Promise<Load> => (await loadsOf(catalogOf(configured('s', more))))[0]!;
const failure = (catalog: unknown): Promise<string> => loadsOf(catalog).then(() => 'nothing', told);

describe('a configured catalog', () => {
  it('names streams by namespace and name; null and empty ones are none', async () => {
    const loads = await loadsOf(
      catalogOf(configured('a'), configured('b', { namespace: null }), configured('a', { namespace: 'n' })),
    );
    expect(loads.map(({ id }) => id)).toEqual(['a', 'b', 'n.a']);
    expect(await failure(catalogOf(configured('n.a'), configured('a', { namespace: 'n' })))).toContain(
      'two streams would both be called "n.a"',
    );
  });

  it.each([
    [{ json_schema: {} }, { properties: {} }],
    [{ json_schema: true }, { properties: {} }],
    [{ json_schema: { type: 'object' } }, { type: 'object', properties: {} }],
    [{ json_schema: { properties: { a: {} } } }, { properties: { a: {} } }],
  ])('has a schema, whatever it says: %j', async (more, schema) => {
    expect((await one(more)).schema.schema).toEqual(schema);
  });

  it('has keys that are members', async () => {
    const { schema } = await one({ primary_key: [['id'], ['a', 'b'], ['c']] });
    expect(schema.keyProperties).toEqual(['id', 'c']);
  });

  const ids = (id: number | null, minimum: number | null, sync = 7): JsonObject => ({
    generation_id: id,
    minimum_generation_id: minimum,
    sync_id: sync,
  });
  it.each([
    ['append without ids', {}, [false, false]],
    ['append', ids(3, 0), [false, false]],
    ['append that has to begin anew', ids(3, 3), [true, true]],
    ['overwrite without ids', { destination_sync_mode: 'overwrite', ...ids(null, null) }, [true, false]],
    ['overwrite', { destination_sync_mode: 'overwrite', ...ids(3, 3) }, [true, true]],
    ['overwrite that keeps no count', { destination_sync_mode: 'overwrite', ...ids(0, 0) }, [true, false]],
    ['overwrite by PyAirbyte', { destination_sync_mode: 'overwrite', ...ids(1, 1, 1) }, [true, false]],
    ['append by PyAirbyte', ids(1, 1, 1), [false, false]],
  ])('%s', async (_, more, [truncates, resumes]) => {
    expect(await one(more)).toMatchObject({ truncates, resumes });
  });

  it('may ask for append_dedup, which is remarked upon', async () => {
    expect(await one({ destination_sync_mode: 'append_dedup' })).toMatchObject({
      truncates: false,
      remark: expect.stringContaining('done as append') as string,
    });
  });

  it.each([
    ['[]', 'must hold one JSON object'],
    [{}, 'streams: '],
    [catalogOf({ stream: {} }), 'streams.0.stream.name'],
    [
      catalogOf(configured('s', { destination_sync_mode: 'update' })),
      '"s" has the destination_sync_mode update',
    ],
    [catalogOf(configured('s', ids(5, 3))), '"s" has the minimum_generation_id 3 with the generation_id 5'],
    [catalogOf(configured('s', ids(-1, 0))), 'streams.0.generation_id'],
  ])('%j is an error', async (catalog, problem) => {
    expect(await failure(catalog)).toMatch(/catalog\.json: /);
    expect(await failure(catalog)).toContain(problem);
  });
});
