import { z } from 'zod';
import type { Pruning } from '../shared/json/prune.ts';
import { configError } from '../shared/errors.ts';
import { isObject, type JsonObject, type JsonValue } from '../shared/json/value.ts';

/** A stream as a tap offers it. */
export type OfferedStream = {
  readonly name: string;
  readonly schema: JsonObject;
  readonly keyProperties: readonly string[];
  readonly replicationKey?: string;
  /** Whether a catalog without choices selects it. */
  readonly selectedByDefault: boolean;
};

/** A Singer catalog with metadata for every property at every depth: Meltano guesses wrong where it is missing. */
export function discoveryCatalog(streams: readonly OfferedStream[]): JsonObject {
  return { streams: streams.map(catalogEntry) };
}

function catalogEntry({
  name,
  schema,
  keyProperties,
  replicationKey,
  selectedByDefault,
}: OfferedStream): JsonObject {
  const method = 'INCREMENTAL';
  // A child without a replication key of its own follows its issue's.
  const automatic = new Set([...keyProperties, ...(replicationKey === undefined ? [] : [replicationKey])]);
  const root = {
    inclusion: 'available',
    'selected-by-default': selectedByDefault,
    'table-key-properties': keyProperties,
    'forced-replication-method': method,
    ...(replicationKey === undefined
      ? {}
      : { 'replication-key': replicationKey, 'valid-replication-keys': [replicationKey] }),
    'schema-name': name,
  };
  return {
    tap_stream_id: name,
    stream: name,
    key_properties: keyProperties,
    replication_method: method,
    ...(replicationKey === undefined ? {} : { replication_key: replicationKey }),
    schema,
    metadata: [{ breadcrumb: [], metadata: root }, ...propertyMetadata(schema, [], automatic)],
  };
}

function propertyMetadata(
  schema: JsonValue,
  path: readonly string[],
  automatic: ReadonlySet<string>,
): JsonObject[] {
  const properties = isObject(schema) ? schema['properties'] : undefined;
  if (!isObject(properties)) return [];
  return Object.entries(properties).flatMap(([name, property]) => {
    const breadcrumb = [...path, 'properties', name];
    const inclusion = path.length === 0 && automatic.has(name) ? 'automatic' : 'available';
    return [{ breadcrumb, metadata: { inclusion } }, ...propertyMetadata(property, breadcrumb, automatic)];
  });
}

const Metadata = z.looseObject({
  breadcrumb: z.array(z.string()),
  metadata: z.record(z.string(), z.unknown()),
});
const Entry = z.looseObject({
  tap_stream_id: z.string().optional(),
  stream: z.string().optional(),
  selected: z.unknown().optional(),
  metadata: z.array(Metadata).optional(),
});
const CatalogSchema = z.looseObject({ streams: z.array(Entry) });

/**
 * The streams that a catalog selects, each with what it deselects, by the rules of the Meltano SDK: a child of a
 * deselected parent is deselected, `unsupported` never and `automatic` always selected, then `selected`, then
 * `selected-by-default`, then the parent's selection. A stream without metadata of its own is selected, one whose
 * metadata leave it open is not. Of what is said twice the last counts. The strings "true" and "false" count as
 * booleans. A catalog of another shape is a config error that names `source`.
 */
export function readSelection(catalog: JsonValue, source: string): ReadonlyMap<string, Pruning> {
  const result = CatalogSchema.safeParse(catalog);
  if (!result.success) {
    const problems = result.error.issues
      .map(({ path, message }) => `${path.join('.')}: ${message}`)
      .join('; ');
    throw configError(`${source}: not a Singer catalog: ${problems}; make one with --discover`, {
      code: 'BAD_CATALOG',
    });
  }
  const selection = new Map<string, Pruning>();
  for (const [i, entry] of result.data.streams.entries()) {
    const name = entry.tap_stream_id ?? entry.stream;
    if (name === undefined)
      throw configError(`${source}: streams.${i}: has no tap_stream_id`, { code: 'BAD_CATALOG' });
    const said = new Map((entry.metadata ?? []).map((item) => [JSON.stringify(item.breadcrumb), item]));
    const root = said.get('[]');
    const selected = root === undefined ? (flag(entry.selected) ?? true) : isSelected(root.metadata, false);
    if (selected) selection.set(name, deselection([...said.values()]));
    else selection.delete(name);
  }
  return selection;
}

function isSelected(metadata: Readonly<Record<string, unknown>>, otherwise: boolean): boolean {
  if (metadata['inclusion'] === 'unsupported') return false;
  if (metadata['inclusion'] === 'automatic') return true;
  return flag(metadata['selected']) ?? flag(metadata['selected-by-default']) ?? otherwise;
}

function flag(value: unknown): boolean | undefined {
  if (typeof value === 'boolean') return value;
  return value === 'true' ? true : value === 'false' ? false : undefined;
}

function deselection(metadata: readonly z.output<typeof Metadata>[]): Pruning {
  const tree = new Map<string, 'all' | Pruning>();
  for (const item of metadata.toSorted((a, b) => a.breadcrumb.length - b.breadcrumb.length)) {
    const names = item.breadcrumb.filter((step, i) => !(i % 2 === 0 && step === 'properties'));
    if (names.length > 0 && names.length * 2 === item.breadcrumb.length && !isSelected(item.metadata, true))
      remove(tree, names);
  }
  return tree;
}

function remove(tree: Map<string, 'all' | Pruning>, [name, ...rest]: readonly string[]): void {
  if (name === undefined || tree.get(name) === 'all') return;
  if (rest.length === 0) {
    tree.set(name, 'all');
    return;
  }
  const child = (tree.get(name) ?? new Map()) as Map<string, 'all' | Pruning>;
  tree.set(name, child);
  remove(child, rest);
}

/** A JSON Schema without the deselected properties, also in its `required`. */
export function withoutProperties(schema: JsonObject, without: Pruning): JsonObject {
  const { properties } = schema as { readonly properties?: JsonValue };
  if (without.size === 0 || !isObject(properties)) return schema;
  const kept: Record<string, JsonValue> = {};
  for (const [name, property] of Object.entries(properties)) {
    const rule = without.get(name);
    if (rule === 'all') continue;
    kept[name] = rule === undefined || !isObject(property) ? property : withoutProperties(property, rule);
  }
  const required = schema['required'];
  return {
    ...schema,
    properties: kept,
    ...(Array.isArray(required)
      ? { required: required.filter((name) => without.get(name as string) !== 'all') }
      : {}),
  };
}
