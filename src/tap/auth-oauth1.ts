import { createPrivateKey, createSign, randomBytes, type KeyObject } from 'node:crypto';
import OAuth from 'oauth-1.0a';
import { configError } from '../shared/errors.ts';
import type { HttpRequest } from '../shared/http/request.ts';

/** Who signs: the consumer of an incoming application link, with the private half of its key. */
export type Consumer = { readonly consumerKey: string; readonly key: KeyObject };

/** The `Authorization` header of one attempt at a request. `parameters` are OAuth's own, such as `oauth_token`. */
export type Oauth1Sign = (
  request: Pick<HttpRequest, 'method' | 'url'>,
  parameters: Readonly<Record<string, string>>,
) => string;

/**
 * RFC 5849 with RSA-SHA1, as Jira's application links require; a new nonce and time for each call. The JSON body is
 * not signed (section 3.4.1.3.1 signs form bodies only), and the token secret plays no part in RSA-SHA1. The library
 * gets the query taken apart: left to itself it signs a `+` for a space, cuts values at `=` and `?`, and loses the
 * first of two parameters of one name if that is empty.
 */
export function oauth1Signer({ consumerKey, key }: Consumer, now: () => number): Oauth1Sign {
  const oauth = new OAuth({
    consumer: { key: consumerKey, secret: '' },
    signature_method: 'RSA-SHA1',
    hash_function: (base) => signSha1(base, key),
  });
  oauth.getNonce = () => randomBytes(16).toString('hex');
  oauth.getTimeStamp = () => Math.floor(now() / 1000);
  return ({ method, url }, parameters) => {
    const { origin, pathname, searchParams } = new URL(url);
    const names = [...new Set(searchParams.keys())];
    const query = Object.fromEntries(names.map((name) => [name, searchParams.getAll(name)]));
    // The library writes into what it is given, so each call gives it something new.
    const signed = oauth.authorize({ method, url: origin + pathname, data: { ...query, ...parameters } });
    return oauth.toHeader({ ...signed, ...parameters }).Authorization;
  };
}

function signSha1(text: string, key: KeyObject): string {
  try {
    return createSign('RSA-SHA1').update(text).sign(key, 'base64');
  } catch (cause) {
    throw configError(
      'credentials: OAuth 1.0a needs SHA-1 signatures, which the cryptographic policy of this machine refuses (FIPS mode does); allow them for this program, or log in with a personal access token',
      { code: 'CONFIG', cause },
    );
  }
}

/** Reads an RSA private key; what is none is a config error that does not quote it. */
export function readPrivateKey(pem: string): KeyObject {
  let key: KeyObject | undefined;
  try {
    key = createPrivateKey(pem);
  } catch (cause) {
    throw configError(
      'credentials.private_key: not a PEM private key; give the whole text, or a reference such as file:jira.pem',
      { code: 'CONFIG', cause },
    );
  }
  if (key.asymmetricKeyType !== 'rsa')
    throw configError(
      `credentials.private_key: is of type ${key.asymmetricKeyType}, and OAuth 1.0a in Jira needs an RSA key`,
      { code: 'CONFIG' },
    );
  return key;
}
