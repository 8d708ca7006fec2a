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

  describe('of OAuth 1.0a, where signatures commonly break', () => {
    const authorize = authorizer(
      oauth1(privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()),
      Date.now,
    );
    const verifier = new OAuthVerifier(publicKey, 'Oauth Key/é', 'token');
    const SEARCH = 'https://jira.example/jira/rest/api/2/search';

    it.each([
      ['a plus for a space', `${SEARCH}?jql=project+%3D+ABC`],
      ['a plus that is one', `${SEARCH}?jql=a%2Bb`],
      ['= in a value', `${SEARCH}?jql=project=ABC&x==`],
      ['? in a value', `${SEARCH}?jql=summary~why?&y=??`],
      ['a name without value', `${SEARCH}?expand&fields=`],
      ['a query without anything', `${SEARCH}?`],
      ['duplicates', `${SEARCH}?fields=b&fields=a&fields=b`],
      ['duplicates of which one is empty', `${SEARCH}?expand=&expand=changelog`],
      ['names that begin alike', `${SEARCH}?a=2&a1=1&a-b=0&A=3&b=`],
      ['names and values beyond ASCII', `${SEARCH}?%C3%BC=%F0%9F%98%80&jql=M%C3%BCnchen`],
      ["what encodeURIComponent leaves alone: !'()*", `${SEARCH}?jql=!'()*`],
      ['names of members that every object has', `${SEARCH}?constructor=1&toString=2&hasOwnProperty=3`],
      ['a path with escapes', 'https://jira.example/rest/api/2/project/A%20B%2FC'],
    ])('%s', (_what, url) => {
      for (const method of ['GET', 'POST'] as const)
        expect(verifier.problemOf(method, url, authorize({ method, url }))).toBeUndefined();
    });

    it.each([
      ['the default port of HTTPS', 'https://jira.example:443/x?a=1', 'https://jira.example/x?a=1'],
      ['the default port of HTTP', 'http://jira.example:80/x', 'http://jira.example/x'],
      ['another port', 'https://jira.example:8443/x', 'https://jira.example:8443/x'],
      ['the default port of the other scheme', 'http://jira.example:443/x', 'http://jira.example:443/x'],
      ['a host in capitals', 'HTTPS://JIRA.Example/Path', 'https://jira.example/Path'],
      ['a fragment', 'https://jira.example/x?a=1#b', 'https://jira.example/x?a=1'],
    ])('%s', (_what, given, onTheWire) => {
      const header = authorize({ method: 'GET', url: given });
      expect(verifier.problemOf('GET', onTheWire, header)).toBeUndefined();
    });

    it('a request that is signed again, and is not changed by that', () => {
      const request = Object.freeze({
        method: 'POST',
        url: `${SEARCH}?jql=a+b&jql=c`,
        headers: {},
        body: '{"a":1}',
      });
      const headers = [1, 2, 3].map(() => authorize(request));
      for (const header of headers) {
        expect(verifier.problemOf('POST', request.url, header)).toBeUndefined();
        expect(header).not.toMatch(/jql|%22a%22/);
      }
      expect(new Set(headers).size).toBe(3);
    });

    it('a JSON body, which is not signed', () => {
      const url = `${SEARCH}?validateQuery=true`;
      const request = { method: 'POST', url, body: '{"jql":"a=b&c=d"}' } as const;
      expect(verifier.problemOf('POST', url, authorize(request))).toBeUndefined();
    });
  });

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
    const { privateKey: curve } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    for (const pem of [
      'hush hush',
      publicKey.export({ type: 'spki', format: 'pem' }).toString(),
      curve.export({ type: 'pkcs8', format: 'pem' }).toString(),
    ]) {
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
