import { generateKeyPairSync } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Secret } from '../../src/shared/secret.ts';
import { authorizer } from '../../src/tap/auth.ts';
import { OAuthVerifier } from '../support/oauth-verifier.ts';

const REQUEST = { method: 'GET', url: 'https://jira.example/rest/api/2/myself' } as const;
const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
const oauth1 = (pem: string) =>
  ({
    auth_type: 'oauth1',
    consumer_key: 'Oauth Key/é',
    private_key: new Secret(pem),
    access_token: new Secret('token'),
  }) as const;
const encode = (text: string): string =>
  encodeURIComponent(text).replaceAll(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);

describe('the Authorization header', () => {
  it.each([
    [{ auth_type: 'personal_access_token', token: new Secret('pat') } as const, 'Bearer pat'],
    [
      { auth_type: 'basic', username: 'ada', password: new Secret('pä:ss') } as const,
      `Basic ${Buffer.from('ada:pä:ss').toString('base64')}`,
    ],
    [
      { auth_type: 'api_token', email: 'a@b.c', api_token: new Secret('t') } as const,
      `Basic ${Buffer.from('a@b.c:t').toString('base64')}`,
    ],
  ])('of %j', (credential, header) => {
    expect(authorizer(credential, Date.now)(REQUEST)).toBe(header);
  });

  it.each(['pkcs8', 'pkcs1'] as const)(
    'of OAuth 1.0a is accepted by a strict server, whatever the query (%s)',
    (type) => {
      const authorize = authorizer(oauth1(privateKey.export({ type, format: 'pem' }).toString()), Date.now);
      const verifier = new OAuthVerifier(publicKey, 'Oauth Key/é', 'token');
      const text = fc.oneof(
        fc.string({ unit: 'grapheme' }),
        fc.constantFrom('project = ABC', "a+b=c&d?e!'()*", '100%', '%41', '', '😀'),
      );
      fc.assert(
        fc.property(
          fc.constantFrom('GET' as const, 'POST' as const),
          fc.uniqueArray(fc.tuple(fc.constantFrom('jql', 'fields', 'startAt'), text), {
            selector: ([name]) => name,
          }),
          (method, pairs) => {
            const query = pairs.map(([name, value]) => `${encode(name)}=${encode(value)}`).join('&');
            const url = `https://jira.example/jira/rest/api/2/search${query === '' ? '' : `?${query}`}`;
            expect(verifier.problemOf(method, url, authorize({ method, url })), url).toBeUndefined();
          },
        ),
        { numRuns: 60 },
      );
    },
  );

  it('of OAuth 1.0a has a new nonce and the time of each attempt', () => {
    let now = 1_700_000_000_000;
    const authorize = authorizer(
      oauth1(privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()),
      () => now,
    );
    const verifier = new OAuthVerifier(publicKey, 'Oauth Key/é', 'token');
    const first = authorize(REQUEST);
    expect(verifier.problemOf('GET', REQUEST.url, first, now)).toBeUndefined();
    expect(verifier.problemOf('GET', REQUEST.url, first, now)).toBe('nonce_used');
    now += 400_000;
    expect(verifier.problemOf('GET', REQUEST.url, authorize(REQUEST), now)).toBeUndefined();
    expect(verifier.problemOf('GET', `${REQUEST.url}?a=1`, authorize(REQUEST), now)).toBe(
      'signature_invalid',
    );
  });

  it('of OAuth 1.0a needs a private key, and does not show what it got instead', () => {
    for (const pem of ['hush hush', publicKey.export({ type: 'spki', format: 'pem' }).toString()]) {
      let error: unknown;
      try {
        authorizer(oauth1(pem), Date.now);
      } catch (thrown) {
        error = thrown;
      }
      expect(error).toMatchObject({
        kind: 'config',
        message: expect.stringContaining('credentials.private_key'),
      });
      expect((error as Error).message).not.toMatch(/hush|BEGIN/);
    }
  });
});
