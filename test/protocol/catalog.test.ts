import { describe, expect, it } from 'vitest';
import { discoveryCatalog, readSelection, withoutProperties } from '../../src/protocol/catalog.ts';
import type { JsonObject } from '../../src/shared/json/value.ts';
import { loadSchemas } from '../../src/tap/schemas.ts';
import { offeredStreams } from '../../src/tap/streams.ts';

type Metadata = { readonly breadcrumb: readonly string[]; readonly metadata: JsonObject };

const catalogOf = (
  root: JsonObject,
  ...properties: readonly (readonly [string, JsonObject])[]
): JsonObject => ({
  streams: [
    {
      tap_stream_id: 's',
      metadata: [
        { breadcrumb: [], metadata: root },
        ...properties.map(([path, metadata]) => ({
          breadcrumb: path.split('.').flatMap((name) => ['properties', name]),
          metadata,
        })),
      ],
    },
  ],
});

/** The selection as plain values: absent when the stream is not selected. */
function selectionOf(catalog: JsonObject): unknown {
  const plain = (value: unknown): unknown =>
    value instanceof Map ? Object.fromEntries([...value].map(([k, v]) => [k, plain(v)])) : value;
  return plain(readSelection(catalog, 'c.json').get('s'));
}

describe('the selection of a catalog', () => {
  it.each<[string, JsonObject, boolean]>([
    ['selected', { selected: true }, true],
    ['not selected', { selected: false }, false],
    ['selected by default', { 'selected-by-default': true }, true],
    ['not selected by default', { 'selected-by-default': false }, false],
    ['chosen against the default', { selected: true, 'selected-by-default': false }, true],
    ['deselected against the default', { selected: false, 'selected-by-default': true }, false],
    ['selected in a word', { selected: 'true' }, true],
    ['deselected in a word', { selected: 'false' }, false],
    ['left open (null)', { selected: null, 'selected-by-default': false }, false],
    ['left open', {}, false],
    ['unsupported though selected', { inclusion: 'unsupported', selected: true }, false],
    ['automatic though deselected', { inclusion: 'automatic', selected: false }, true],
    ['available and open', { inclusion: 'available' }, false],
  ])('of a stream that is %s', (_, root, selected) => {
    expect(selectionOf(catalogOf(root)) !== undefined).toBe(selected);
  });

  it.each<[string, JsonObject, boolean]>([
    ['in the old form, selected', { streams: [{ stream: 's', selected: true }] }, true],
    ['in the old form, deselected', { streams: [{ stream: 's', selected: false }] }, false],
    ['without metadata', { streams: [{ tap_stream_id: 's' }] }, true],
    [
      'with metadata of properties only',
      { streams: [{ stream: 's', metadata: [{ breadcrumb: ['properties', 'a'], metadata: {} }] }] },
      true,
    ],
    [
      'that is listed twice, selected and not',
      { streams: [{ stream: 's' }, { stream: 's', selected: false }] },
      false,
    ],
    ['that is not listed', { streams: [] }, false],
  ])('of a stream %s', (_, catalog, selected) => {
    expect(selectionOf(catalog) !== undefined).toBe(selected);
  });

  it('of properties follows the same rules, parents first', () => {
    const selection = selectionOf(
      catalogOf(
        { selected: true },
        ['id', { inclusion: 'automatic', selected: false }],
        ['gone', { selected: false }],
        ['gone.child', { selected: true }],
        ['kept', { selected: true }],
        ['kept.inner', { 'selected-by-default': false }],
        ['kept.inner.deep', { selected: true }],
        ['kept.other', {}],
        ['bad', { inclusion: 'unsupported' }],
        ['fields.properties', { selected: false }],
      ),
    );
    expect(selection).toEqual({
      gone: 'all',
      kept: { inner: 'all' },
      bad: 'all',
      fields: { properties: 'all' },
    });
  });

  it('of properties does not depend on their order', () => {
    const child: [string, JsonObject] = ['a.b', { selected: false }];
    const parent: [string, JsonObject] = ['a', { selected: false }];
    expect(selectionOf(catalogOf({ selected: true }, child, parent))).toEqual({ a: 'all' });
    expect(selectionOf(catalogOf({ selected: true }, parent, child))).toEqual({ a: 'all' });
  });

  it('follows what is said last of a property', () => {
    const said = [
      ['a', { selected: false }] as const,
      ['b', {}] as const,
      ['a', { selected: true }] as const,
    ];
    expect(selectionOf(catalogOf({ selected: true }, ...said))).toEqual({});
    expect(selectionOf(catalogOf({ selected: true }, ...said.toReversed()))).toEqual({ a: 'all' });
  });

  it.each<[string, unknown]>([
    ['a list', []],
    ['no streams', {}],
    ['streams of another kind', { streams: {} }],
    ['a stream without a name', { streams: [{ selected: true }] }],
    [
      'metadata of another kind',
      { streams: [{ stream: 's', metadata: [{ breadcrumb: 'x', metadata: {} }] }] },
    ],
  ])('of %s is refused', (_, catalog) => {
    expect(() => readSelection(catalog as JsonObject, 'c.json')).toThrow(/^c\.json: /);
    expect(() => readSelection(catalog as JsonObject, 'c.json')).toThrow(
      expect.objectContaining({ kind: 'config', code: 'BAD_CATALOG' }) as Error,
    );
  });
});

describe('the catalog that is offered', () => {
  const catalog = discoveryCatalog(offeredStreams(loadSchemas()));
  const entries = catalog['streams'] as readonly {
    readonly tap_stream_id: string;
    readonly key_properties: readonly string[];
    readonly schema: JsonObject;
    readonly metadata: readonly Metadata[];
  }[];

  it('selects the issues when nobody chooses', () => {
    expect([...readSelection(catalog, 'c').keys()]).toEqual(['issues']);
    expect(readSelection(catalog, 'c').get('issues')).toEqual(new Map());
  });

  it.each(entries.map((entry) => [entry.tap_stream_id, entry] as const))(
    'has metadata for every property of %s, and its keys are automatic',
    (_, { schema, metadata, key_properties }) => {
      const known = new Set(metadata.map(({ breadcrumb }) => breadcrumb.join('.')));
      const visit = (value: unknown, path: string): void => {
        const { properties } = (value ?? {}) as { properties?: Record<string, unknown> };
        for (const [name, property] of Object.entries(properties ?? {})) {
          const place = `${path === '' ? '' : `${path}.`}properties.${name}`;
          expect(known).toContain(place);
          visit(property, place);
        }
      };
      visit(schema, '');
      for (const key of key_properties)
        expect(
          metadata.find(({ breadcrumb }) => breadcrumb.join('.') === `properties.${key}`)!.metadata,
        ).toEqual({
          inclusion: 'automatic',
        });
    },
  );
});

describe('a schema', () => {
  it('loses the deselected properties, also as required ones', () => {
    const schema = {
      type: 'object',
      required: ['id', 'gone'],
      properties: {
        id: {},
        gone: {},
        inner: { properties: { a: {}, b: {} }, required: ['a', 'b'] },
        plain: true,
        open: { type: 'object' },
      },
    };
    const without = new Map<string, 'all' | Map<string, 'all'>>([
      ['gone', 'all'],
      ['inner', new Map([['b', 'all' as const]])],
      ['plain', new Map([['x', 'all' as const]])],
      ['open', new Map([['x', 'all' as const]])],
    ]);
    expect(withoutProperties(schema, without)).toEqual({
      type: 'object',
      required: ['id'],
      properties: {
        id: {},
        inner: { properties: { a: {} }, required: ['a'] },
        plain: true,
        open: { type: 'object' },
      },
    });
    expect(withoutProperties(schema, new Map())).toBe(schema);
  });
});
