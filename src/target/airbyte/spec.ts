import { settingsSchema } from '../../shared/about.ts';
import { isObject, type JsonObject } from '../../shared/json/value.ts';
import { withoutKeys } from '../../shared/json/without-keys.ts';
import { PROTOCOL_VERSION } from '../../protocol/airbyte.ts';
import { DestinationConfig } from './config.ts';

/** The parts of the form, in order, and the settings in each; all others are in the last one. */
const GROUPS = [
  {
    id: 'place',
    title: 'Where to write',
    settings: ['s3_bucket', 's3_key_prefix', 'aws_region', 'aws_endpoint_url', 'path_style', 'local_path'],
  },
  {
    id: 'identity',
    title: 'As whom',
    settings: [
      'aws_access_key_id',
      'aws_secret_access_key',
      'aws_session_token',
      'aws_profile',
      'role_arn',
      'external_id',
    ],
  },
  {
    id: 'objects',
    title: 'What to write',
    settings: ['format', 'compression', 'path_template', 'partition_by', 'add_record_metadata'],
  },
  { id: 'advanced', title: 'Fine tuning', settings: [] },
];

/** Optional settings that the form shows without being asked. */
const ALWAYS_SHOWN = new Set([
  's3_bucket',
  's3_key_prefix',
  'aws_region',
  'aws_access_key_id',
  'aws_secret_access_key',
  'aws_endpoint_url',
]);

/** `load_method` is Airbyte's to say; a form cannot have names that the user makes up. */
const NOT_IN_FORM = new Set(['load_method', 'tags']);

/**
 * Airbyte's description of the settings (`ConnectorSpecification`), made of the same declaration that checks them.
 * `destination-spec.json` is this, written down.
 */
export function destinationSpecification(): JsonObject {
  return {
    documentationUrl: 'https://github.com/jira-to-s3/jira-to-s3#readme',
    protocol_version: PROTOCOL_VERSION,
    supportsIncremental: true,
    supported_destination_sync_modes: ['append', 'overwrite'],
    connectionSpecification: {
      $schema: 'http://json-schema.org/draft-07/schema#',
      title: 'Amazon S3',
      type: 'object',
      properties: form(),
      groups: GROUPS.map(({ id, title }) => ({ id, title })),
    },
  };
}

function form(): JsonObject {
  const settings = withoutKeys(
    settingsSchema(DestinationConfig),
    new Set(['additionalProperties', 'secret', 'writeOnly']),
  );
  const properties = isObject(settings) && isObject(settings['properties']) ? settings['properties'] : {};
  const names = Object.keys(properties).filter((name) => !NOT_IN_FORM.has(name));
  const groupOf = (name: string): number => {
    const at = GROUPS.findIndex((group) => group.settings.includes(name));
    return at < 0 ? GROUPS.length - 1 : at;
  };
  const rankOf = (name: string): number => {
    const at = GROUPS[groupOf(name)]!.settings.indexOf(name);
    return at < 0 ? names.indexOf(name) : at;
  };
  const ordered = names.toSorted((a, b) => groupOf(a) - groupOf(b) || rankOf(a) - rankOf(b));
  return Object.fromEntries(
    ordered.map((name, order) => [
      name,
      {
        ...(properties[name] as JsonObject),
        order,
        ...(ALWAYS_SHOWN.has(name) ? { always_show: true } : {}),
        group: GROUPS[groupOf(name)]!.id,
      },
    ]),
  );
}
