import { describe, expect, it } from 'vitest';
import { isObject, type JsonObject, type JsonValue } from '../../../src/shared/json/value.ts';
import { airbyteCatalog, readConfiguredCatalog, type Configured } from '../../../src/tap/airbyte/catalog.ts';
import { loadSchemas } from '../../../src/tap/schemas.ts';
import { offeredStreams, streamNames } from '../../../src/tap/streams.ts';
import { airbyteMessages, configuredCatalog } from '../../support/airbyte.ts';
import { Scratch } from '../../support/programs.ts';

const offered = offeredStreams(loadSchemas());
const catalog = airbyteCatalog(offered);
const found = catalog['streams'] as readonly (JsonObject & { readonly json_schema: JsonObject })[];

async function configured(content: unknown): Promise<Configured> {
  await using scratch = await Scratch.open();
  return await readConfiguredCatalog(await scratch.write('catalog.json', content), offered);
}

/** Every name of a member below a value. */
function wordsOf(value: JsonValue): string[] {
  if (Array.isArray(value)) return value.flatMap(wordsOf);
  return isObject(value) ? Object.entries(value).flatMap(([name, item]) => [name, ...wordsOf(item)]) : [];
}

describe('the catalog that discover prints', () => {
  it('is a message, and names every stream once', () => {
    expect(airbyteMessages(JSON.stringify({ type: 'CATALOG', catalog }))).toHaveLength(1);
    expect(found.map(({ name }) => name)).toEqual(streamNames);
  });

  it.each(found.map((stream) => [stream['name'], stream] as const))(
    'has for %s modes, keys and a cursor that exist, and a schema in the common words',
    (_name, stream) => {
      expect(stream).toMatchObject({
        supported_sync_modes: ['full_refresh', 'incremental'],
        source_defined_cursor: true,
        is_resumable: true,
      });
      const properties = stream.json_schema['properties'] as JsonObject;
      const keys = stream['source_defined_primary_key'] as string[][];
      expect(keys.length).toBeGreaterThan(0);
      for (const path of [...keys, (stream['default_cursor_field'] as string[] | undefined) ?? ['id']]) {
        expect(path).toHaveLength(1); // a cursor inside an object cannot be shown by Airbyte
        expect(properties).toHaveProperty(path);
      }
      const words = wordsOf(stream.json_schema);
      for (const word of ['$ref', 'allOf', 'not', 'additionalProperties']) expect(words).not.toContain(word);
    },
  );
});

describe('a configured catalog', () => {
  it('selects the streams it names, in their modes', async () => {
    const [issues] = (configuredCatalog(['issues']) as { streams: object[] }).streams;
    const [comments] = (configuredCatalog(['issue_comments'], 'full_refresh') as { streams: object[] })
      .streams;
    const { streams, selection, refused } = await configured({ streams: [issues, comments] });
    expect(streams).toEqual([
      { name: 'issues', fullRefresh: false },
      { name: 'issue_comments', fullRefresh: true },
    ]);
    expect([...selection]).toEqual([
      ['issues', new Map()],
      ['issue_comments', new Map()],
    ]);
    expect(refused.size).toBe(0);
  });

  it('may have nulls and lack what the source does not need', async () => {
    const { selection } = await configured({
      streams: [{ stream: { name: 'issues', namespace: null, json_schema: null }, sync_mode: null }],
    });
    expect([...selection.keys()]).toEqual(['issues']);
  });

  it('leaves nothing out when it repeats what was discovered', async () => {
    const { selection } = await configured({
      streams: found.map((stream) => ({ stream, sync_mode: 'incremental' })),
    });
    expect([...selection]).toEqual(streamNames.map((name) => [name, new Map()]));
  });

  it('leaves out the offered properties that its schema lacks', async () => {
    const schema = {
      properties: { key: {}, unknown: {}, fields: { properties: { summary: {}, status: {} } } },
    };
    const { selection } = await configured({
      streams: [{ stream: { name: 'issues', json_schema: schema }, sync_mode: 'incremental' }],
    });
    const left = selection.get('issues')!;
    for (const name of ['key', 'unknown']) expect(left.has(name)).toBe(false);
    for (const name of ['self', 'changelog']) expect(left.get(name)).toBe('all');
    const fields = left.get('fields') as ReadonlyMap<string, unknown>;
    expect(fields.get('description')).toBe('all');
    expect(fields.has('summary') || fields.has('status')).toBe(false);
  });

  it('may name what does not exist, which harms no other stream', async () => {
    const { streams } = configuredCatalog(['issues', 'nothing']) as { streams: object[] };
    const [wrongMode] = (configuredCatalog(['issue_comments'], 'INVALID') as { streams: object[] }).streams;
    const { selection, refused } = await configured({ streams: [...streams, wrongMode] });
    expect([...selection.keys()]).toEqual(['issues']);
    expect(
      [...refused].map(([name, { kind, message }]) => [name, kind, message.replace(/^.*?: /, '')]),
    ).toEqual([
      ['nothing', 'config', `stream "nothing" does not exist; source-jira has: ${streamNames.join(', ')}`],
      [
        'issue_comments',
        'config',
        'stream "issue_comments" has the sync_mode "INVALID"; use full_refresh or incremental',
      ],
    ]);
  });

  it.each([{}, { streams: {} }, { streams: [{ tap_stream_id: 'issues' }] }])('is not %j', async (content) => {
    await expect(configured(content)).rejects.toMatchObject({ kind: 'config', code: 'BAD_CATALOG' });
  });
});
