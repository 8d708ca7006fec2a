import { z } from 'zod';
import { readJsonObject } from '../../shared/config-file.ts';
import { configError, type ConnectorError } from '../../shared/errors.ts';
import type { Pruning } from '../../shared/json/prune.ts';
import { isObject, type JsonObject, type JsonValue } from '../../shared/json/value.ts';
import type { SourceStream } from '../../protocol/airbyte-source.ts';
import type { OfferedStream } from '../../protocol/catalog.ts';

/** What `discover` offers: an AirbyteCatalog. Only the tap knows what has changed, so it defines the cursors. */
export function airbyteCatalog(streams: readonly OfferedStream[]): JsonObject {
  return {
    streams: streams.map(({ name, schema, keyProperties, replicationKey }) => ({
      name,
      json_schema: schema,
      supported_sync_modes: ['full_refresh', 'incremental'],
      source_defined_cursor: true,
      // A child without a cursor of its own follows its issue's.
      ...(replicationKey === undefined ? {} : { default_cursor_field: [replicationKey] }),
      source_defined_primary_key: keyProperties.map((key) => [key]),
      is_resumable: true,
    })),
  };
}

const ConfiguredStream = z.looseObject({
  stream: z.looseObject({ name: z.string(), json_schema: z.json().optional() }),
  sync_mode: z.json().optional(),
});
const ConfiguredCatalog = z.looseObject({ streams: z.array(ConfiguredStream) });

/** What a ConfiguredAirbyteCatalog asks for. */
export type Configured = {
  /** Every stream it names. */
  readonly streams: readonly SourceStream[];
  /** Those that can be read, each with what its schema leaves out. */
  readonly selection: ReadonlyMap<string, Pruning>;
  /** Why the others cannot. */
  readonly refused: ReadonlyMap<string, ConnectorError>;
};

/**
 * Reads the file of `read --catalog`. A stream that is not offered, or a mode that does not exist, is refused
 * without harm to the other streams; a file of another shape is a config error.
 */
export async function readConfiguredCatalog(
  path: string,
  offered: readonly OfferedStream[],
): Promise<Configured> {
  const result = ConfiguredCatalog.safeParse(await readJsonObject(path, 'catalog'));
  if (!result.success) {
    const problems = result.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`);
    throw configError(
      `${path}: not a ConfiguredAirbyteCatalog: ${problems.join('; ')}; make one of what discover prints`,
      { code: 'BAD_CATALOG' },
    );
  }
  const streams: SourceStream[] = [];
  const selection = new Map<string, Pruning>();
  const refused = new Map<string, ConnectorError>();
  for (const { stream, sync_mode: mode } of result.data.streams) {
    const { name } = stream;
    const refuse = (problem: string): void =>
      void refused.set(name, configError(`${path}: stream "${name}" ${problem}`, { code: 'BAD_CATALOG' }));
    streams.push({ name, fullRefresh: mode === 'full_refresh' });
    const offer = offered.find((candidate) => candidate.name === name);
    if (offer === undefined)
      refuse(`does not exist; source-jira has: ${offered.map(({ name }) => name).join(', ')}`);
    else if (mode !== undefined && mode !== null && mode !== 'full_refresh' && mode !== 'incremental')
      refuse(`has the sync_mode ${JSON.stringify(mode)}; use full_refresh or incremental`);
    else selection.set(name, missingProperties(offer.schema, stream.json_schema));
  }
  return { streams, selection, refused };
}

/** The offered properties that a configured schema does not have. */
function missingProperties(offered: JsonValue, wanted: JsonValue | undefined): Pruning {
  const missing = new Map<string, 'all' | Pruning>();
  const [from, kept] = [propertiesOf(offered), propertiesOf(wanted)];
  // A schema that says nothing of properties leaves none out.
  if (from === undefined || kept === undefined) return missing;
  for (const [name, property] of Object.entries(from)) {
    if (!Object.hasOwn(kept, name)) {
      missing.set(name, 'all');
      continue;
    }
    const below = missingProperties(property, kept[name]);
    if (below.size > 0) missing.set(name, below);
  }
  return missing;
}

function propertiesOf(schema: JsonValue | undefined): JsonObject | undefined {
  const properties = isObject(schema) ? schema['properties'] : undefined;
  return isObject(properties) && Object.keys(properties).length > 0 ? properties : undefined;
}
