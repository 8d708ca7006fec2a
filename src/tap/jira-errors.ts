import { configError, transientError, type ConnectorError } from '../shared/errors.ts';
import type { AnswerHeaders, HttpFailure, HttpResponse } from '../shared/http/request.ts';
import { isObject, type JsonValue } from '../shared/json/value.ts';
import { redact } from '../shared/secret.ts';
import { oauthError, oauthProblemOf } from './oauth-problem.ts';
import { scopesFor } from './scopes.ts';

/**
 * What an error concerns. `site`: every project (login, host, limits), so the run stops. `request`: this request
 * only. The code of the `ConnectorError` is one of these words.
 */
export const SITE_CODES: ReadonlySet<string> = new Set([
  'AUTH',
  'DENIED',
  'CONNECT',
  'NOT_JIRA',
  'UNAVAILABLE',
]);

/** The first words of what Jira said, from any of its error envelopes; empty when it was a web page. */
export function jiraMessage(response: HttpResponse): string {
  const body = parsed(response.body);
  if (!isObject(body)) return isHtml(response) ? '' : oneLine(response.body.toString('utf8', 0, 4000));
  const messages = Array.isArray(body['errorMessages']) ? body['errorMessages'].map(textOf) : [];
  const fields = isObject(body['errors'])
    ? Object.entries(body['errors']).map(([name, text]) => `${name}: ${JSON.stringify(text)}`)
    : [];
  const single = ['message', 'detail', 'title', 'error']
    .map((name) => body[name])
    .find((value) => typeof value === 'string');
  return oneLine([...messages, ...fields].join(' ') || (single ?? ''));
}

/** `String` would fail on an object with a member called `toString`, which Jira's histories have. */
function textOf(value: JsonValue): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/** Secrets are taken out first: half of one would not be known any more. */
function oneLine(text: string): string {
  return redact(text).replaceAll(/\s+/g, ' ').trim().slice(0, 300);
}

function parsed(body: Buffer): JsonValue | undefined {
  try {
    return JSON.parse(body.toString('utf8')) as JsonValue;
  } catch {
    return undefined;
  }
}

/** True when the answer is a web page: a login page, a proxy's page, Jira starting up. */
export function isHtml(response: HttpResponse): boolean {
  return (
    /html/i.test(response.headers.get('content-type') ?? '') ||
    /^\s*<(!doctype|html)/i.test(response.body.toString('latin1', 0, 64))
  );
}

/**
 * The error for an answer that is not the one asked for. `what` names the request for a person, `now` is this
 * machine's clock, `url` is what was asked.
 */
export function errorFor(
  response: HttpResponse,
  what: string,
  baseUrl: string,
  now: number,
  url = baseUrl,
): ConnectorError {
  const problem = response.status < 400 ? undefined : oauthProblemOf(response);
  if (problem !== undefined) return oauthError(problem, response, { what, baseUrl, now });
  const said = jiraMessage(response);
  const quote = said === '' ? '' : `; Jira says: ${said}`;
  const { status, headers } = response;
  if (status >= 300 && status < 400) {
    return configError(
      `${what}: ${baseUrl} redirects to ${hostOf(headers.get('location'), baseUrl)}; set base_url to the address Jira really has`,
      {
        code: 'NOT_JIRA',
      },
    );
  }
  if (status < 300) {
    return configError(
      `${what}: ${baseUrl} answered with a web page instead of JSON (a login page or a proxy); check base_url and proxy_url`,
      { code: 'NOT_JIRA' },
    );
  }
  switch (status) {
    case 401:
      return unauthorized(response, what, quote, url);
    case 403:
      return lacksScope(response) ? missingScope(what, 403, url) : forbidden(response, what, quote);
    case 404:
      return configError(`${what}: not found or not visible to this user (404)${quote}`, {
        code: 'NOT_FOUND',
      });
    case 410:
      return configError(`${what}: this Jira no longer offers it (410)${quote}`, { code: 'GONE' });
    case 429:
      return transientError(
        `${what}: Jira limits the rate of requests and max_retry_seconds is used up${retryHint(headers)}${quote}; run again later or lower concurrency`,
        { code: 'UNAVAILABLE' },
      );
    case 503:
      return transientError(
        `${what}: Jira is not available (503)${retryHint(headers)}${quote}; run again later`,
        { code: 'UNAVAILABLE' },
      );
    default:
      return status >= 500 || status === 408 || status === 425
        ? transientError(`${what}: Jira failed (${status})${quote}`, { code: 'SERVER' })
        : configError(
            `${what}: Jira refused the request (${status})${quote}; if it names a field or a clause, check jql and fields`,
            { code: 'REFUSED' },
          );
  }
}

function retryHint(headers: AnswerHeaders): string {
  const after = headers.get('retry-after');
  return after === null ? '' : ` (Retry-After: ${after.slice(0, 40)})`;
}

const NO_SCOPE = /scope does not match/i;

function lacksScope(response: HttpResponse): boolean {
  return NO_SCOPE.test(response.body.toString('utf8', 0, 500));
}

function missingScope(what: string, status: number, url: string): ConnectorError {
  return configError(
    `${what}: the token lacks a scope (${status}); it needs ${scopesFor(url)}: make a token that has it, or add it to the app and run tap-jira authorize`,
    { code: 'AUTH' },
  );
}

function unauthorized(response: HttpResponse, what: string, quote: string, url: string): ConnectorError {
  if (lacksScope(response)) return missingScope(what, 401, url);
  // A site, not the gateway, says the same of a token that it does not take because it has scopes.
  const isSite = response.headers.get('server') === 'AtlassianEdge' && !url.includes('/ex/jira/');
  const hint = isSite ? '; an API token with scopes needs "scoped": true beside it' : '';
  return configError(
    `${what}: Jira did not accept the credentials (401)${quote}; check credentials${hint}. It was tried once only.`,
    { code: 'AUTH' },
  );
}

function forbidden(response: HttpResponse, what: string, quote: string): ConnectorError {
  const denied = response.headers.get('x-authentication-denied-reason') ?? '';
  if (/CAPTCHA/i.test(denied)) {
    return configError(
      `${what}: Jira wants a CAPTCHA after too many failed logins (403); log in once in a browser, then check credentials`,
      {
        code: 'AUTH',
      },
    );
  }
  const login =
    isHtml(response) || (response.headers.get('x-seraph-loginreason') ?? '').includes('AUTHENTICATED_FAILED');
  return configError(
    `${what}: not allowed for this user (403)${quote}; check the credentials and the user's permissions`,
    {
      code: login ? 'AUTH' : 'FORBIDDEN',
    },
  );
}

function hostOf(location: string | null, base: string): string {
  if (location === null || !URL.canParse(location, base)) return 'another address';
  const url = new URL(location, base);
  return `${url.origin}${url.pathname}`;
}

/** The error for a request that got no complete answer. */
export function errorForFailure(failure: HttpFailure, what: string, baseUrl: string): ConnectorError {
  const options = { cause: failure, code: 'CONNECT' };
  switch (failure.reason) {
    case 'unknown-host':
      return configError(
        `${what}: the host of ${baseUrl} is unknown (${failure.code}); check base_url and proxy_url`,
        options,
      );
    case 'refused':
      return configError(
        `${what}: cannot connect to ${baseUrl} (${failure.code}); check base_url and proxy_url, and that Jira runs`,
        options,
      );
    case 'certificate':
      return configError(`${what}: ${failure.message}; name your authority's PEM file in ca_file`, options);
    case 'timeout':
      return transientError(
        `${what}: no complete answer within request_timeout_seconds; raise it or lower page_size`,
        options,
      );
    case 'cut':
    case 'too-large':
      return transientError(`${what}: ${failure.message}`, options);
    default:
      return failure.reason satisfies never;
  }
}
