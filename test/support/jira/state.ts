import type { JiraRequest, Answer, Fault, Headers } from './http.ts';
import type { Flavour, Issue, View } from './model.ts';
import type { BrowserSession } from './oauth-servlets.ts';
import { OAuthProvider } from './oauth.ts';
import { writeIssue, writePerson } from './render.ts';
import type { Selection } from './selection.ts';
import type { Site } from './site.ts';

/** Somebody who may log in. */
export type JiraUser = {
  readonly name: string;
  readonly email?: string;
  /** Data Center: for basic authentication. */
  readonly password?: string;
  /** A bearer token: a personal access token on Data Center, a gateway token on Cloud. */
  readonly token?: string;
  /** Cloud: for basic authentication with the e-mail address. */
  readonly apiToken?: string;
  readonly timeZone?: string;
  readonly displayName?: string;
  readonly accountId?: string;
  /** Keys of the projects that this user may browse; all when absent. */
  readonly projects?: readonly string[];
};

/** Who a request turned out to be from: a user, nobody, or somebody turned away. */
export type Login = { readonly user?: JiraUser; readonly headers?: Headers; readonly refusal?: Answer };

/** Peculiarities of paging; all of them happen on real sites, each by itself rarely. */
export type Quirks = {
  /** Data Center: what `total` claims. */
  readonly lyingTotal?: (total: number) => number;
  /** Cloud: how many rows a page gets of those asked for. */
  readonly pageRows?: (asked: number, page: number) => number;
  /** Cloud: every so many pages one is empty, though it has a token and more rows follow. */
  readonly emptyPageEvery?: number;
  readonly omitIsLast?: boolean;
  /** Cloud: the last page has `nextPageToken: null` instead of none. */
  readonly nullToken?: boolean;
  /** Cloud: a page asked for with a token gives the same token back. */
  readonly repeatToken?: boolean;
  readonly tokenLifetimeMs?: number;
  /** Cloud: rows per page when more than id, key, updated and created is asked for. */
  readonly heavyPageRows?: number;
  /** Cloud's bulk changelog: `created` as a number of milliseconds. */
  readonly numericChangelogDates?: boolean;
};

export type RateLimit =
  | {
      readonly kind: 'bucket';
      readonly limit: number;
      readonly fillRate: number;
      readonly intervalSeconds: number;
    }
  | { readonly kind: 'burst'; readonly limit: number; readonly windowMs?: number };

export type JiraOptions = {
  readonly flavour: Flavour;
  readonly site: Site;
  /** Default `/jira` on Data Center, none on Cloud. */
  readonly contextPath?: string;
  /** Default: one user who sees everything. */
  readonly users?: readonly JiraUser[];
  /** The address that the server believes it has, for `self` links and `serverInfo`. */
  readonly baseUrl?: string;
  /** Zone of the server and of those whose profile names none. */
  readonly timeZone?: string;
  readonly version?: string;
  readonly cloudId?: string;
  /** Data Center: the most rows a search page may have. */
  readonly maxResultsCap?: number;
  readonly caps?: Partial<View['caps']>;
  readonly rateLimit?: RateLimit;
  /** Data Center: how many nodes answer in turn. */
  readonly nodes?: number;
  readonly quirks?: Quirks;
  /** Compress answers for clients that ask for it. */
  readonly gzip?: boolean;
  /** Keep `requests`; default true. */
  readonly record?: boolean;
  /** Most bytes of rendered issues to keep; default 256 MiB. */
  readonly cacheBytes?: number;
  /** Called before a request is served. */
  readonly onRequest?: (request: JiraRequest) => void | Promise<void>;
  readonly respond?: (request: JiraRequest) => Fault | undefined;
  /** Decides who asks; `undefined` leaves it to the built-in ways. */
  readonly authenticate?: (request: JiraRequest) => Login | undefined | Promise<Login | undefined>;
};

/** Someone who sees every project of a site; what tests log in as when they do not care. */
export const DEFAULT_USER: JiraUser = {
  name: 'ada',
  email: 'ada@example.com',
  password: 'correct horse',
  token: 'pat-ada',
  apiToken: 'api-token-ada',
};

/** A server with what it remembers between requests. */
export class ServerState {
  readonly options: JiraOptions;
  readonly site: Site;
  readonly flavour: Flavour;
  readonly users: readonly JiraUser[];
  readonly contextPath: string;
  readonly base: string;
  readonly quirks: Quirks;
  /** Failed logins since the last good one, by name. */
  readonly failures = new Map<string, number>();
  /** Application links and tokens. */
  readonly oauth: OAuthProvider;
  /** Who is logged in with a browser, by cookie. */
  readonly browserSessions = new Map<string, BrowserSession>();
  readonly buckets = new Map<string, { tokens: number; at: number }>();
  loginFailures = 0;
  /** So many coming requests are answered as if nobody were logged in. */
  anonymousRequests = 0;
  /** Pages of token searches served. */
  pages = 0;
  requestCount = 0;
  readonly #views = new Map<string, View>();
  readonly #cache = new Map<Issue, { variant: string; bytes: Buffer }>();
  #cachedBytes = 0;

  constructor(options: JiraOptions, address: string) {
    this.options = options;
    this.site = options.site;
    this.flavour = options.flavour;
    this.users = options.users ?? [DEFAULT_USER];
    this.contextPath = options.contextPath ?? (options.flavour === 'datacenter' ? '/jira' : '');
    this.base = options.baseUrl ?? address + this.contextPath;
    this.quirks = options.quirks ?? {};
    this.oauth = new OAuthProvider(this.base, () => this.site.now());
  }

  zoneOf(user: JiraUser | undefined): string {
    return user?.timeZone ?? this.options.timeZone ?? 'UTC';
  }

  view(user: JiraUser | undefined, api: 2 | 3): View {
    const id = `${api} ${user?.name ?? ''}`;
    let view = this.#views.get(id);
    if (view === undefined) {
      const people = new Map<string, string>();
      const made: View = {
        flavour: this.flavour,
        api,
        zone: this.zoneOf(user),
        base: this.base,
        reader: user?.name ?? '',
        memo: new WeakMap(),
        caps: { comments: 20, worklogs: 20, histories: 40, ...this.options.caps },
        person: (name) => {
          const text = people.get(name) ?? this.#person(name, made);
          people.set(name, text);
          return text;
        },
      };
      view = made;
      this.#views.set(id, view);
    }
    return view;
  }

  #person(name: string, view: View): string {
    const person = this.site.people.get(name);
    return person === undefined ? 'null' : writePerson(person, view);
  }

  /** An issue's JSON; long ones are kept for the next time. */
  writeIssue(issue: Issue, view: View, selection: Selection, changelog: boolean): string | Buffer {
    if (issue.raw !== undefined || selection.light)
      return writeIssue(issue, view, selection, changelog, this.site);
    const variant = `${view.api} ${view.reader} ${changelog} ${selection.signature}`;
    const kept = this.#cache.get(issue);
    if (kept?.variant === variant) return kept.bytes;
    const bytes = Buffer.from(writeIssue(issue, view, selection, changelog, this.site));
    if (kept !== undefined) this.#cachedBytes -= kept.bytes.length;
    this.#cache.set(issue, { variant, bytes });
    this.#cachedBytes += bytes.length;
    for (const [oldest, { bytes }] of this.#cache) {
      if (this.#cachedBytes <= (this.options.cacheBytes ?? 256 << 20)) break;
      this.#cache.delete(oldest);
      this.#cachedBytes -= bytes.length;
    }
    return bytes;
  }
}

/** Everything a route needs to answer one request. */
export type Exchange = {
  readonly state: ServerState;
  readonly request: JiraRequest;
  readonly user: JiraUser | undefined;
  readonly view: View;
  readonly now: number;
  readonly sees: (projectKey: string) => boolean;
};
