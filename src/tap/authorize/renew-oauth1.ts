import { messageOf } from '../../shared/errors.ts';
import type { Log } from '../../shared/log.ts';
import { Secret } from '../../shared/secret.ts';
import { expectAuthorized } from '../auth.ts';
import { readPrivateKey } from '../auth-oauth1.ts';
import type { Credential } from '../config.ts';
import type { CredentialMembers, CredentialStore } from '../credential-store.ts';
import { membersOf, renewedToken, TOKEN_MEMBERS, type Parties } from './oauth1-tokens.ts';
import { endsSoon, isOver } from './status.ts';

export type Oauth1Credential = Extract<Credential, { auth_type: 'oauth1' }>;

export type RenewOptions = {
  readonly parties: Omit<Parties, 'consumer'>;
  readonly store: CredentialStore;
  readonly log: Log;
};

/**
 * The credential, its access token renewed by the session handle if it ends soon. The new token is stored before it
 * is used, and the store is tried out before Jira is asked, since the old token ends with that. As long as the old
 * token lasts, a renewal that fails is a warning.
 */
export async function withFreshToken(
  credential: Oauth1Credential,
  options: RenewOptions,
): Promise<Oauth1Credential> {
  const { parties, store, log } = options;
  if (!endsSoon(credential.expires_at, parties.now())) return credential;
  const latest = withMembers(credential, await store.load()); // another run may have renewed it
  if (!endsSoon(latest.expires_at, parties.now())) return latest;
  try {
    return await renewed(latest, options);
  } catch (error) {
    const now = withMembers(credential, await store.load());
    if (now.access_token?.reveal() !== latest.access_token?.reveal()) return now;
    if (isOver(latest.expires_at, parties.now())) throw error;
    log.warning(`the access token ends on ${latest.expires_at} and is not renewed: ${messageOf(error)}`);
    return latest;
  }
}

async function renewed(
  credential: Oauth1Credential,
  { parties, store, log }: RenewOptions,
): Promise<Oauth1Credential> {
  const { private_key, access_token, session_handle, session_expires_at } = expectAuthorized(credential);
  if (session_handle === undefined || isOver(session_expires_at, parties.now())) {
    log.warning(
      `the access token ends on ${credential.expires_at} and cannot be renewed; run tap-jira authorize --config FILE before that`,
    );
    return credential;
  }
  await store.save({ session_handle: session_handle.reveal() });
  const consumer = { consumerKey: credential.consumer_key, key: readPrivateKey(private_key.reveal()) };
  const members = membersOf(await renewedToken({ ...parties, consumer }, access_token, session_handle));
  await store.save(members);
  log.info(`the access token was renewed and now ends on ${members['expires_at'] ?? 'an unknown day'}`);
  return withMembers(credential, members);
}

/** A credential whose tokens are those of a store. */
export function withMembers(credential: Oauth1Credential, members: CredentialMembers): Oauth1Credential {
  const secrets = ['private_key', 'access_token', 'access_token_secret', 'session_handle'];
  const kept = [...secrets, ...TOKEN_MEMBERS].flatMap((name) => {
    const text = members[name];
    return text === undefined ? [] : [[name, secrets.includes(name) ? new Secret(text) : text]];
  });
  return { ...credential, ...(Object.fromEntries(kept) as Partial<Oauth1Credential>) };
}
