import { configError } from '../shared/errors.ts';
import type { JsonObject } from '../shared/json/value.ts';
import type { References } from '../shared/references.ts';
import { expectReferencesWritable, readMembers, writeReferences } from './credential-references.ts';
import type { CredentialStore } from './credential-store.ts';

/** Credentials that an environment variable gave: new values can be kept only where references lead. */
export function credentialsOfEnvironment(given: JsonObject, references: References): CredentialStore {
  const expect = async (members: readonly string[]): Promise<void> => {
    const [member] = await expectReferencesWritable(given, members, references);
    if (member === undefined) return;
    throw configError(
      `credentials.${member}: comes from the environment, where a new one cannot be kept; put credentials into a configuration file, or make it a reference such as ssm:/jira#${member}`,
      { code: 'CONFIG' },
    );
  };
  return {
    name: 'the environment',
    load: async () => (await readMembers(given, references.reader())).members,
    expectWritable: expect,
    save: async (members) => {
      await expect(Object.keys(members));
      await writeReferences(given, members, references);
    },
  };
}
