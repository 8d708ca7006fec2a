import { z } from 'zod';
import { readJsonObject } from '../../shared/config-file.ts';
import { configError } from '../../shared/errors.ts';
import { isObject, type JsonObject, type JsonValue } from '../../shared/json/value.ts';
import type { DestinationStream } from '../../protocol/airbyte-destination.ts';
import type { SchemaMessage } from '../../protocol/message.ts';
import type { Sync } from './columns.ts';

/** How a stream is to be loaded. */
export type Load = DestinationStream &
  Sync & {
    readonly schema: SchemaMessage;
    /** What is not of this load goes when the stream is complete. */
    readonly truncates: boolean;
    /** Several syncs may be needed for this load, which have its generation id in common. */
    readonly resumes: boolean;
    /** What the catalog asks for and is done otherwise. */
    readonly remark?: string;
  };

const count = z.int().min(0).nullish();
const ConfiguredStream = z.looseObject({
  stream: z.looseObject({
    name: z.string().min(1),
    namespace: z.string().nullish(),
    json_schema: z.json().optional(),
  }),
  destination_sync_mode: z.string().nullish(),
  primary_key: z.array(z.array(z.string())).nullish(),
  generation_id: count,
  minimum_generation_id: count,
  sync_id: count,
});
type ConfiguredStream = z.output<typeof ConfiguredStream>;
const ConfiguredCatalog = z.looseObject({ streams: z.array(ConfiguredStream) });

/**
 * Reads the file of `write --catalog`, a ConfiguredAirbyteCatalog. A stream of a namespace is known as
 * `namespace.name`. What cannot be loaded as the catalog says is a config error.
 */
export async function readLoads(path: string): Promise<readonly Load[]> {
  const result = ConfiguredCatalog.safeParse(await readJsonObject(path, 'catalog'));
  const bad = (problem: string): Error => configError(`${path}: ${problem}`, { code: 'BAD_CATALOG' });
  if (!result.success) {
    const problems = result.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`);
    throw bad(`not a ConfiguredAirbyteCatalog: ${problems.join('; ')}`);
  }
  const loads = result.data.streams.map((stream) => toLoad(stream, bad));
  const ids = new Set<string>();
  for (const { id } of loads) {
    if (ids.has(id))
      throw bad(`two streams would both be called ${JSON.stringify(id)}; give one of them a prefix or alias`);
    ids.add(id);
  }
  return loads;
}

function toLoad(configured: ConfiguredStream, bad: (problem: string) => Error): Load {
  const { name, json_schema: schema } = configured.stream;
  const namespace = configured.stream.namespace ?? '';
  const id = namespace === '' ? name : `${namespace}.${name}`;
  const mode = configured.destination_sync_mode ?? 'append';
  if (!['append', 'overwrite', 'append_dedup'].includes(mode))
    throw bad(`stream ${JSON.stringify(id)} has the destination_sync_mode ${mode}; use append or overwrite`);
  const generationId = configured.generation_id ?? 0;
  const least = configured.minimum_generation_id ?? 0;
  if (least > 0 && least !== generationId)
    throw bad(
      `stream ${JSON.stringify(id)} has the minimum_generation_id ${least} with the generation_id ${generationId}; it must be 0 or the same`,
    );
  // PyAirbyte does not count, and says 1 for all three in every sync.
  const resumes = least > 0 && !(least === 1 && generationId === 1 && configured.sync_id === 1);
  return {
    id,
    name,
    namespace,
    schema: {
      type: 'schema',
      stream: id,
      schema: withProperties(schema),
      // A key inside of other members is not looked for.
      keyProperties: (configured.primary_key ?? []).flatMap((key) => (key.length === 1 ? key : [])),
    },
    truncates: mode === 'overwrite' || resumes,
    resumes,
    generationId,
    syncId: configured.sync_id ?? undefined,
    ...(mode === 'append_dedup'
      ? { remark: 'append_dedup is done as append: take the newest row of each key when you read' }
      : {}),
  };
}

function withProperties(schema: JsonValue | undefined): JsonObject {
  if (!isObject(schema)) return { properties: {} };
  return isObject(schema['properties']) ? schema : { ...schema, properties: {} };
}
