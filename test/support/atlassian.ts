import { createHash } from 'node:crypto';
import { json, type Answer, type Fault, type JiraRequest } from './jira/http.ts';
import { startJira, type Jira } from './jira/server.ts';
import type { Site } from './jira/site.ts';
import { DEFAULT_USER, type Login } from './jira/state.ts';

export const CLOUD_ID = '11223344-a1b2-3b33-c444-def123456789';
export const CLIENT = { id: 'client-id-1', secret: 'client-secret-hush' };
const SCOPES = ['read:jira-work', 'read:jira-user', 'offline_access'];

export type Resource = {
  readonly id: string;
  readonly url: string;
  readonly name: string;
  readonly scopes: readonly string[];
};

type Granted = { usedAt: number | undefined; readonly family: number };

export type AtlassianOptions = {
  readonly site: Site;
  readonly lifetimeSeconds?: number;
  /** How long a refresh token that was used may be used again. */
  readonly leewayMs?: number;
  /** A token that comes back too late is refused, but ends no other. */
  readonly lenient?: boolean;
  /** Instead of an answer, or undefined; sees what the token server did first. */
  readonly respond?: (request: JiraRequest) => Fault | undefined;
  readonly onRequest?: (request: JiraRequest) => void | Promise<void>;
  readonly authenticate?: (request: JiraRequest) => Login | undefined;
};

/**
 * Atlassian's login, gateway and one Jira Cloud site, all at one address. Refresh tokens rotate: one that was used
 * is taken again only within a leeway, and after that ends every token that came of it.
 */
export class Atlassian {
  /** What `accessible-resources` lists; the site alone, until a test says otherwise. */
  resources: readonly Resource[] = [];
  /** Every refresh token that was given out. */
  readonly refreshTokens = new Map<string, Granted>();
  readonly accessTokens = new Map<string, number>();
  /** Logins that were allowed: what each code was given out for. */
  readonly codes = new Map<string, URLSearchParams>();
  /** How the person at the browser decides. */
  allow = true;
  /** How often tokens were asked for, and how often refused. */
  asked = 0;
  refused = 0;
  /** What is added to the clock. */
  lateMs = 0;
  readonly jira: Jira;
  readonly #revoked = new Set<number>();
  readonly #options: AtlassianOptions;

  private constructor(jira: Jira, options: AtlassianOptions) {
    this.jira = jira;
    this.#options = options;
    this.resources = [{ id: CLOUD_ID, url: this.url, name: 'acme', scopes: SCOPES }];
  }

  static async start(options: AtlassianOptions): Promise<Atlassian> {
    const jira = await startJira({
      flavour: 'cloud',
      site: options.site,
      contextPath: `/ex/jira/${CLOUD_ID}`,
      authenticate: (request) => options.authenticate?.(request) ?? atlassian.#login(request),
      respond: (request) => atlassian.#answer(request),
      ...(options.onRequest === undefined ? {} : { onRequest: options.onRequest }),
    });
    const atlassian = new Atlassian(jira, options);
    return atlassian;
  }

  /** The address of the site, of the login and of the gateway. */
  get url(): string {
    return this.jira.url.slice(0, this.jira.url.indexOf('/ex/'));
  }

  /** A refresh token as a login gives it out. */
  login(): string {
    return this.#newRefreshToken(this.refreshTokens.size);
  }

  /** The settings of somebody who has logged in. */
  config(credentials: object = { refresh_token: this.login() }): {
    readonly base_url: string;
    readonly gateway_url: string;
    readonly credentials: object;
  } {
    const { id: client_id, secret: client_secret } = CLIENT;
    const oauth2 = { auth_type: 'oauth2', client_id, client_secret, auth_url: this.url };
    return {
      base_url: this.url,
      gateway_url: this.url,
      credentials: 'auth_type' in credentials ? credentials : { ...oauth2, ...credentials },
    };
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.jira.close();
  }

  #now(): number {
    return Date.now() + this.lateMs;
  }

  #answer(request: JiraRequest): Fault | undefined {
    const answer = this.#own(request);
    const instead = this.#options.respond?.(request);
    return (
      instead ?? (answer && { status: answer.status, headers: answer.headers, body: String(answer.body) })
    );
  }

  #own({ method, path, body, headers }: JiraRequest): Answer | undefined {
    if (path.startsWith('/authorize?')) return this.#ask(new URLSearchParams(path.slice(path.indexOf('?'))));
    switch (`${method} ${path}`) {
      case 'POST /oauth/token':
        return this.#token(JSON.parse(body) as Record<string, string>);
      case 'GET /oauth/token/accessible-resources':
        return this.#knows(headers.authorization)
          ? json(this.resources)
          : json({ code: 401, message: 'Unauthorized' }, 401);
      case 'GET /_edge/tenant_info':
        return json({ cloudId: CLOUD_ID });
      default:
        return undefined;
    }
  }

  /** The browser's way through the login: straight back with a code, or with a refusal. */
  #ask(query: URLSearchParams): Answer {
    const code = `code-${this.codes.size}-hush`;
    if (this.allow) this.codes.set(code, query);
    const back = new URL(query.get('redirect_uri')!);
    back.searchParams.set('state', query.get('state')!);
    const [name, value] = this.allow ? ['code', code] : ['error', 'access_denied'];
    back.searchParams.set(name, value);
    return { status: 302, headers: { Location: back.href }, body: '' };
  }

  /** A code is good once, for the same address, and for whoever knows the verifier. */
  #exchange({ code = '', redirect_uri, code_verifier = '' }: Readonly<Record<string, string>>): Answer {
    const query = this.codes.get(code);
    this.codes.delete(code);
    const challenge = createHash('sha256').update(code_verifier).digest('base64url');
    const matches = query?.get('redirect_uri') === redirect_uri && query?.get('code_challenge') === challenge;
    if (query !== undefined && matches) return this.tokens(this.refreshTokens.size);
    return json({ error: 'invalid_grant', error_description: 'Invalid authorization code' }, 403);
  }

  #token(form: Readonly<Record<string, string>>): Answer {
    this.asked += 1;
    if (form['client_id'] !== CLIENT.id || form['client_secret'] !== CLIENT.secret)
      return json({ error: 'access_denied', error_description: 'Unauthorized' }, 401);
    if (form['grant_type'] === 'authorization_code') return this.#exchange(form);
    const granted = this.refreshTokens.get(form['refresh_token'] ?? '');
    const now = this.#now();
    const late = granted?.usedAt !== undefined && now - granted.usedAt > (this.#options.leewayMs ?? 600_000);
    if (late && this.#options.lenient !== true) this.#revoked.add(granted.family);
    if (granted === undefined || late || this.#revoked.has(granted.family)) {
      this.refused += 1;
      return json({ error: 'unauthorized_client', error_description: 'refresh_token is invalid' }, 403);
    }
    granted.usedAt ??= now;
    return this.tokens(granted.family);
  }

  /** The answer that brings new tokens. */
  tokens(family: number): Answer {
    const access_token = `access-token-${this.accessTokens.size}-hush`;
    const expires_in = this.#options.lifetimeSeconds ?? 3600;
    this.accessTokens.set(access_token, this.#now() + expires_in * 1000);
    const refresh_token = this.#newRefreshToken(family);
    return json({ access_token, refresh_token, expires_in, scope: SCOPES.join(' '), token_type: 'Bearer' });
  }

  #newRefreshToken(family: number): string {
    const token = `refresh-token-${this.refreshTokens.size}-hush`;
    this.refreshTokens.set(token, { usedAt: undefined, family });
    return token;
  }

  #knows(header = ''): boolean {
    return (this.accessTokens.get(header.replace('Bearer ', '')) ?? 0) > this.#now();
  }

  #login({ headers }: JiraRequest): Login | undefined {
    if (this.#knows(headers.authorization)) return { user: DEFAULT_USER };
    return { refusal: json({ code: 401, message: 'Unauthorized' }, 401) };
  }
}
