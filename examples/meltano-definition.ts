import { settingsSchema } from '../src/shared/about.ts';
import { isObject, stringOf, type JsonObject, type JsonValue } from '../src/shared/json/value.ts';
import { TapConfig } from '../src/tap/config.ts';
import { Config as TargetConfig } from '../src/target/config.ts';

/** Meltano's kinds. It cannot write a `decimal` into the configuration it makes (4.4.1), so numbers are whole there. */
const KINDS: Readonly<Record<string, string>> = {
  array: 'array',
  boolean: 'boolean',
  integer: 'integer',
  number: 'integer',
  object: 'object',
};

const PLUGINS = {
  'tap-jira': {
    label: 'Jira (Data Center and Cloud)',
    description: 'Reads the issues of Jira Data Center and Jira Cloud, incrementally and completely.',
    capabilities: ['about', 'catalog', 'discover', 'properties', 'state', 'structured-logging', 'test'],
    config: TapConfig,
    required: [['base_url', 'credentials.auth_type']],
  },
  'target-s3': {
    label: 'Amazon S3 and folders',
    description: 'Batches the messages of any tap into objects in S3, or into files of a folder.',
    capabilities: ['about', 'structured-logging'],
    config: TargetConfig,
    required: [['s3_bucket'], ['local_path']],
  },
} as const;

export type PluginName = keyof typeof PLUGINS;
export const pluginNames = Object.keys(PLUGINS) as readonly PluginName[];

/**
 * The definition of a plugin in the form of MeltanoHub (https://github.com/meltano/hub), for
 * `meltano add --from-ref`: made of the settings that the program checks, members of `credentials` by dotted names.
 */
export function pluginDefinition(name: PluginName): string {
  const lines = [...pluginLines(name), 'quality: unknown', 'maintenance_status: active'];
  return `# Made of the program's settings; used by \`meltano add ${name} --from-ref\`.\n${lines.join('\n')}\n`;
}

/** A whole project, `meltano.yml`: both plugins as they are defined, and what a first run needs beside them. */
export function projectFile(): string {
  const plugin = (name: PluginName, ...more: readonly string[]): string[] =>
    [...pluginLines(name), ...more].map((line, i) => (i === 0 ? `  - ${line}` : `    ${line}`));
  return `${[
    '# A project for Meltano that reads the issues of a Jira into a folder. Copy this file into a folder of its own and',
    '# tell it where Jira is, in variables or in a file named .env beside it:',
    '#',
    '#   TAP_JIRA_BASE_URL=https://your-site.atlassian.net',
    '#   TAP_JIRA_CREDENTIALS_AUTH_TYPE=api_token',
    '#   TAP_JIRA_CREDENTIALS_EMAIL=me@example.com',
    '#   TAP_JIRA_CREDENTIALS_API_TOKEN=...',
    '#',
    '# then: meltano run jira-to-lake',
    "# Made of the programs' settings, as the definitions beside it.",
    'default_environment: dev',
    'environments:',
    '- name: dev',
    'plugins:',
    '  extractors:',
    ...plugin('tap-jira', 'select:', '- issues.*'),
    '  loaders:',
    ...plugin('target-s3', 'config:', '  # Or s3_bucket.', '  local_path: lake'),
    'jobs:',
    '- name: jira-to-lake',
    '  tasks:',
    '  - tap-jira target-s3',
    'schedules:',
    '- name: jira-to-lake-hourly',
    "  interval: '@hourly'",
    '  job: jira-to-lake',
  ].join('\n')}\n`;
}

function pluginLines(name: PluginName): string[] {
  const { label, description, capabilities, config, required } = PLUGINS[name];
  return [
    `name: ${name}`,
    'variant: jira-to-s3',
    `namespace: ${name.replace('-', '_')}`,
    `label: ${text(label)}`,
    `description: ${text(description)}`,
    `executable: ${name}`,
    'capabilities:',
    ...capabilities.map((capability) => `- ${capability}`),
    'settings_group_validation:',
    ...required.map((names) => `- ${JSON.stringify(names)}`),
    'settings:',
    ...propertiesOf(settingsSchema(config)).flatMap(([key, property]) => settingLines(key, property)),
  ];
}

function settingLines(name: string, property: JsonObject): string[] {
  const variants = property['oneOf'];
  if (Array.isArray(variants)) return memberLines(name, variants.filter(isObject));
  const { title, description, enum: choices, examples } = property;
  const kind = Array.isArray(choices) ? 'options' : kindOf(property);
  const example = Array.isArray(examples) && typeof examples[0] === 'string' ? examples[0] : undefined;
  return [
    `- name: ${name}`,
    `  kind: ${kind}`,
    ...(property['secret'] === true ? ['  sensitive: true'] : []),
    ...(typeof title === 'string' ? [`  label: ${text(title)}`] : []),
    ...(typeof description === 'string' ? [`  description: ${text(description)}`] : []),
    ...(example === undefined ? [] : [`  placeholder: ${text(example)}`]),
    ...(Array.isArray(choices) ? ['  options:', ...choices.flatMap(optionLines)] : []),
  ];
}

/** One setting for each member that any of the variants has. */
function memberLines(name: string, variants: readonly JsonObject[]): string[] {
  const members = new Map<string, JsonObject>();
  const kinds: JsonValue[] = [];
  for (const [member, property] of variants.flatMap(propertiesOf)) {
    if (property['const'] !== undefined) kinds.push(property['const']);
    members.set(
      member,
      members.get(member) ?? (property['const'] === undefined ? property : { ...property, enum: kinds }),
    );
  }
  return [...members].flatMap(([member, property]) => settingLines(`${name}.${member}`, property));
}

function optionLines(value: JsonValue): string[] {
  const shown = text(stringOf(value));
  return [`  - label: ${shown}`, `    value: ${shown}`];
}

function kindOf({ type, format, secret }: JsonObject): string {
  if (format === 'date-time') return 'date_iso8601';
  return secret === true ? 'string' : (KINDS[stringOf(type)] ?? 'string');
}

function propertiesOf(schema: JsonObject): [string, JsonObject][] {
  const properties = schema['properties'];
  return isObject(properties)
    ? Object.entries(properties).filter((entry): entry is [string, JsonObject] => isObject(entry[1]))
    : [];
}

/** A text as YAML, which takes JSON's strings as they are. */
function text(value: string): string {
  return JSON.stringify(value);
}
