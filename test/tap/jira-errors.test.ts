import { describe, expect, it } from 'vitest';
import { HttpFailure, type HttpResponse } from '../../src/shared/http/request.ts';
import { errorFor, errorForFailure, jiraMessage, SITE_CODES } from '../../src/tap/jira-errors.ts';

const BASE = 'https://jira.example/jira';
const NOW = Date.parse('2026-11-23T10:00:00Z');
const answer = (
  status: number,
  body: string | object,
  headers: Record<string, string> = {},
): HttpResponse => ({
  status,
  headers: new Headers(headers),
  body: Buffer.from(typeof body === 'string' ? body : JSON.stringify(body)),
});
const HTML = { 'content-type': 'text/html;charset=UTF-8' };
const SERAPH = { 'x-seraph-loginreason': 'AUTHENTICATED_FAILED', ...HTML };
const CAPTCHA = {
  'x-authentication-denied-reason': 'CAPTCHA_CHALLENGE; login-url=https://x/login.jsp',
  ...HTML,
};
const oauth = (problem: string) => ({ 'www-authenticate': `OAuth realm="x", oauth_problem="${problem}"` });

describe('what Jira says', () => {
  it.each<[string, string | object, string]>([
    ['messages', { errorMessages: ['One.', 'Two.'], errors: {} }, 'One. Two.'],
    ['errors of fields', { errorMessages: [], errors: { jql: 'is bad' } }, 'jql: "is bad"'],
    ['messages without errors', { errorMessages: ['Invalid\n  payload'] }, 'Invalid payload'],
    ['a message', { message: 'Client must log in', 'status-code': 401 }, 'Client must log in'],
    [
      'a problem (RFC 7807)',
      { type: 'about:blank', title: 'Bad Request', detail: 'Failed to convert' },
      'Failed to convert',
    ],
    ['an error of Connect', { error: 'Failed to parse' }, 'Failed to parse'],
    ['plain text', 'Client must be authenticated.', 'Client must be authenticated.'],
    ['a web page', '<!DOCTYPE html><h1>Oops</h1>', ''],
    ['nothing', '', ''],
    ['very much', { message: 'x'.repeat(5000) }, 'x'.repeat(300)],
    ['errors that are no texts', { errorMessages: [{ toString: 1 }, null] }, expect.any(String)],
  ])('in %s', (_, body, expected) => {
    expect(jiraMessage(answer(400, body))).toEqual(expected);
  });
});

describe('an answer that is not the one asked for', () => {
  it.each<[HttpResponse, string, string, RegExp]>([
    [
      answer(200, '<html>Log in</html>', HTML),
      'config',
      'NOT_JIRA',
      /web page instead of JSON.*check base_url/,
    ],
    [
      answer(302, '', { location: 'https://other.example/login?os=1' }),
      'config',
      'NOT_JIRA',
      /redirects to https:\/\/other\.example\/login;/,
    ],
    [
      answer(301, '', { location: '/elsewhere' }),
      'config',
      'NOT_JIRA',
      /redirects to https:\/\/jira\.example\/elsewhere/,
    ],
    [answer(302, ''), 'config', 'NOT_JIRA', /another address/],
    [
      answer(400, { errorMessages: ['Field bogus'] }),
      'config',
      'REFUSED',
      /refused the request \(400\); Jira says: Field bogus/,
    ],
    [
      answer(401, '<html>x</html>', SERAPH),
      'config',
      'AUTH',
      /did not accept the credentials \(401\).*tried once only/,
    ],
    [
      answer(401, { code: 401, message: 'Unauthorized; scope does not match' }),
      'config',
      'AUTH',
      /lacks a scope/,
    ],
    [
      answer(401, 'oauth_problem=token_rejected'),
      'config',
      'AUTH',
      /token_rejected; the access token is not valid \(any more\); run tap-jira authorize/,
    ],
    [answer(401, '', oauth('timestamp_refused')), 'config', 'AUTH', /set the clock of this machine right/],
    [
      answer(401, '', oauth('something_new')),
      'config',
      'AUTH',
      /something_new; look at the incoming application link/,
    ],
    [answer(403, '<html>x</html>', CAPTCHA), 'config', 'AUTH', /wants a CAPTCHA.*log in once in a browser/],
    [answer(403, '<html>x</html>', HTML), 'config', 'AUTH', /not allowed for this user/],
    [answer(403, { errorMessages: ['No browse permission'] }), 'config', 'FORBIDDEN', /No browse permission/],
    [answer(404, { errorMessages: ['Gone?'] }), 'config', 'NOT_FOUND', /not found or not visible/],
    [answer(410, { errorMessages: ['removed'] }), 'config', 'GONE', /no longer offers it/],
    [answer(408, ''), 'transient', 'SERVER', /Jira failed \(408\)/],
    [
      answer(429, '', { 'retry-after': '60' }),
      'transient',
      'UNAVAILABLE',
      /max_retry_seconds is used up \(Retry-After: 60\)/,
    ],
    [answer(500, { message: 'boom' }), 'transient', 'SERVER', /Jira failed \(500\); Jira says: boom/],
    [answer(502, '<html></html>'), 'transient', 'SERVER', /Jira failed \(502\)$/],
    [answer(503, '<html></html>'), 'transient', 'UNAVAILABLE', /not available \(503\); run again later/],
  ])('%#', (response, kind, code, message) => {
    const error = errorFor(response, 'searching project ABC', BASE, NOW);
    expect(error).toMatchObject({ kind, code });
    expect(error.message).toMatch(/^searching project ABC: /);
    expect(error.message).toMatch(message);
    expect(error.message).not.toMatch(/<|os=1/);
  });

  it('stops the whole run if it concerns login, host or limits, and only then', () => {
    const codes = [401, 429, 503, 302].map((status) => errorFor(answer(status, ''), 'x', BASE, NOW).code!);
    for (const code of codes) expect(SITE_CODES).toContain(code);
    for (const status of [400, 403, 404, 410, 500])
      expect(SITE_CODES).not.toContain(errorFor(answer(status, {}), 'x', BASE, NOW).code);
  });
});

describe('what Jira objects to in OAuth 1.0a', () => {
  const message = (
    problem: string,
    fields: Record<string, string> = {},
    headers: Record<string, string> = {},
  ) =>
    errorFor(
      answer(401, String(new URLSearchParams({ oauth_problem: problem, ...fields })), headers),
      'x',
      BASE,
      NOW,
    ).message;
  const echo = (url: string) => ({
    oauth_signature: 'c2VjcmV0',
    oauth_signature_base_string: `GET&${encodeURIComponent(url)}&a%3Dsecret`,
  });

  it.each<[string, string, Record<string, string>, Record<string, string>, RegExp]>([
    [
      'a clock behind',
      'timestamp_refused',
      {},
      { date: 'Mon, 23 Nov 2026 10:12:40 GMT' },
      /12 min 40 s behind Jira's/,
    ],
    [
      'a clock ahead, told by the window only',
      'timestamp_refused',
      { oauth_acceptable_timestamps: `${NOW / 1000 - 4200}-${NOW / 1000 - 3600}` },
      {},
      /1 h 5 min ahead of Jira's/,
    ],
    [
      'clocks that agree',
      'timestamp_refused',
      {},
      { date: 'Mon, 23 Nov 2026 10:00:01 GMT' },
      /1 s only; .*nodes/,
    ],
    [
      'a wrong key',
      'signature_invalid',
      echo(`${BASE}/rest/api/2/search`),
      {},
      /^[^;]+; credentials\.private_key does not/,
    ],
    [
      'another scheme',
      'signature_invalid',
      echo('http://jira.example/jira/rest'),
      {},
      /asked for http:\/\/jira.example\/jira\/rest,.*server\.xml/,
    ],
    ['another port', 'signature_invalid', echo('https://jira.example:8443/jira/rest'), {}, /proxyPort/],
    ['no context path', 'signature_invalid', echo('https://jira.example/rest'), {}, /proxy changes/],
    ['an address that only begins alike', 'signature_invalid', echo(`${BASE}2/rest`), {}, /proxy changes/],
    ['no echo', 'signature_invalid', {}, {}, /either credentials\.private_key.*or a proxy/],
    ['an echo that is none', 'signature_invalid', { oauth_signature_base_string: '%%%' }, {}, /either/],
    ['a repeated nonce', 'nonce_used', {}, {}, /proxy.*repeated/],
    ['a disabled consumer', 'consumer_key_rejected', {}, {}, /enable incoming/],
    [
      'a missing parameter',
      'parameter_absent',
      { oauth_parameters_absent: 'oauth_token' },
      {},
      /Authorization header/,
    ],
    ['a revoked token', 'token_revoked', {}, {}, /Authorized Applications/],
    ['a denial', 'permission_denied', {}, {}, /choose Allow/],
  ])('%s', (_what, problem, fields, headers, expected) => {
    expect(message(problem, fields, headers)).toMatch(expected);
    expect(message(problem, fields, headers)).not.toMatch(/secret|c2VjcmV0|GET&/);
  });
});

describe('no complete answer', () => {
  it.each<[HttpFailure['reason'], string, RegExp]>([
    ['unknown-host', 'config', /host of https:\/\/jira\.example\/jira is unknown \(CODE\)/],
    ['refused', 'config', /cannot connect.*check base_url/],
    ['certificate', 'config', /ca_file/],
    ['timeout', 'transient', /request_timeout_seconds/],
    ['cut', 'transient', /the message/],
    ['too-large', 'transient', /the message/],
  ])('%s is a %s error', (reason, kind, message) => {
    const failure = new HttpFailure(reason, 'CODE', 'the message');
    const error = errorForFailure(failure, 'logging in', BASE);
    expect(error).toMatchObject({ kind, code: 'CONNECT', cause: failure });
    expect(error.message).toMatch(message);
  });
});
