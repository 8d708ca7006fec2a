import { settingsSchema } from '../shared/about.ts';
import { isObject, type JsonObject, type JsonValue } from '../shared/json/value.ts';
import { withoutKeys } from '../shared/json/without-keys.ts';
import { PROTOCOL_VERSION } from '../protocol/airbyte.ts';
import { TapConfig } from './config.ts';

/** The parts of the form, and the settings in each; all others are in the last one. */
const GROUPS = [
  { id: 'connection', title: 'Your Jira', settings: ['base_url', 'credentials', 'cloud_id'] },
  { id: 'selection', title: 'What to read', settings: ['projects', 'start_date', 'jql', 'fields'] },
  { id: 'advanced', title: 'Fine tuning', settings: [] },
];

/** Optional settings that the form shows without being asked. */
const ALWAYS_SHOWN = new Set(['projects', 'start_date']);

const DATE_TIME = {
  pattern: '^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\\.[0-9]+)?(Z|[+-][0-9]{2}:[0-9]{2})$',
  pattern_descriptor: 'YYYY-MM-DDTHH:mm:ssZ',
};

/**
 * Airbyte's description of the settings (`ConnectorSpecification`), made of the same declaration that checks
 * them. `spec.json` is this, written down. Objects stay open, as Airbyte's acceptance tests require.
 */
export function connectorSpecification(): JsonObject {
  const settings = withoutKeys(
    settingsSchema(TapConfig),
    new Set(['additionalProperties', 'secret', 'writeOnly']),
  ) as JsonObject;
  return {
    documentationUrl: 'https://github.com/jira-to-s3/jira-to-s3#readme',
    protocol_version: PROTOCOL_VERSION,
    supportsIncremental: true,
    connectionSpecification: {
      $schema: 'http://json-schema.org/draft-07/schema#',
      title: 'Jira',
      ...inForm(settings),
      groups: GROUPS.map(({ id, title }) => ({ id, title })),
    },
  };
}

/** The schema of the settings, laid out as a form in groups. */
function inForm(settings: JsonObject): JsonObject {
  const ordered = laidOut(settings);
  const properties = Object.entries(ordered['properties'] as Record<string, JsonObject>);
  return {
    ...ordered,
    properties: Object.fromEntries(
      properties.map(([name, property]) => [
        name,
        {
          ...property,
          // A choice of objects is an object: Airbyte's form relies on being told so.
          ...(property['oneOf'] === undefined ? {} : { type: 'object' }),
          ...(ALWAYS_SHOWN.has(name) ? { always_show: true } : {}),
          group: GROUPS.find((group) => group.settings.includes(name))?.id ?? GROUPS.at(-1)!.id,
        },
      ]),
    ),
  };
}

/** A schema whose properties, at every depth, are numbered in the order of their declaration, and dates are shown. */
function laidOut(schema: JsonObject): JsonObject {
  return Object.fromEntries(
    Object.entries(schema).map(([key, value]): [string, JsonValue] => {
      if (key === 'properties' && isObject(value)) return [key, numbered(value)];
      if (key === 'oneOf' && Array.isArray(value))
        return [key, value.map((variant: JsonValue) => laidOut(variant as JsonObject))];
      return [key, value];
    }),
  );
}

function numbered(properties: JsonObject): JsonObject {
  return Object.fromEntries(
    Object.entries(properties).map(([name, property], order) => [
      name,
      {
        ...laidOut(property as JsonObject),
        ...((property as JsonObject)['format'] === 'date-time' ? DATE_TIME : {}),
        order,
      },
    ]),
  );
}
