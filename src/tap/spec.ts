import { settingsSchema } from '../shared/about.ts';
import type { JsonObject } from '../shared/json/value.ts';
import { withoutKeys } from '../shared/json/without-keys.ts';
import { TapConfig } from './config.ts';

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
    supportsIncremental: true,
    connectionSpecification: {
      $schema: 'http://json-schema.org/draft-07/schema#',
      title: 'Jira',
      ...settings,
    },
  };
}
