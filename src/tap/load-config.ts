import { parseConfig, readConfig, type ConfigSources } from '../shared/config.ts';
import { configError, type ConnectorError } from '../shared/errors.ts';
import { isObject, stringOf, type JsonObject } from '../shared/json/value.ts';
import {
  references,
  resolveReferences,
  type ReferenceReader,
  type References,
} from '../shared/references.ts';
import { isRemote } from '../shared/secret-stores/remote-texts.ts';
import { expectAuthorized, notLoggedIn } from './auth.ts';
import { TapConfig, type Config } from './config.ts';
import { credentialsOfEnvironment } from './credential-environment.ts';
import { credentialFile } from './credential-file.ts';
import { readMembers } from './credential-references.ts';
import type { CredentialStore } from './credential-store.ts';
import { areOfPost, siteOf, URLS_OF_POST, withImpliedReferences } from './implied-references.ts';

/** The settings, and where the credentials among them are kept. */
export type TapSetup = {
  readonly config: Config;
  readonly store: CredentialStore;
  /** The settings as they were written, with references in place. */
  readonly written: JsonObject;
};

/** Ways to log in whose secrets `tap-jira authorize` gets, so that these may be missing at first. */
const BY_DANCE: Readonly<Record<string, readonly string[]>> = {
  oauth1: ['private_key', 'access_token'],
  oauth2: ['refresh_token'],
};

/** Reads and checks the settings of a run. Where nobody has logged in yet, the error names the command for that. */
export async function loadTapConfig(sources: ConfigSources): Promise<TapSetup> {
  const { missing, ...setup } = await load(sources);
  const { credentials } = setup.config;
  const again = configOptions(sources.paths);
  for (const name of BY_DANCE[credentials.auth_type] ?? []) {
    const why = missing.get(name);
    if (why !== undefined)
      throw configError(`${why.message}; if nobody has logged in yet, run tap-jira authorize ${again}`, {
        code: 'AUTH',
      });
  }
  if (credentials.auth_type === 'oauth1') expectAuthorized(credentials, again);
  if (credentials.auth_type === 'oauth2' && credentials.refresh_token === undefined)
    throw notLoggedIn(['refresh_token'], again);
  return setup;
}

/** As `loadTapConfig`; what a login brings may be missing. */
export async function loadBeforeLogin(sources: ConfigSources): Promise<TapSetup> {
  const { config, store, written } = await load(sources);
  return { config, store, written };
}

/** `missing` is why members that are kept by AWS are not there. */
type Loaded = TapSetup & { readonly missing: ReadonlyMap<string, ConnectorError> };

async function load(sources: ConfigSources): Promise<Loaded> {
  const { values, originOf } = await readConfig(TapConfig, sources);
  const { credentials: given, ...others } = values;
  const credentials = isObject(given) ? withImpliedReferences(given) : undefined;
  const written: JsonObject = credentials === undefined ? values : { ...others, credentials };
  const kept = references(sources.env);
  const reader = kept.reader();
  const store = storeOf(originOf('credentials'), credentials ?? {}, kept);
  if (credentials === undefined || !(stringOf(credentials['auth_type']) in BY_DANCE)) {
    const resolved = await resolveReferences(written, reader);
    return { config: parseConfig(TapConfig, resolved, originOf), store, written, missing: new Map() };
  }
  const resolved = {
    ...(areOfPost(credentials) ? await siteOfPost(reader) : {}),
    ...(await resolveReferences(others, reader)),
  };
  const { members, missing } = await readMembers(credentials, reader);
  const config = parseConfig(
    TapConfig,
    { ...resolved, credentials: { ...withoutTexts(credentials), ...members } },
    originOf,
  );
  const remote = [...missing].filter(([name]) => isRemote(stringOf(credentials[name])));
  return { config, store, written, missing: new Map(remote) };
}

/** The address of Jira, which need not be given where the blog post's parameters have it. */
async function siteOfPost(reader: ReferenceReader): Promise<JsonObject> {
  for (const reference of URLS_OF_POST) {
    const found = await reader(reference, 'base_url');
    if ('text' in found) return { base_url: siteOf(found.text) };
  }
  return {};
}

function storeOf(origin: string, credentials: JsonObject, kept: References): CredentialStore {
  return origin === 'environment'
    ? credentialsOfEnvironment(credentials, kept)
    : credentialFile(origin, kept);
}

/** The options that name a configuration, as they may be pasted into a shell. */
export function configOptions(paths: readonly string[]): string {
  return paths
    .map((path) => `--config ${/^[\w./~-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`}`)
    .join(' ');
}

/** What is no text is for the schema to judge. */
function withoutTexts(credentials: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(credentials).filter(([, value]) => typeof value !== 'string'));
}
