import { configError, type ConnectorError } from '../errors.ts';
import { setMembers } from '../json/set-members.ts';
import { isObject, type JsonObject, type JsonValue } from '../json/value.ts';
import { parameterStore } from './parameter-store.ts';
import type { SecretStore } from './secret-store.ts';
import { secretsManager } from './secrets-manager.ts';

/** What a reference stands for, or why there is nothing to be found. */
export type Found = { readonly text: string } | { readonly missing: ConnectorError };

/** A reference, and the setting that it is the value of. */
export type Place = { readonly reference: string; readonly setting: string };

/** A new text for what a reference stands for. */
export type Change = Place & { readonly text: string };

/** Texts kept by AWS: `ssm:NAME` and `secretsmanager:NAME`, with `#KEY` for one member of a JSON object. */
export type RemoteTexts = {
  /** Reads what references stand for; each parameter or secret once for as long as the function is used. */
  readonly reader: () => (reference: string, setting: string) => Promise<Found>;
  /** Throws a config error if the AWS credentials do not allow to write there; changes nothing. */
  readonly expectWritable: (places: readonly Place[]) => Promise<void>;
  /** One write for each parameter or secret; other keys stay as they are. */
  readonly write: (changes: readonly Change[]) => Promise<void>;
};

const REFERENCE = /^(ssm|secretsmanager):([^#]+)(?:#(.+))?$/;

/** Whether a text is a reference to something AWS keeps. */
export function isRemote(text: string): boolean {
  return REFERENCE.test(text);
}

export function remoteTexts(): RemoteTexts {
  const stores = { ssm: parameterStore(), secretsmanager: secretsManager() };
  const parse = (reference: string) => {
    const [, service, name, key] = REFERENCE.exec(reference)!;
    return { store: stores[service as keyof typeof stores], name: name!, key };
  };
  return {
    reader: () => {
      const asked = new Map<string, Promise<string | undefined>>();
      return async (reference, setting) => {
        const { store, name, key } = parse(reference);
        const id = `${store.kind} ${name}`;
        const asking = asked.get(id) ?? store.read(name, setting);
        asked.set(id, asking);
        return found(await asking, { id, setting, key });
      };
    },
    expectWritable: async (places) => {
      for (const [{ reference, setting }] of byText(places)) {
        const { store, name } = parse(reference);
        await store.expectWritable(name, setting);
      }
    },
    write: async (changes) => {
      for (const group of byText(changes)) {
        const [{ reference, setting, text }] = group;
        const { store, name, key } = parse(reference);
        await store.write(name, key === undefined ? text : await merged(store, name, group), setting);
      }
    },
  };

  /** The JSON text with the changed keys in it. */
  async function merged(store: SecretStore, name: string, changes: readonly Change[]): Promise<string> {
    const { setting } = changes[0]!;
    const text = (await store.read(name, setting)) ?? '{}';
    if (!isObject(parsed(text))) throw notJson(`${store.kind} ${name}`, setting);
    const members = Object.fromEntries(changes.map(({ reference, text }) => [parse(reference).key!, text]));
    return setMembers(`{"":${text}}`, '', members).slice(4, -1);
  }
}

/** What has to do with the same parameter or secret, together. */
function byText<T extends Place>(places: readonly T[]): Iterable<[T, ...T[]]> {
  const groups = new Map<string, [T, ...T[]]>();
  for (const place of places) {
    const whole = place.reference.replace(/#.*/s, '');
    groups.set(whole, [...(groups.get(whole) ?? []), place] as [T, ...T[]]);
  }
  return groups.values();
}

type Asked = { readonly id: string; readonly setting: string; readonly key: string | undefined };

function found(text: string | undefined, { id, setting, key }: Asked): Found {
  if (text === undefined)
    return nothing(
      `${setting}: there is no ${id} in this AWS account and region; check its name and AWS_REGION`,
    );
  if (key === undefined) return { text };
  const value = parsed(text);
  if (!isObject(value)) throw notJson(id, setting);
  const member = value[key];
  if (member === undefined || member === null || member === '')
    return nothing(
      `${setting}: the JSON in ${id} has ${member === undefined ? 'no' : 'an empty'} key "${key}" (its keys: ${namesIn(value)})`,
    );
  return { text: typeof member === 'string' ? member : JSON.stringify(member) };
}

function nothing(message: string): Found {
  return { missing: configError(message, { code: 'SECRETS' }) };
}

function namesIn(value: JsonObject): string {
  return Object.keys(value).join(', ') || 'none';
}

function parsed(text: string): JsonValue | undefined {
  try {
    return JSON.parse(text) as JsonValue;
  } catch {
    return undefined;
  }
}

function notJson(id: string, setting: string): ConnectorError {
  return configError(
    `${setting}: ${id} holds no JSON object; leave out "#" and the key to use its whole text`,
    {
      code: 'SECRETS',
    },
  );
}
