import { readText } from './config-file.ts';
import { configError, ConnectorError, errnoOf } from './errors.ts';
import { isObject, type JsonObject, type JsonValue } from './json/value.ts';
import { isRemote, remoteTexts, type Found, type RemoteTexts } from './secret-stores/remote-texts.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** Finds what a text of a configuration stands for; one that is no reference stands for itself. */
export type ReferenceReader = (text: string, setting: string) => Promise<Found>;

/** What the references of a configuration lead to. */
export type References = Omit<RemoteTexts, 'reader'> & {
  /** A reader that asks for each parameter and secret once; a new one asks again. */
  readonly reader: () => ReferenceReader;
};

/**
 * The references of a configuration: `env:NAME`, `file:path`, `ssm:name`, `ssm:name#json_key` and
 * `secretsmanager:name#json_key`. Only what AWS keeps can be written here.
 */
export function references(env: Environment): References {
  const remote = remoteTexts();
  return {
    ...remote,
    reader: () => {
      const ask = remote.reader();
      return async (text, setting) => {
        if (text.startsWith('env:')) return variable(env, text.slice(4), setting);
        if (text.startsWith('file:')) return file(text.slice(5), setting);
        return isRemote(text) ? ask(text, setting) : { text };
      };
    },
  };
}

/**
 * Replaces every reference at any depth by what it stands for. One that leads nowhere is a config error that names
 * the setting.
 */
export async function resolveReferences(values: JsonObject, reader: ReferenceReader): Promise<JsonObject> {
  const resolve = async (value: JsonValue, path: string): Promise<JsonValue> => {
    if (typeof value === 'string') return textOf(await reader(value, path));
    if (Array.isArray(value))
      return Promise.all(value.map((item: JsonValue, i) => resolve(item, `${path}.${i}`)));
    if (!isObject(value)) return value;
    const entries = Object.entries(value).map(
      async ([key, item]) => [key, await resolve(item, path === '' ? key : `${path}.${key}`)] as const,
    );
    return Object.fromEntries(await Promise.all(entries));
  };
  return (await resolve(values, '')) as JsonObject;
}

/** The text that was found; throws if there is none. */
export function textOf(found: Found): string {
  if ('missing' in found) throw found.missing;
  return found.text;
}

function variable(env: Environment, name: string, setting: string): Found {
  const text = env[name];
  if (text !== undefined) return { text };
  return {
    missing: configError(`${setting}: the environment variable ${name} is not set`, { code: 'CONFIG' }),
  };
}

async function file(path: string, setting: string): Promise<Found> {
  try {
    return { text: (await readText(path, setting)).replace(/\r?\n$/, '') };
  } catch (error) {
    if (error instanceof ConnectorError && errnoOf(error.cause) === 'ENOENT') return { missing: error };
    throw error;
  }
}
