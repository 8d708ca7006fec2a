import { configError, systemError } from '../shared/errors.ts';
import { Secret } from '../shared/secret.ts';
import type { AtlassianContext } from './atlassian.ts';
import { notLoggedIn } from './auth.ts';
import type { CredentialStore } from './credential-store.ts';
import { exchangeGrant, type Oauth2Credential, type Tokens } from './oauth2-token.ts';

/** The access token of a run, as the header that shows it. */
export type Oauth2Session = {
  /** The header of the present token, at once; of a new one when that ends soon. */
  readonly header: () => string | Promise<string>;
  /** Makes sure that a header which Jira refused is not used again; false if a new token cannot be the remedy. */
  readonly renew: (refused: string) => Promise<boolean>;
};

type Current = { readonly header: string; readonly since: number; readonly renewAt: number };

/** A token is renewed this long before its end. */
const MARGIN_MS = 60_000;
/** A token that is refused when it is younger is not refused for its age. */
const FRESH_MS = 30_000;
/** How long to look whether another process has stored the token that took the place of ours. */
const LOOK_AGAIN_MS = [0, 500, 1000, 2000, 4000];
const ROUNDS = 5;

/**
 * Gets access tokens for a refresh token, which changes with each use. The new one is stored before the access token
 * that came with it is used, so that whoever reads the store after a crash finds one that is good: the new one, or
 * the old one, which Atlassian takes for ten more minutes. That also lets several processes share a store: each
 * begins with what is in it, and looks again when its token is refused. Only one renewal is under way at a time.
 */
export function oauth2Session(
  credential: Oauth2Credential,
  store: CredentialStore | undefined,
  context: AtlassianContext,
): Oauth2Session {
  const { clock } = context;
  let current: Current | undefined;
  let renewing: Promise<string> | undefined;

  const storedToken = async (from: CredentialStore): Promise<string> => {
    const text = (await from.load())['refresh_token'];
    if (text === undefined) throw notLoggedIn(['refresh_token']);
    return new Secret(text).reveal();
  };

  /** The token that another process has stored by now in the place of `used`. */
  const changedToken = async (from: CredentialStore, used: string): Promise<string | undefined> => {
    for (const wait of LOOK_AGAIN_MS) {
      await clock.sleep(wait, context.signal);
      const token = await storedToken(from);
      if (token !== used) return token;
    }
    return undefined;
  };

  const exchange = async (from: CredentialStore): Promise<Tokens> => {
    let token: string | undefined = await storedToken(from);
    for (let round = 0; token !== undefined && round < ROUNDS; round++) {
      const grant = { grant_type: 'refresh_token', refresh_token: token };
      const tokens = await exchangeGrant(credential, grant, context);
      if (tokens !== 'refused') return tokens;
      token = await changedToken(from, token);
    }
    throw configError(
      'credentials.refresh_token: Atlassian does not take it any more: it was used elsewhere, was not used for 90 days, or access was revoked; run tap-jira authorize --config FILE',
      { code: 'AUTH' },
    );
  };

  const renewed = async (): Promise<string> => {
    if (store === undefined) throw systemError('an OAuth 2.0 session has no store for its refresh token');
    await store.expectWritable?.(['refresh_token']);
    const { accessToken, refreshToken, lifetimeMs } = await exchange(store);
    if (refreshToken !== undefined) await store.save({ refresh_token: refreshToken.reveal() });
    const since = clock.now();
    const header = `Bearer ${accessToken.reveal()}`;
    current = { header, since, renewAt: since + Math.max(lifetimeMs - MARGIN_MS, lifetimeMs / 2) };
    return header;
  };

  const renewOnce = (): Promise<string> =>
    (renewing ??= renewed().finally(() => {
      renewing = undefined;
    }));

  return {
    header: () => (current !== undefined && clock.now() < current.renewAt ? current.header : renewOnce()),
    renew: async (refused) => {
      if (current?.header !== refused) return true;
      if (clock.now() - current.since < FRESH_MS) return false;
      await renewOnce();
      return true;
    },
  };
}
