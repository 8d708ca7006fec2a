import { createVerify, type KeyObject } from 'node:crypto';
import type { JiraRequest } from './jira/http.ts';
import type { JiraUser, Login } from './jira/state.ts';

const WINDOW_MS = 5 * 60_000;

/** RFC 3986, as RFC 5849 section 3.6 wants it. */
const encode = (text: string): string =>
  encodeURIComponent(text).replaceAll(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);

/**
 * The other end of OAuth 1.0a, as strict as Jira: RSA-SHA1 over a base string made from the request line by
 * RFC 5849, with fresh nonces and times. Made without the library that signs.
 */
export class OAuthVerifier {
  readonly nonces = new Set<string>();
  readonly problems: string[] = [];
  readonly #key: KeyObject;
  readonly #consumer: string;
  readonly #token: string;

  constructor(key: KeyObject, consumer: string, token: string) {
    this.#key = key;
    this.#consumer = consumer;
    this.#token = token;
  }

  /** For a simulated Jira: the user, or a refusal in Jira's words. */
  login(request: JiraRequest, user: JiraUser): Login {
    const problem = this.problemOf(
      request.method,
      `http://${request.headers.host ?? ''}${request.path}`,
      request.headers.authorization ?? '',
    );
    if (problem === undefined) return { user };
    this.problems.push(problem);
    const headers = { 'WWW-Authenticate': `OAuth realm="x", oauth_problem="${problem}"` };
    return { refusal: { status: 401, headers, body: `oauth_problem=${problem}` } };
  }

  /** What is wrong with the header of a request to `url` (as on the wire), in the words of OAuth. */
  problemOf(method: string, url: string, header: string, now = Date.now()): string | undefined {
    const given = new Map(
      [...header.matchAll(/(\w+)="([^"]*)"/g)].map(([, name, value]) => [name!, decodeURIComponent(value!)]),
    );
    if (given.get('oauth_consumer_key') !== this.#consumer) return 'consumer_key_unknown';
    if (given.get('oauth_token') !== this.#token) return 'token_rejected';
    if (given.get('oauth_signature_method') !== 'RSA-SHA1') return 'signature_method_rejected';
    if (Math.abs(Number(given.get('oauth_timestamp')) * 1000 - now) > WINDOW_MS) return 'timestamp_refused';
    const nonce = given.get('oauth_nonce') ?? '';
    if (nonce === '' || this.nonces.has(nonce)) return 'nonce_used';
    this.nonces.add(nonce);
    const verify = createVerify('RSA-SHA1').update(baseString(method, url, given));
    return verify.verify(this.#key, given.get('oauth_signature') ?? '', 'base64')
      ? undefined
      : 'signature_invalid';
  }
}

function baseString(method: string, url: string, oauth: ReadonlyMap<string, string>): string {
  const [address = '', query = ''] = url.split(/\?(.*)/s, 2);
  const pairs = query === '' ? [] : query.split('&').map((pair) => pair.split(/=(.*)/s, 2));
  // `+` in a query is a space to Java, which reads it as a form.
  const decoded = pairs.map(([name = '', value = '']) =>
    [name, value].map((text) => decodeURIComponent(text.replaceAll('+', ' '))),
  );
  const signed = [...oauth].filter(([name]) => name.startsWith('oauth_') && name !== 'oauth_signature');
  const all = [...decoded, ...signed].map(([name, value]) => `${encode(name!)}=${encode(value!)}`);
  return [method, address, all.toSorted().join('&')].map(encode).join('&');
}
