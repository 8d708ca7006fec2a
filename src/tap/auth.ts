import { createPrivateKey, createSign, randomBytes, type KeyObject } from 'node:crypto';
import OAuth from 'oauth-1.0a';
import { configError } from '../shared/errors.ts';
import type { HttpRequest } from '../shared/http/request.ts';
import type { Credential } from './config.ts';

/** The `Authorization` header of one attempt at a request; OAuth 1.0a makes a new nonce and time each call. */
export type Authorize = (request: Pick<HttpRequest, 'method' | 'url'>) => string;

/** How requests are authorized with a credential. A private key that cannot be read is a config error. */
export function authorizer(credential: Credential, now: () => number): Authorize {
  switch (credential.auth_type) {
    case 'personal_access_token': {
      const header = `Bearer ${credential.token.reveal()}`;
      return () => header;
    }
    case 'basic':
      return fixed(credential.username, credential.password.reveal());
    case 'api_token':
      return fixed(credential.email, credential.api_token.reveal());
    case 'oauth1': {
      const key = readPrivateKey(credential.private_key.reveal());
      return oauth1(credential.consumer_key, key, credential.access_token.reveal(), now);
    }
    default:
      return credential satisfies never;
  }
}

function fixed(user: string, password: string): Authorize {
  const header = `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;
  return () => header;
}

function readPrivateKey(pem: string): KeyObject {
  try {
    return createPrivateKey(pem);
  } catch (cause) {
    throw configError(
      'credentials.private_key: not a PEM private key; give the whole text, or a reference such as file:jira.pem',
      {
        code: 'CONFIG',
        cause,
      },
    );
  }
}

/**
 * RFC 5849 with RSA-SHA1, as Jira's application links require. The JSON body is not signed (section 3.4.1.3.1
 * signs form bodies only), and the token secret plays no part in RSA-SHA1.
 */
export function oauth1(consumerKey: string, key: KeyObject, token: string, now: () => number): Authorize {
  const oauth = new OAuth({
    consumer: { key: consumerKey, secret: '' },
    signature_method: 'RSA-SHA1',
    hash_function: (base) => createSign('RSA-SHA1').update(base).sign(key, 'base64'),
  });
  oauth.getNonce = () => randomBytes(16).toString('hex');
  oauth.getTimeStamp = () => Math.floor(now() / 1000);
  return ({ method, url }) => {
    const signed = oauth.authorize({ method, url }, { key: token, secret: '' });
    return oauth.toHeader(signed).Authorization;
  };
}
