import type { Clock } from '../shared/clock.ts';
import { configError, transientError } from '../shared/errors.ts';
import { Pace } from '../shared/http/pace.ts';
import {
  HttpFailure,
  type AnswerHeaders,
  type HttpRequest,
  type HttpResponse,
  type Send,
} from '../shared/http/request.ts';
import { retrying, type Attempt } from '../shared/http/retry.ts';
import { expectEnd, skipValue } from '../shared/json/scan.ts';
import { parseBytes, type JsonObject, type JsonValue } from '../shared/json/value.ts';
import type { Log } from '../shared/log.ts';
import { authorized, type Authorization } from './auth-send.ts';
import { errorFor, errorForFailure, isHtml } from './jira-errors.ts';

/** An address as it will stand on the wire (host in lower case, no default port), since OAuth signs it. */
export function siteAddress(baseUrl: string): string {
  return new URL(baseUrl).href.replace(/\/+$/, '');
}

/** A complete answer with a JSON body. */
export type Answer = { readonly status: number; readonly headers: AnswerHeaders; readonly bytes: Buffer };

export type RequestOptions = {
  /** Names the request in errors, for a person: "searching project ABC". */
  readonly what: string;
  /**
   * The answer may be too much for Jira to give: after two timeouts, cut answers or 500/502/504 the failure is
   * final, so that the caller can ask for less.
   */
  readonly heavy?: boolean;
  /** Statuses to be returned rather than thrown. */
  readonly accept?: readonly number[];
};

/** Jira's REST API: one method per verb, with identity, retries and limits taken care of. */
export type Client = {
  readonly baseUrl: string;
  /** `path` begins with `/rest`; `query` is encoded by RFC 3986. Throws `ConnectorError`. */
  readonly get: (
    path: string,
    query: Readonly<Record<string, string>>,
    options: RequestOptions,
  ) => Promise<Answer>;
  readonly post: (path: string, body: JsonObject, options: RequestOptions) => Promise<Answer>;
  /** A time at or before the server's present, in ms, from the `Date` of its last answer. */
  readonly serverNow: () => number;
};

export type ClientOptions = Authorization & {
  readonly baseUrl: string;
  readonly send: Send;
  readonly userAgent: string;
  readonly concurrency: number;
  readonly maxRetryMs: number;
  readonly clock: Clock;
  readonly log: Log;
  readonly signal: AbortSignal;
  /** Told when all requests are held back for so many milliseconds. */
  readonly onPause?: (ms: number) => void;
};

const HEAVY_TRIES = 2;
/** Before the first answer, what looks like a broken network is more likely a wrong address. */
const FIRST_CONTACT_TRIES = 3;
const SERVER_ERROR_TRIES = 4;

/** The answer of a request that is known to be JSON, parsed. */
export function json(answer: Answer): JsonValue {
  return parseBytes(answer.bytes);
}

export function createClient(options: ClientOptions): Client {
  const { clock, log, signal } = options;
  const baseUrl = siteAddress(options.baseUrl);
  const heavy = new WeakSet<HttpRequest>();
  let identity: string | undefined;
  let server: { readonly date: number; readonly at: number } | undefined;

  const exchange = authorized(options.send, options);
  const signed: Send = async (request, signal) => {
    const response = await exchange(request, signal);
    const date = Date.parse(response.headers.get('date') ?? '');
    if (!Number.isNaN(date)) server = { date, at: clock.elapsed() };
    return response;
  };

  const retryReason = (request: HttpRequest, attempt: Attempt, tries: number): string | undefined => {
    const give = (reason: string, limit: number): string | undefined => (tries < limit ? reason : undefined);
    if ('failure' in attempt) {
      const { reason, message } = attempt.failure;
      if (reason === 'certificate' || reason === 'too-large') return undefined;
      if (server === undefined)
        return reason === 'unknown-host' ? undefined : give(message, FIRST_CONTACT_TRIES);
      // A host that cannot be reached is down, whatever it was asked for.
      const tooMuch = heavy.has(request) && (reason === 'timeout' || reason === 'cut');
      return give(message, tooMuch ? HEAVY_TRIES : Infinity);
    }
    const { response } = attempt;
    if (isRefusedLogin(response)) return undefined;
    switch (response.status) {
      case 408:
      case 425:
      case 429:
      case 503:
        return `status ${response.status}`;
      case 502:
      case 504:
        return give(`status ${response.status}`, heavy.has(request) ? HEAVY_TRIES : Infinity);
      case 500:
        return give('status 500', heavy.has(request) ? HEAVY_TRIES : SERVER_ERROR_TRIES);
      default:
        if (isSomeoneElse(response)) return give('the session was lost', 3);
        return response.status === 200 && !isHtml(response) && !isJson(response.body, heavy.has(request))
          ? give('a broken answer', heavy.has(request) ? HEAVY_TRIES : SERVER_ERROR_TRIES)
          : undefined;
    }
  };

  /** The session of another user, or of nobody, answered: what it shows is not what this user may see. */
  const isSomeoneElse = (response: HttpResponse): boolean => {
    const name = userOf(response);
    return identity !== undefined && name !== undefined && name !== identity;
  };

  const pace = new Pace({
    concurrency: options.concurrency,
    clock,
    onPause: (ms, response) => {
      log.warning(
        `Jira asks to wait ${Math.ceil(ms / 1000)} s (${response.headers.get('ratelimit-reason') ?? response.status})`,
      );
      options.onPause?.(ms);
    },
  });
  const send = retrying(pace.paced(signed), {
    budgetMs: options.maxRetryMs,
    clock,
    retryReason,
    onRetry: (reason, ms, request) =>
      log.debug(
        `${request.method} ${new URL(request.url).pathname}: ${reason}; trying again in ${Math.round(ms)} ms`,
      ),
  });

  const request = async (
    http: HttpRequest,
    { what, heavy: isHeavy = false, accept = [] }: RequestOptions,
  ): Promise<Answer> => {
    if (isHeavy) heavy.add(http);
    let response: HttpResponse;
    try {
      response = await send(http, signal);
    } catch (error) {
      throw error instanceof HttpFailure ? errorForFailure(error, what, baseUrl) : error;
    }
    const { status, headers, body } = response;
    if (isRefusedLogin(response) && (status === 200 || accept.includes(status))) throw refusedLogin(what);
    if (status !== 200 && !accept.includes(status))
      throw errorFor(response, what, baseUrl, clock.now(), http.url);
    if (isSomeoneElse(response)) throw lostSession(what);
    if (status === 200) {
      if (isHtml(response)) throw errorFor(response, what, baseUrl, clock.now(), http.url);
      if (!isJson(body, isHeavy))
        throw transientError(`${what}: the answer is not complete JSON`, { code: 'SERVER' });
      identity ??= userOf(response);
    }
    return { status, headers, bytes: body };
  };

  const headers = {
    accept: 'application/json',
    'accept-language': 'en',
    'x-force-accept-language': 'true',
    'user-agent': options.userAgent,
    'x-atlassian-token': 'no-check',
  };
  return {
    baseUrl,
    get: (path, query, requestOptions) => {
      const search = Object.entries(query)
        .map(([name, value]) => `${strictEncode(name)}=${strictEncode(value)}`)
        .join('&');
      return request(
        { method: 'GET', url: `${baseUrl}${path}${search === '' ? '' : `?${search}`}`, headers },
        requestOptions,
      );
    },
    post: (path, body, requestOptions) =>
      request(
        {
          method: 'POST',
          url: `${baseUrl}${path}`,
          headers: { ...headers, 'content-type': 'application/json' },
          body: JSON.stringify(body),
        },
        requestOptions,
      ),
    serverNow: () =>
      server === undefined ? clock.now() : server.date + Math.floor(clock.elapsed() - server.at),
  };
}

/** The user an answer was made for, as Jira's headers tell it. */
function userOf(response: HttpResponse): string | undefined {
  return response.headers.get('x-ausername') ?? response.headers.get('x-aaccountid') ?? undefined;
}

/**
 * Jira did not accept the credentials, whatever the status: Cloud answers 200 or 404 as if nobody had logged in.
 * Never to be repeated, since Data Center locks the account.
 */
function isRefusedLogin({ headers }: HttpResponse): boolean {
  return /AUTHENTICATED_FAILED|AUTHENTICATION_DENIED/.test(headers.get('x-seraph-loginreason') ?? '');
}

function refusedLogin(what: string): Error {
  return configError(`${what}: Jira does not accept the credentials any more; check credentials`, {
    code: 'AUTH',
  });
}

function lostSession(what: string): Error {
  return transientError(
    `${what}: Jira answered as another user than at the start of the run, twice; run again`,
    { code: 'AUTH' },
  );
}

/** Of the answers with bodies of issues only the end is checked, since their reader checks every byte anyway. */
const CHECK_WHOLE_BYTES = 65_536;

function isJson(body: Buffer, isHeavy: boolean): boolean {
  if (isHeavy && body.length > CHECK_WHOLE_BYTES)
    return /[}\]]\s*$/.test(body.toString('latin1', body.length - 16));
  try {
    expectEnd(body, skipValue(body, 0, body.length), body.length);
    return true;
  } catch {
    return false;
  }
}

/** RFC 3986: `encodeURIComponent` leaves `!'()*` alone, and OAuth signatures do not. */
function strictEncode(text: string): string {
  return encodeURIComponent(text).replaceAll(
    /[!'()*]/g,
    (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}
