import { configError } from '../shared/errors.ts';
import { isObject, stringOf, type JsonObject, type JsonValue } from '../shared/json/value.ts';
import { redact, Secret } from '../shared/secret.ts';
import { askAtlassian, type AtlassianContext } from './atlassian.ts';
import type { Credential } from './config.ts';

export type Oauth2Credential = Extract<Credential, { auth_type: 'oauth2' }>;

/** What a grant brings. */
export type Tokens = {
  readonly accessToken: Secret;
  /** The next refresh token; undefined where the old one goes on. */
  readonly refreshToken: Secret | undefined;
  readonly lifetimeMs: number;
};

/** What tokens are asked for with: a refresh token, or the code of a login. */
export type Grant = { readonly grant_type: string } & Readonly<Record<string, string>>;

const DEFAULT_LIFETIME_S = 3600;

/**
 * Exchanges a grant for tokens (RFC 6749). `refused` if it is not good (any more). A request without an answer is
 * sent again with the same grant: Atlassian takes a used refresh token for ten more minutes.
 */
export async function exchangeGrant(
  credential: Oauth2Credential,
  grant: Grant,
  context: AtlassianContext,
): Promise<Tokens | 'refused'> {
  const what = 'asking Atlassian for an access token';
  const { status, body } = await askAtlassian(context, {
    method: 'POST',
    url: `${credential.auth_url.replace(/\/+$/, '')}/oauth/token`,
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      ...grant,
      client_id: credential.client_id,
      client_secret: credential.client_secret.reveal(),
    }),
    what,
    setting: 'credentials.auth_url',
  });
  const answer: JsonObject = isObject(body) ? body : {};
  if (status === 200 && typeof answer['access_token'] === 'string') return tokensOf(answer);
  const error = textIn(answer['error']);
  const description = textIn(answer['error_description']);
  if (error === 'invalid_grant' || /refresh_token is invalid|unknown or invalid refresh/i.test(description))
    return 'refused';
  const said = [error, description].filter((text) => text !== '').join(': ');
  const advice = /access_denied|invalid_client|unauthorized_client/.test(error)
    ? 'check credentials.client_id and credentials.client_secret'
    : 'check credentials.auth_url';
  throw configError(`${what}: refused (${status}${said === '' ? '' : `, ${said}`}); ${advice}`, {
    code: 'AUTH',
  });
}

function tokensOf(answer: JsonObject): Tokens {
  const { access_token, refresh_token, expires_in } = answer;
  const seconds = Number(expires_in);
  return {
    accessToken: new Secret(stringOf(access_token)),
    refreshToken: typeof refresh_token === 'string' ? new Secret(refresh_token) : undefined,
    lifetimeMs: (seconds > 0 ? seconds : DEFAULT_LIFETIME_S) * 1000,
  };
}

function textIn(value: JsonValue | undefined): string {
  return typeof value === 'string' ? redact(value).replaceAll(/\s+/g, ' ').slice(0, 200) : '';
}
