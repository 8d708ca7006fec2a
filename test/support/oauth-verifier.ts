import type { KeyObject } from 'node:crypto';
import type { JiraRequest } from './jira/http.ts';
import { isSignedBy, oauthParameters, signatureBase } from './jira/oauth-signature.ts';
import type { JiraUser, Login } from './jira/state.ts';

const WINDOW_MS = 5 * 60_000;

/**
 * The other end of OAuth 1.0a for one token, as strict as Jira: RSA-SHA1 over a base string made from the request
 * line by RFC 5849, with fresh nonces and times. Made without the library that signs.
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
    const pairs = oauthParameters(header);
    const given = new Map(pairs);
    if (given.size < pairs.length) return 'parameter_rejected';
    if (given.get('oauth_consumer_key') !== this.#consumer) return 'consumer_key_unknown';
    if (given.get('oauth_token') !== this.#token) return 'token_rejected';
    if (given.get('oauth_signature_method') !== 'RSA-SHA1') return 'signature_method_rejected';
    if (Math.abs(Number(given.get('oauth_timestamp')) * 1000 - now) > WINDOW_MS) return 'timestamp_refused';
    const nonce = given.get('oauth_nonce') ?? '';
    if (nonce === '' || this.nonces.has(nonce)) return 'nonce_used';
    this.nonces.add(nonce);
    return isSignedBy(this.#key, signatureBase(method, url, pairs), given.get('oauth_signature') ?? '')
      ? undefined
      : 'signature_invalid';
  }
}
