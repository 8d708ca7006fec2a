import { configError, type ConnectorError } from '../shared/errors.ts';
import type { HttpRequest } from '../shared/http/request.ts';
import { oauth1Signer, readPrivateKey } from './auth-oauth1.ts';
import { Secret } from '../shared/secret.ts';
import type { Credential } from './config.ts';

type Request = Pick<HttpRequest, 'method' | 'url'>;

/** The `Authorization` header of one attempt at a request; OAuth 1.0a makes a new nonce and time each call. */
export type Authorize = (request: Request) => string | Promise<string>;

/** A credential whose headers need nobody else's help. */
type Complete = Exclude<Credential, { auth_type: 'oauth2' }>;

/** How requests are authorized with a credential. A private key that cannot be read is a config error. */
export function authorizer(credential: Complete, now: () => number): (request: Request) => string {
  switch (credential.auth_type) {
    case 'service_account':
    case 'personal_access_token': {
      const header = `Bearer ${credential.token.reveal()}`;
      return () => header;
    }
    case 'basic':
      return fixed(credential.username, credential.password.reveal());
    case 'api_token':
      return fixed(credential.email, credential.api_token.reveal());
    case 'oauth1': {
      const { private_key, access_token } = expectAuthorized(credential);
      const key = readPrivateKey(private_key.reveal());
      const sign = oauth1Signer({ consumerKey: credential.consumer_key, key }, now);
      const parameters = { oauth_token: access_token.reveal() };
      return (request) => sign(request, parameters);
    }
    default:
      return credential satisfies never;
  }
}

function fixed(user: string, password: string): () => string {
  const pair = new Secret(Buffer.from(`${user}:${password}`).toString('base64'));
  const header = `Basic ${pair.reveal()}`;
  return () => header;
}

type Oauth1Credential = Extract<Credential, { auth_type: 'oauth1' }>;
type Authorized = Oauth1Credential & { readonly private_key: Secret; readonly access_token: Secret };

/** The credential, if somebody has logged in with it; else a config error that names the command for that. */
export function expectAuthorized(credential: Oauth1Credential, configOptions = '--config FILE'): Authorized {
  const { private_key, access_token } = credential;
  if (private_key !== undefined && access_token !== undefined)
    return { ...credential, private_key, access_token };
  const missing = [
    ...(private_key === undefined ? ['private_key'] : []),
    ...(access_token === undefined ? ['access_token'] : []),
  ];
  throw notLoggedIn(missing, configOptions);
}

/** Members of the credentials are missing that `tap-jira authorize` brings. */
export function notLoggedIn(missing: readonly string[], configOptions = '--config FILE'): ConnectorError {
  return configError(
    `credentials: nobody has logged in yet (${missing.join(' and ')} missing); run tap-jira authorize ${configOptions}`,
    { code: 'AUTH' },
  );
}
