import { readText } from './config-file.ts';
import { configError } from './errors.ts';
import { isObject, type JsonObject, type JsonValue } from './json/value.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Replaces every string of the form `env:NAME` or `file:path` by what it names; other strings are kept.
 * A name that leads nowhere is a config error that names the setting.
 */
export async function resolveReferences(values: JsonObject, env: Environment): Promise<JsonObject> {
  return (await resolve(values, env, '')) as JsonObject;
}

async function resolve(value: JsonValue, env: Environment, path: string): Promise<JsonValue> {
  if (typeof value === 'string') return resolveText(value, env, path);
  if (Array.isArray(value))
    return Promise.all(value.map((item: JsonValue, i) => resolve(item, env, `${path}.${i}`)));
  if (!isObject(value)) return value;
  const entries = Object.entries(value).map(
    async ([key, item]) => [key, await resolve(item, env, path === '' ? key : `${path}.${key}`)] as const,
  );
  return Object.fromEntries(await Promise.all(entries));
}

async function resolveText(text: string, env: Environment, path: string): Promise<string> {
  if (text.startsWith('env:')) {
    const name = text.slice(4);
    const found = env[name];
    if (found === undefined)
      throw configError(`${path}: the environment variable ${name} is not set`, { code: 'CONFIG' });
    return found;
  }
  if (text.startsWith('file:')) return (await readText(text.slice(5), path)).replace(/\r?\n$/, '');
  return text;
}
