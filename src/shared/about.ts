import { z } from 'zod';
import { isObject, type JsonObject, type JsonValue } from './json/value.ts';
import { VERSION } from './version.ts';

export type About = {
  readonly name: string;
  readonly description: string;
  readonly capabilities: readonly string[];
  readonly config: z.ZodObject;
};

export type AboutFormat = 'text' | 'json' | 'markdown';

/** What a program is and every setting it takes, in the shape of singer-sdk's `--about`. */
export function renderAbout({ name, description, capabilities, config }: About, format: AboutFormat): string {
  const settings = settingsSchema(config);
  if (format === 'json')
    return `${JSON.stringify({ name, description, version: VERSION, capabilities, settings }, null, 2)}\n`;
  if (format === 'markdown') {
    return `# ${name}\n\n${description}\n\nVersion ${VERSION}. Capabilities: ${capabilities.join(', ')}.\n\n## Settings\n\n${settingsTable(config)}`;
  }
  const lines = settingRows(config).map(({ key, type, about }) => `  ${key} (${type}): ${about}`);
  return `Name: ${name}\nDescription: ${description}\nVersion: ${VERSION}\nCapabilities: ${capabilities.join(', ')}\nSettings:\n${lines.join('\n')}\n`;
}

/** The settings as draft-07 JSON Schema, secrets marked the way singer-sdk and Airbyte mark them; objects are closed. */
export function settingsSchema(config: z.ZodObject): JsonObject {
  const schema = z.toJSONSchema(config, {
    io: 'input',
    target: 'draft-7',
    unrepresentable: 'any',
    override: ({ jsonSchema }) => {
      if (jsonSchema['airbyte_secret'] === true) Object.assign(jsonSchema, { secret: true, writeOnly: true });
      if (jsonSchema.format === 'date-time') delete jsonSchema.pattern;
      if (jsonSchema.maximum === Number.MAX_SAFE_INTEGER) delete jsonSchema.maximum;
    },
  });
  delete schema.$schema;
  return schema as unknown as JsonObject;
}

/** The settings as a Markdown table, for `--about` and the README. */
export function settingsTable(config: z.ZodObject): string {
  const rows = settingRows(config).map(
    ({ key, type, about }) => `| \`${key}\` | ${type} | ${about.replaceAll('|', '\\|')} |`,
  );
  return `| setting | type | meaning |\n| --- | --- | --- |\n${rows.join('\n')}\n`;
}

type SettingRow = { readonly key: string; readonly type: string; readonly about: string };

function settingRows(config: z.ZodObject): SettingRow[] {
  const schema = settingsSchema(config);
  const required = Array.isArray(schema['required']) ? schema['required'] : [];
  return propertiesOf(schema).flatMap(([key, property]) => {
    const row = { key, type: typeOf(property), about: describeSetting(property, required.includes(key)) };
    return [row, ...variantRows(key, property)];
  });
}

function variantRows(key: string, property: JsonObject): SettingRow[] {
  const variants = property['oneOf'];
  if (!Array.isArray(variants)) return [];
  return variants.map((variant: JsonObject) => {
    const names = propertiesOf(variant).map(([name, { const: value }]) =>
      value === undefined ? `\`${name}\`` : `\`${name}: ${stringify(value)}\``,
    );
    return { key, type: 'variant', about: `${stringify(variant['title'])}: ${names.join(', ')}` };
  });
}

function propertiesOf(schema: JsonObject): [string, JsonObject][] {
  return isObject(schema['properties'])
    ? (Object.entries(schema['properties']) as [string, JsonObject][])
    : [];
}

function typeOf(property: JsonObject): string {
  if (Array.isArray(property['enum']))
    return property['enum'].map((value) => `\`${stringify(value)}\``).join(', ');
  return typeof property['type'] === 'string' ? property['type'] : 'object';
}

function describeSetting(property: JsonObject, required: boolean): string {
  const said = typeof property['description'] === 'string' ? property['description'] : '';
  const usual = property['default'] ?? '';
  const fallback = usual === '' ? '' : ` Default: \`${stringify(usual)}\`.`;
  return `${required ? '**Required.** ' : ''}${said}${fallback}`;
}

function stringify(value: JsonValue | undefined): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}
