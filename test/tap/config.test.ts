import { describe, expect, it } from 'vitest';
import { parseConfig } from '../../src/shared/config.ts';
import type { JsonObject } from '../../src/shared/json/value.ts';
import { TapConfig } from '../../src/tap/config.ts';

const LOGIN = { auth_type: 'personal_access_token', token: 'tok-en' };
const parse = (values: JsonObject) =>
  parseConfig(
    TapConfig,
    { base_url: 'https://jira.example/jira', credentials: LOGIN, ...values },
    () => 'tap.json',
  );

describe("the tap's settings", () => {
  it('have the documented defaults', () => {
    const { credentials, ...rest } = parse({});
    expect(rest).toEqual({
      base_url: 'https://jira.example/jira',
      gateway_url: 'https://api.atlassian.com',
      fields: ['*all'],
      round_to: 'minute',
      jql_time: 'epoch_ms',
      page_size: 100,
      pages_per_commit: 4,
      concurrency: 5,
      request_timeout_seconds: 120,
      max_retry_seconds: 600,
    });
    expect(JSON.stringify(credentials)).not.toContain('tok-en');
  });

  it.each<[string, JsonObject]>([
    ['a token', LOGIN],
    ['a password', { auth_type: 'basic', username: 'u', password: 'p' }],
    ['an API token', { auth_type: 'api_token', email: 'a@b.c', api_token: 't' }],
    ['OAuth 1.0a', { auth_type: 'oauth1', consumer_key: 'k', private_key: 'p', access_token: 't' }],
    ['OAuth 2.0', { auth_type: 'oauth2', client_id: 'i', client_secret: 's', refresh_token: 'r' }],
    ['a service account', { auth_type: 'service_account', token: 't' }],
    ['an API token with scopes', { auth_type: 'api_token', email: 'a@b.c', api_token: 't', scoped: true }],
  ])('take %s', (_, credentials) => {
    expect(parse({ credentials }).credentials.auth_type).toBe(credentials['auth_type']);
  });

  it.each<[string, JsonObject, RegExp]>([
    ['no address', { base_url: 'jira.example' }, /base_url: must be the address of Jira/],
    [
      'an address of another kind',
      { base_url: 'ftp://jira.example' },
      /base_url: must be the address of Jira/,
    ],
    [
      'a password in the address',
      { base_url: 'https://me:hush@jira.example' },
      /base_url: must have no user name, password/,
    ],
    [
      'a query in the address',
      { base_url: 'https://jira.example/?os_authType=basic' },
      /base_url: must have no .*query/,
    ],
    ['no credentials', { credentials: null }, /credentials: missing/],
    ['an unknown kind of credentials', { credentials: { auth_type: 'magic' } }, /credentials/],
    [
      'half a credential',
      { credentials: { auth_type: 'basic', username: 'u' } },
      /credentials\.password: missing/,
    ],
    [
      'a credential of two kinds',
      { credentials: { ...LOGIN, username: 'u' } },
      /credentials\.username: unknown setting/,
    ],
    ['no project', { projects: [] }, /projects: /],
    ['a start date without zone', { start_date: '2026-01-01T00:00:00' }, /start_date: must be an RFC 3339/],
    ['a date alone', { start_date: '2026-01-01' }, /start_date: must be an RFC 3339/],
    ['an order', { jql: 'type = Bug order  by created' }, /jql: must be a condition only/],
    ['a page of nothing', { page_size: 0 }, /page_size: /],
    ['too large a page', { page_size: 1001 }, /page_size: /],
    ['half a page', { page_size: 1.5 }, /page_size: /],
    ['another unit', { round_to: 'day' }, /round_to: /],
    ['a mistyped name', { project: ['A'] }, /project: unknown setting; did you mean projects\?/],
    ['too long an overlap', { overlap_minutes: 100_000 }, /overlap_minutes: /],
    ['a proxy that is none', { proxy_url: 'proxy:3128' }, /proxy_url: must be the address of a proxy/],
  ])('refuse %s', (_, values, expected) => {
    expect(() => parse(values)).toThrow(expected);
    expect(() => parse(values)).not.toThrow(/hush/);
  });

  it.each(['type = Bug', 'summary ~ "order by me"', "text ~ 'order by'", 'order_by = 1'])(
    'take the JQL %s',
    (jql) => {
      expect(parse({ jql }).jql).toBe(jql);
    },
  );
});
