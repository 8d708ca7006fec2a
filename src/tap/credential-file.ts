import { access, constants } from 'node:fs/promises';
import { dirname } from 'node:path';
import { readJsonObject, readText } from '../shared/config-file.ts';
import { setMembers } from '../shared/json/set-members.ts';
import { isObject, type JsonObject, type JsonValue } from '../shared/json/value.ts';
import type { References } from '../shared/references.ts';
import { replaceFile } from '../shared/replace-file.ts';
import {
  expectReferencesWritable,
  modeOf,
  readMembers,
  writeReferences,
  writing,
} from './credential-references.ts';
import type { CredentialMembers, CredentialStore } from './credential-store.ts';
import { withImpliedReferences } from './implied-references.ts';

const OWNER_ONLY = 0o600;

/**
 * The `credentials` of a configuration file. A member that is a reference is kept where that leads; one that is an
 * `env:` reference can be read only. Members whose reference leads nowhere (yet) are not there.
 */
export function credentialFile(path: string, references: References): CredentialStore {
  const written = async (): Promise<JsonObject> => {
    const { credentials } = (await readJsonObject(path, 'config')) as { credentials?: JsonValue };
    return isObject(credentials) ? withImpliedReferences(credentials) : {};
  };
  return {
    name: path,
    load: async () => (await readMembers(await written(), references.reader())).members,
    expectWritable: async (members) => {
      const inside = await expectReferencesWritable(await written(), members, references);
      if (inside.length > 0) await writing(path, () => access(dirname(path), constants.W_OK));
    },
    save: async (members) => {
      const before = await written();
      const inside = await writeReferences(before, members, references);
      if (Object.keys(inside).length > 0) await writeInside(path, before, inside);
    },
  };
}

/** A file that gets a secret it did not have is closed to others; one that had it keeps the mode it was given. */
async function writeInside(path: string, before: JsonObject, members: CredentialMembers): Promise<void> {
  const mode = (await modeOf(path)) ?? OWNER_ONLY;
  const isNew = Object.keys(members).some((member) => before[member] === undefined);
  const text = setMembers(await readText(path, 'config'), 'credentials', members);
  await writing(path, () => replaceFile(path, text, isNew ? mode & 0o700 : mode));
}
