import { createPublicKey, randomBytes, type KeyObject } from 'node:crypto';
import type { Answer, JiraRequest } from './http.ts';
import { isSignedBy, oauthParameters, signatureBase } from './oauth-signature.ts';
import type { JiraUser, Login } from './state.ts';

/** An incoming application link. */
export type Consumer = { readonly key: string; readonly name: string; readonly publicKey: KeyObject };

/** Somebody is asked whether a consumer may act for him. */
export type RequestToken = {
  readonly token: string;
  readonly consumer: Consumer;
  readonly callback: string;
  readonly ends: number;
  /** Who answered, and how: `verifier` is what the consumer has to show. */
  decision?: { readonly user: JiraUser; readonly verifier: string } | 'denied';
};

export type AccessToken = {
  readonly token: string;
  readonly consumer: Consumer;
  readonly user: JiraUser;
  readonly ends: number;
  readonly session: { readonly handle: string; readonly ends: number };
};

/** A refusal, in the words of OAuth. */
export class OAuthRefusal extends Error {
  readonly details: Readonly<Record<string, string>>;

  constructor(problem: string, details: Readonly<Record<string, string>> = {}) {
    super(problem);
    this.details = details;
  }
}

const WINDOW_MS = 5 * 60_000;
const YEAR_SECONDS = 365 * 24 * 3600;

const NEEDED = [
  'oauth_consumer_key',
  'oauth_signature_method',
  'oauth_signature',
  'oauth_timestamp',
  'oauth_nonce',
];

const random = (): string => randomBytes(16).toString('base64url');

/** OAuth 1.0a as Jira provides it: its application links and tokens, and a strict look at every signature. */
export class OAuthProvider {
  readonly consumers = new Map<string, Consumer>();
  readonly requestTokens = new Map<string, RequestToken>();
  readonly accessTokens = new Map<string, AccessToken>();
  readonly problems: string[] = [];
  requestTokenMs = 10 * 60_000;
  accessTokenSeconds = 5 * YEAR_SECONDS;
  sessionSeconds = 5 * YEAR_SECONDS + 30 * 24 * 3600;
  readonly #nonces = new Set<string>();
  readonly #now: () => number;
  readonly #origin: string;

  /** `base` is the address that the server believes it has. */
  constructor(base: string, now: () => number) {
    this.#origin = new URL(base).origin;
    this.#now = now;
  }

  /** Makes an incoming application link, as an administrator does, of what `authorize` says to type in. */
  link(key: string, publicKeyPem: string, name = 'Test consumer'): void {
    this.consumers.set(key, { key, name, publicKey: createPublicKey(publicKeyPem) });
  }

  /** The parameters of a request that its consumer has signed; else throws `OAuthRefusal`. */
  verified(request: JiraRequest): {
    readonly consumer: Consumer;
    readonly given: ReadonlyMap<string, string>;
  } {
    const pairs = oauthParameters(request.headers.authorization ?? '');
    const given = new Map(pairs);
    if (given.size < pairs.length) throw new OAuthRefusal('parameter_rejected');
    const absent = NEEDED.filter((name) => !given.has(name));
    if (absent.length > 0)
      throw new OAuthRefusal('parameter_absent', { oauth_parameters_absent: absent.join('&') });
    if ((given.get('oauth_version') ?? '1.0') !== '1.0') throw new OAuthRefusal('version_rejected');
    const consumer = this.consumers.get(given.get('oauth_consumer_key')!);
    if (consumer === undefined) throw new OAuthRefusal('consumer_key_unknown');
    if (given.get('oauth_signature_method') !== 'RSA-SHA1')
      throw new OAuthRefusal('signature_method_rejected');
    this.#expectFresh(given.get('oauth_timestamp')!, given.get('oauth_nonce')!);
    const base = signatureBase(request.method, this.#origin + request.path, pairs);
    if (!isSignedBy(consumer.publicKey, base, given.get('oauth_signature')!))
      throw new OAuthRefusal('signature_invalid', {
        oauth_signature: given.get('oauth_signature')!,
        oauth_signature_base_string: base,
        oauth_signature_method: 'RSA-SHA1',
      });
    return { consumer, given };
  }

  #expectFresh(timestamp: string, nonce: string): void {
    const now = this.#now();
    if (!(Math.abs(Number(timestamp) * 1000 - now) <= WINDOW_MS)) {
      const [from, to] = [now - WINDOW_MS, now + WINDOW_MS].map((ms) => Math.floor(ms / 1000));
      throw new OAuthRefusal('timestamp_refused', { oauth_acceptable_timestamps: `${from}-${to}` });
    }
    const seen = `${timestamp} ${nonce}`;
    if (this.#nonces.has(seen)) throw new OAuthRefusal('nonce_used');
    this.#nonces.add(seen);
  }

  ask(consumer: Consumer, callback: string): RequestToken {
    if (callback !== 'oob' && !/^https?:\/\/./.test(callback)) throw new OAuthRefusal('parameter_rejected');
    const ends = this.#now() + this.requestTokenMs;
    const asked = { token: random(), consumer, callback, ends };
    this.requestTokens.set(asked.token, asked);
    return asked;
  }

  /** A request token that can still be answered, or exchanged. */
  openRequest(token: string): RequestToken {
    const asked = this.requestTokens.get(token);
    if (asked === undefined) throw new OAuthRefusal('token_rejected');
    if (asked.ends < this.#now()) throw new OAuthRefusal('token_expired');
    return asked;
  }

  /** The verifier that goes back to the consumer. */
  decide(asked: RequestToken, user: JiraUser | undefined): string {
    const verifier = random().slice(0, 6);
    asked.decision = user === undefined ? 'denied' : { user, verifier };
    return user === undefined ? 'denied' : verifier;
  }

  exchange(consumer: Consumer, token: string, verifier: string | undefined): AccessToken {
    const asked = this.openRequest(token);
    if (asked.consumer !== consumer) throw new OAuthRefusal('token_rejected');
    if (asked.decision === undefined) throw new OAuthRefusal('permission_unknown');
    if (asked.decision === 'denied') throw new OAuthRefusal('permission_denied');
    if (asked.decision.verifier !== verifier) throw new OAuthRefusal('token_rejected');
    this.requestTokens.delete(token);
    const ends = this.#now() + this.sessionSeconds * 1000;
    return this.grant(consumer, asked.decision.user, { handle: random(), ends });
  }

  renew(consumer: Consumer, token: string, handle: string): AccessToken {
    const old = this.accessTokens.get(token);
    if (old?.consumer !== consumer || old.session.handle !== handle) throw new OAuthRefusal('token_rejected');
    if (old.session.ends < this.#now()) throw new OAuthRefusal('permission_denied');
    this.accessTokens.delete(token);
    return this.grant(consumer, old.user, old.session);
  }

  grant(consumer: Consumer, user: JiraUser, session: AccessToken['session']): AccessToken {
    const ends = this.#now() + this.accessTokenSeconds * 1000;
    const granted = { token: random(), consumer, user, ends, session };
    this.accessTokens.set(granted.token, granted);
    return granted;
  }

  /** Who sends a request to the REST API. */
  login(request: JiraRequest): Login {
    try {
      const { consumer, given } = this.verified(request);
      const token = this.accessTokens.get(given.get('oauth_token') ?? '');
      if (token?.consumer !== consumer) throw new OAuthRefusal('token_rejected');
      if (token.ends < this.#now()) throw new OAuthRefusal('token_expired');
      return { user: token.user };
    } catch (error) {
      return { refusal: this.refusal(error) };
    }
  }

  /** The answer to a request that was refused. */
  refusal(error: unknown): Answer {
    if (!(error instanceof OAuthRefusal)) throw error;
    this.problems.push(error.message);
    const realm = encodeURIComponent(this.#origin);
    return {
      status: 401,
      headers: {
        'WWW-Authenticate': `OAuth realm="${realm}", oauth_problem="${error.message}"`,
        'Content-Type': 'application/x-www-form-urlencoded',
      },
      body: String(new URLSearchParams({ oauth_problem: error.message, ...error.details })),
    };
  }
}
