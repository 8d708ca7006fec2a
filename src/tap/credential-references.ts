import { access, constants, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { configError, errnoOf, messageOf, type ConnectorError } from '../shared/errors.ts';
import type { JsonObject } from '../shared/json/value.ts';
import type { ReferenceReader, References } from '../shared/references.ts';
import { replaceFile } from '../shared/replace-file.ts';
import { isRemote, type Place } from '../shared/secret-stores/remote-texts.ts';
import type { CredentialMembers } from './credential-store.ts';
import { areOfPost, readAsInPost } from './implied-references.ts';

/** The members of credentials as text, and why others are not there (yet). */
export type ReadMembers = {
  readonly members: CredentialMembers;
  readonly missing: ReadonlyMap<string, ConnectorError>;
};

const OWNER_ONLY = 0o600;

/** Reads the members that are text, references followed; see `readAsInPost` for those of the blog post. */
export async function readMembers(credentials: JsonObject, reader: ReferenceReader): Promise<ReadMembers> {
  const members: Record<string, string> = {};
  const missing = new Map<string, ConnectorError>();
  await Promise.all(
    Object.entries(credentials).map(async ([name, text]) => {
      if (typeof text !== 'string') return;
      const found = await reader(text, `credentials.${name}`);
      if ('text' in found) members[name] = found.text;
      else missing.set(name, found.missing);
    }),
  );
  return { members: areOfPost(credentials) ? readAsInPost(members) : members, missing };
}

/**
 * Throws a config error if one of these members is a reference through which no new value can be kept; changes
 * nothing. Returns those that are no references.
 */
export async function expectReferencesWritable(
  credentials: JsonObject,
  names: readonly string[],
  references: References,
): Promise<readonly string[]> {
  const { inside, files, remote } = sorted(credentials, names);
  for (const { path } of files) await writing(path, () => access(dirname(path), constants.W_OK));
  await references.expectWritable(remote);
  return inside;
}

/** Writes the members that are references where they lead, and returns the others. */
export async function writeReferences(
  credentials: JsonObject,
  members: CredentialMembers,
  references: References,
): Promise<CredentialMembers> {
  const { inside, files, remote } = sorted(credentials, Object.keys(members));
  await references.write(remote.map((place) => ({ ...place, text: members[place.name]! })));
  for (const { name, path } of files) {
    const text = members[name]!.replace(/\n?$/, '\n');
    const mode = (await modeOf(path)) ?? OWNER_ONLY;
    await writing(path, () => replaceFile(path, text, mode));
  }
  return Object.fromEntries(inside.map((name) => [name, members[name]!]));
}

type Named = { readonly name: string };
type Sorted = {
  readonly inside: string[];
  readonly files: (Named & { readonly path: string })[];
  readonly remote: (Named & Place)[];
};

/** Members by where they are kept. Throws for one that is a variable, since nobody could read it there again. */
function sorted(credentials: JsonObject, names: readonly string[]): Sorted {
  const places: Sorted = { inside: [], files: [], remote: [] };
  for (const name of names) {
    const text = credentials[name];
    const reference = typeof text === 'string' ? text : '';
    const setting = `credentials.${name}`;
    if (reference.startsWith('env:'))
      throw configError(
        `${setting}: a new value cannot be put into the environment variable ${reference.slice(4)}; write "file:PATH" instead of "${reference}", or leave it out to have it kept in the configuration file`,
        { code: 'CONFIG' },
      );
    if (reference.startsWith('file:')) places.files.push({ name, path: reference.slice(5) });
    else if (isRemote(reference)) places.remote.push({ name, reference, setting });
    else places.inside.push(name);
  }
  return places;
}

/** The permission bits of a file, if it exists. */
export async function modeOf(path: string): Promise<number | undefined> {
  const found = await stat(path).catch(() => undefined);
  return found === undefined ? undefined : found.mode & 0o777;
}

/** Does what writes to a file; what goes wrong is a config error that names the file. */
export async function writing(path: string, write: () => Promise<void>): Promise<void> {
  try {
    await write();
  } catch (cause) {
    throw configError(
      `${path}: cannot be written (${errnoOf(cause) ?? messageOf(cause)}), so the new credentials have no place; give this user write permission to it and its folder`,
      { code: 'BAD_FILE', cause },
    );
  }
}
