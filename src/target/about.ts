import { z } from 'zod';
import { isObject, type JsonObject } from '../shared/json/value.ts';
import { VERSION } from '../shared/version.ts';
import { Config } from './config.ts';

export type AboutFormat = 'json' | 'markdown' | 'text';

const NAME = 'target-s3';
const DESCRIPTION =
  'Writes the streams of any Singer tap to Amazon S3, an S3-compatible store or a folder, and repeats a STATE only when everything before it is durable.';
const CAPABILITIES = ['about', 'structured-logging'];

/** What the program is and which settings it takes, in the shape other Singer programs use. */
export function about(format: AboutFormat): string {
  const settings = settingsSchema();
  switch (format) {
    case 'json':
      return JSON.stringify(
        { name: NAME, description: DESCRIPTION, version: VERSION, capabilities: CAPABILITIES, settings },
        null,
        2,
      );
    case 'markdown':
      return markdown(settings);
    case 'text':
      return [
        `Name: ${NAME}`,
        `Description: ${DESCRIPTION}`,
        `Version: ${VERSION}`,
        `Capabilities: ${CAPABILITIES.join(', ')}`,
        'Settings:',
        ...properties(settings).map(([name, property]) => `  ${name}: ${describe(property)}`),
      ].join('\n');
    default:
      return format satisfies never;
  }
}

/** The JSON Schema of the settings; secrets are marked for Singer programs and for Airbyte. */
export function settingsSchema(): JsonObject {
  const { $schema: _, ...schema } = z.toJSONSchema(Config, {
    io: 'input',
    target: 'draft-7',
    unrepresentable: 'any',
    override: ({ jsonSchema }) => {
      if (jsonSchema['airbyte_secret'] === true) Object.assign(jsonSchema, { secret: true, writeOnly: true });
    },
  });
  return schema as JsonObject;
}

function properties(settings: JsonObject): [string, JsonObject][] {
  const found = settings['properties'];
  return isObject(found)
    ? Object.entries(found).filter((entry): entry is [string, JsonObject] => isObject(entry[1]))
    : [];
}

function describe(property: JsonObject): string {
  const usual = property['default'];
  const choices = Array.isArray(property['enum']) ? ` One of ${property['enum'].join(', ')}.` : '';
  const fallback = usual === undefined || usual === '' ? '' : ` Default: ${JSON.stringify(usual)}.`;
  const description = typeof property['description'] === 'string' ? property['description'] : '';
  return `${description}${choices}${fallback}`;
}

function markdown(settings: JsonObject): string {
  const rows = properties(settings).map(
    ([name, property]) => `| \`${name}\` | ${describe(property).replaceAll('|', '\\|')} |`,
  );
  return [
    `# \`${NAME}\` v${VERSION}`,
    '',
    DESCRIPTION,
    '',
    '## Capabilities',
    '',
    ...CAPABILITIES.map((capability) => `* \`${capability}\``),
    '',
    '## Settings',
    '',
    '| Setting | Meaning |',
    '|---|---|',
    ...rows,
  ].join('\n');
}
