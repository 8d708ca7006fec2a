import { describe, expect, it } from 'vitest';
import type { Clock } from '../../../src/shared/clock.ts';
import { parseConfig } from '../../../src/shared/config.ts';
import type { JsonObject } from '../../../src/shared/json/value.ts';
import { TapConfig } from '../../../src/tap/config.ts';
import type { CredentialStore } from '../../../src/tap/credential-store.ts';
import { openClient } from '../../../src/tap/open-client.ts';
import { connect } from '../../../src/tap/site.ts';
import { Atlassian, CLOUD_ID, type AtlassianOptions } from '../../support/atlassian.ts';
import { hurriedClock } from '../../support/run-tap.ts';
import { siteOf } from '../traps/setup.ts';

const silent = { debug: noop, info: noop, warning: noop, error: noop, critical: noop };
function noop(): void {}

type Kept = CredentialStore & { token: string; readonly saved: string[] };

/** A store in memory; what is saved is counted. */
function storeOf(token: string): Kept {
  const store: Kept = {
    name: 'memory',
    token,
    saved: [],
    load: async () => ({ refresh_token: store.token }),
    save: async ({ refresh_token }) => {
      store.token = refresh_token!;
      store.saved.push(refresh_token!);
    },
  };
  return store;
}

type Setup = {
  readonly atlassian: Atlassian;
  readonly store: Kept;
  readonly clock?: Clock;
  readonly more?: object;
};

/** Opens a client and asks who is logged in, so many times at once. */
async function logIn(
  { atlassian, store, clock = hurriedClock, more = {} }: Setup,
  times = 1,
): Promise<string[]> {
  const config = { ...atlassian.config({ refresh_token: store.token }), ...more } as JsonObject;
  const { client, close } = await openClient({
    config: parseConfig(TapConfig, config, () => 'test'),
    store,
    clock,
    log: silent,
    signal: new AbortController().signal,
  });
  try {
    return await Promise.all(
      Array.from({ length: times }, async () => (await connect(client, clock.now)).user),
    );
  } finally {
    await close();
  }
}

async function started(options: Partial<AtlassianOptions> = {}): Promise<Setup & AsyncDisposable> {
  const atlassian = await Atlassian.start({ site: siteOf(1), ...options });
  return {
    atlassian,
    store: storeOf(atlassian.login()),
    [Symbol.asyncDispose]: () => atlassian[Symbol.asyncDispose](),
  };
}

describe('OAuth 2.0', () => {
  it('trap 30: stores the next refresh token before the access token is used, and uses the gateway', async () => {
    const seen: string[] = [];
    await using setup = await started({
      onRequest: ({ path }) => void seen.push(`${path} after ${setup.store.saved.length}`),
    });
    expect(await logIn(setup)).toEqual(['Ada Lindqvist']);
    expect(seen).toEqual([
      '/oauth/token after 0',
      '/oauth/token/accessible-resources after 1',
      `/ex/jira/${CLOUD_ID}/rest/api/2/myself after 1`,
      `/ex/jira/${CLOUD_ID}/rest/api/2/serverInfo after 1`,
    ]);
    expect(setup.store.saved).toEqual([[...setup.atlassian.refreshTokens.keys()].at(-1)]);
  });

  it('asks for one token at a time, whoever needs it', async () => {
    await using setup = await started();
    await logIn(setup, 8);
    expect(setup.atlassian.asked).toBe(1);
  });

  it('trap 30: renews the token before it ends, without a request being refused', async () => {
    await using setup = await started();
    let now = Date.now();
    const clock = { ...hurriedClock, now: () => now };
    const config = parseConfig(
      TapConfig,
      setup.atlassian.config({ refresh_token: 'x' }) as JsonObject,
      () => 'c',
    );
    const context = { config, store: setup.store, clock, log: silent, signal: new AbortController().signal };
    const { client, close } = await openClient(context);
    for (const minutes of [0, 58, 60, 119, 180]) {
      now = Date.now() + minutes * 60_000;
      setup.atlassian.lateMs = minutes * 60_000;
      await connect(client, clock.now);
    }
    await close();
    expect(setup.atlassian.asked).toBe(4);
    expect(setup.atlassian.jira.requests.filter(({ status }) => status === 401)).toEqual([]);
  });

  it('takes a new token when Jira ends the old one early, once for all requests', async () => {
    await using setup = await started();
    let now = Date.now();
    const clock = { ...hurriedClock, now: () => now };
    const config = parseConfig(
      TapConfig,
      setup.atlassian.config({ refresh_token: 'x' }) as JsonObject,
      () => 'c',
    );
    const context = { config, store: setup.store, clock, log: silent, signal: new AbortController().signal };
    const { client, close } = await openClient(context);
    await connect(client, clock.now);
    setup.atlassian.accessTokens.clear();
    now += 60_000;
    await Promise.all(Array.from({ length: 5 }, () => connect(client, clock.now)));
    await close();
    expect(setup.atlassian.asked).toBe(2);
  });

  it('gives up when a token is refused that was just made', async () => {
    await using setup = await started({
      respond: ({ path }) =>
        path.endsWith('/myself') ? { status: 401, body: { code: 401, message: 'Unauthorized' } } : undefined,
    });
    await expect(logIn(setup)).rejects.toMatchObject({ code: 'AUTH' });
    expect(setup.atlassian.asked).toBe(1);
  });

  it('asks again with the same token when an answer is lost', async () => {
    let lost = 0;
    await using setup = await started({
      respond: ({ path }) => (path === '/oauth/token' && lost++ < 2 ? { drop: true } : undefined),
    });
    expect(await logIn(setup)).toEqual(['Ada Lindqvist']);
    expect(setup.atlassian.refused).toBe(0);
    expect(setup.store.saved).toHaveLength(1);
  });

  it('goes on with what another process has stored meanwhile', async () => {
    await using setup = await started({ leewayMs: -1 });
    const { atlassian, store } = setup;
    const old = store.token;
    await logIn(setup);
    const next = store.token;
    store.token = old;
    let looks = 0;
    const late: Kept = {
      ...store,
      load: async () => ({ refresh_token: looks++ < 3 ? 'refresh-token-long-gone' : next }),
    };
    expect(await logIn({ atlassian, store: late })).toEqual(['Ada Lindqvist']);
  });

  it.each([
    [
      'that is used up',
      { refresh_token: 'refresh-token-of-old' },
      {},
      /^credentials\.refresh_token: .*run tap-jira authorize/,
    ],
    [
      'of another app',
      { client_secret: 'other' },
      {},
      /refused \(401, access_denied.*client_id and .*client_secret/,
    ],
    [
      'for another site',
      {},
      { base_url: 'https://other.atlassian.net' },
      /does not give access to https:\/\/other\.atlassian\.net, but to http:.*\(acme, cloud_id 1122/,
    ],
    ['for another cloud id', {}, { cloud_id: '999' }, /does not give access to 999, but to /],
    [
      'at no address',
      { auth_url: 'http://127.0.0.1:1' },
      {},
      /no answer from 127\.0\.0\.1:1 .*check credentials\.auth_url/,
    ],
  ])('explains a login %s', async (_, credentials, more, expected) => {
    await using setup = await started();
    const { atlassian, store } = setup;
    const config = { ...atlassian.config({ refresh_token: store.token, ...credentials }), ...more };
    if ('refresh_token' in credentials) store.token = credentials.refresh_token;
    const failure = logIn({ atlassian, store, more: { ...config, max_retry_seconds: 1 } });
    await expect(failure).rejects.toThrow(expected);
    await expect(failure).rejects.toMatchObject({ kind: 'config' });
  });

  it('names the sites when there are several, and takes the one of base_url or cloud_id', async () => {
    await using setup = await started();
    const { atlassian, store } = setup;
    const [own] = atlassian.resources;
    const other = { ...own!, id: 'b', url: 'https://beta.atlassian.net', name: 'beta' };
    // The same site is listed once for each product.
    atlassian.resources = [other, own!, { ...own!, scopes: ['read:page:confluence'] }];
    expect(await logIn(setup)).toEqual(['Ada Lindqvist']);
    const nowhere = { base_url: 'https://gamma.atlassian.net' };
    await expect(logIn({ atlassian, store, more: nowhere })).rejects.toThrow(
      /but to https:\/\/beta.*\(beta, cloud_id b\), http:.*\(acme, .*set base_url or cloud_id/,
    );
    expect(await logIn({ atlassian, store, more: { ...nowhere, cloud_id: CLOUD_ID } })).toEqual([
      'Ada Lindqvist',
    ]);
    atlassian.resources = [];
    await expect(logIn(setup)).rejects.toThrow(/but to no site at all/);
  });

  it('names the scope that is missing, from the list of sites or from a refusal', async () => {
    await using setup = await started({
      respond: ({ path }) =>
        path.endsWith('/serverInfo')
          ? { status: 401, body: { code: 401, message: 'Unauthorized; scope does not match' } }
          : undefined,
    });
    const [own] = setup.atlassian.resources;
    setup.atlassian.resources = [{ ...own!, scopes: ['read:jira-work'] }];
    await expect(logIn(setup)).rejects.toThrow(/lacks the scope read:jira-user; add it/);
    setup.atlassian.resources = [{ ...own!, scopes: ['read:issue:jira', 'read:user:jira'] }];
    await expect(logIn(setup)).rejects.toThrow(/lacks a scope \(401\); it needs read:jira-work/);
    expect(setup.atlassian.asked).toBe(2);
  });

  it('asks for nothing if the next token could not be kept', async () => {
    await using setup = await started();
    const store = { ...setup.store, expectWritable: () => Promise.reject(new Error('read only')) };
    await expect(logIn({ ...setup, store })).rejects.toThrow('read only');
    expect(setup.atlassian.asked).toBe(0);
  });
});
