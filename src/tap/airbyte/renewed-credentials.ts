import { isObject, type JsonObject } from '../../shared/json/value.ts';
import { connectorConfig } from '../../protocol/airbyte.ts';
import type { CredentialMembers, CredentialStore } from '../credential-store.ts';

const REFERENCE = /^(env|file|ssm|secretsmanager):/;

/**
 * The credentials of a run under Airbyte, which passes its own copy of the configuration to each run: renewed
 * members go there, by a CONTROL message, and not into the file, which nobody reads again. Members that are
 * references are kept where they lead, by `store`. `config` is the configuration as it was passed; `write`
 * resolves once the message has left.
 */
export function credentialsOfHost(
  store: CredentialStore,
  config: JsonObject,
  write: (line: Uint8Array) => Promise<void>,
  now: () => number,
): CredentialStore {
  const passed = isObject(config['credentials']) ? config['credentials'] : {};
  let renewed: CredentialMembers = {};
  const isKeptElsewhere = (member: string): boolean => {
    const text = passed[member];
    return typeof text === 'string' && REFERENCE.test(text);
  };
  return {
    name: store.name,
    load: async () => ({ ...(await store.load()), ...renewed }),
    expectWritable: async (members) => store.expectWritable?.(members.filter(isKeptElsewhere)),
    save: async (members) => {
      const elsewhere = Object.entries(members).filter(([member]) => isKeptElsewhere(member));
      if (elsewhere.length > 0) await store.save(Object.fromEntries(elsewhere));
      const ours = Object.entries(members).filter(([member]) => !isKeptElsewhere(member));
      if (ours.length === 0) return;
      renewed = { ...renewed, ...Object.fromEntries(ours) };
      await write(connectorConfig({ ...config, credentials: { ...passed, ...renewed } }, now()));
    },
  };
}
