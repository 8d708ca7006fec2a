import { z } from 'zod';
import { fromEnvironment } from './config-environment.ts';
import { readJsonObject } from './config-file.ts';
import { configError } from './errors.ts';
import { isObject, type JsonObject, type JsonValue } from './json/value.ts';
import { nearest } from './nearest.ts';
import { references, resolveReferences } from './references.ts';
import { Secret } from './secret.ts';

/** A setting that must not be shown: marked for Airbyte and Meltano, and a `Secret` once parsed. */
export function secret(meta: {
  readonly title: string;
  readonly description: string;
  readonly [key: string]: JsonValue;
}) {
  return z
    .string()
    .min(1)
    .transform((text) => new Secret(text))
    .meta({ ...meta, airbyte_secret: true });
}

export type ConfigSources = {
  /** Files in the order given (later wins), and the word `ENV` for the environment, which wins over files. */
  readonly paths: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Prefix of environment names, such as `TAP_JIRA_`. */
  readonly envPrefix: string;
};

/** A configuration as it was written: merged, references in place, nothing checked. */
export type WrittenConfig = {
  readonly values: JsonObject;
  /** The path given for the file that a top-level key came from, or `environment`. */
  readonly originOf: (key: string) => string;
};

/** Reads and merges (top-level keys, later wins) a configuration. */
export async function readConfig(schema: z.ZodObject, sources: ConfigSources): Promise<WrittenConfig> {
  const origin = new Map<string, string>();
  let values: JsonObject = {};
  const add = (from: string, more: JsonObject): void => {
    for (const key of Object.keys(more)) origin.set(key, from);
    values = { ...values, ...more };
  };
  for (const path of sources.paths.filter((path) => path !== 'ENV'))
    add(path, await readJsonObject(path, 'config'));
  if (sources.paths.includes('ENV')) add('environment', fromEnvironment(schema, sources, values));
  const fallback = sources.paths[0] ?? 'config';
  return { values, originOf: (key) => origin.get(key) ?? fallback };
}

/**
 * Reads, merges, resolves references in and checks a configuration.
 * Throws one config error that lists every problem as `file: setting: what is wrong`.
 */
export async function loadConfig<S extends z.ZodObject>(
  schema: S,
  sources: ConfigSources,
): Promise<z.output<S>> {
  const { values, originOf } = await readConfig(schema, sources);
  const resolved = await resolveReferences(values, references(sources.env).reader());
  return parseConfig(schema, resolved, originOf);
}

/** Checks values against a schema; see `loadConfig`. `originOf` names where a top-level key came from. */
export function parseConfig<S extends z.ZodObject>(
  schema: S,
  values: JsonObject,
  originOf: (key: string) => string,
): z.output<S> {
  const known = Object.fromEntries(
    Object.entries(values).filter(([key, value]) => !key.startsWith('_') && value !== null),
  );
  const result = schema.safeParse(known);
  if (result.success) return result.data;
  const problems = result.error.issues.flatMap((issue) => describeIssue(issue, schema, known));
  const lines = problems.map(
    ({ path, text }) => `${originOf(path[0] ?? '')}: ${path.join('.') || '(whole file)'}: ${text}`,
  );
  throw configError(lines.join('\n'), { code: 'CONFIG' });
}

type Problem = { readonly path: readonly string[]; readonly text: string };

function describeIssue(issue: z.core.$ZodIssue, schema: z.ZodObject, values: JsonObject): Problem[] {
  const path = issue.path.map(String);
  const found = path.reduce<unknown>(
    (value, key) => (isObject(value) || Array.isArray(value) ? (value as JsonObject)[key] : undefined),
    values,
  );
  switch (issue.code) {
    case 'unrecognized_keys': {
      const names = path.length === 0 ? Object.keys(schema.shape) : [];
      return issue.keys.map((key) => {
        const guess = nearest(key, names);
        return {
          path: [...path, key],
          text: `unknown setting${guess === undefined ? '' : `; did you mean ${guess}?`}`,
        };
      });
    }
    case 'invalid_type':
      if (found === undefined)
        return [
          { path, text: `missing; give ${/^[aeiou]/.test(issue.expected) ? 'an' : 'a'} ${issue.expected}` },
        ];
      return [
        {
          path,
          text: `must be of type ${issue.expected}, not ${Array.isArray(found) ? 'array' : typeof found}`,
        },
      ];
    case 'invalid_union':
      return [{ path, text: found === undefined ? 'missing' : issue.message }];
    default:
      return [{ path, text: limitOf(issue) ?? issue.message }];
  }
}

/** A broken limit in plain words; undefined where the schema has words of its own. */
function limitOf(issue: z.core.$ZodIssue): string | undefined {
  if (issue.code === 'invalid_value' && issue.message.startsWith('Invalid'))
    return `must be one of ${issue.values.map(String).join(', ')}`;
  if (issue.code === 'too_big' && issue.message.startsWith('Too big'))
    return `must be at most ${issue.maximum}`;
  if (issue.code !== 'too_small' || !issue.message.startsWith('Too small')) return undefined;
  return issue.origin === 'string' || issue.origin === 'array'
    ? 'must not be empty'
    : `must be at least ${issue.minimum}`;
}
