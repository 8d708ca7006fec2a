import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../../src/shared/json/value.ts';
import { Atlassian, CLOUD_ID, type AtlassianOptions } from '../../support/atlassian.ts';
import { DEFAULT_USER } from '../../support/jira/state.ts';
import { runTap } from '../../support/run-tap.ts';
import { idsOf, siteOf } from '../traps/setup.ts';

const { email, apiToken, token } = DEFAULT_USER as { email: string; apiToken: string; token: string };
const CREDENTIALS = {
  'a service account': { auth_type: 'service_account', token },
  'an API token with scopes': { auth_type: 'api_token', email, api_token: apiToken, scoped: true },
} as const;

/** The gateway's own look at credentials, as the simulated Jira does it for each kind. */
const start = (options: Partial<AtlassianOptions> = {}): Promise<Atlassian> =>
  Atlassian.start({ site: siteOf(3), authenticate: () => ({ user: DEFAULT_USER }), ...options });

const pathsOf = ({ jira }: Atlassian): string[] => jira.requests.map(({ path }) => path);

describe.each(Object.entries(CREDENTIALS))('%s', (_, credentials) => {
  it('trap 31: goes through the gateway; the cloud id is found through the site', async () => {
    await using atlassian = await start();
    const run = await runTap(atlassian.config(credentials) as JsonObject);
    expect(run.error).toBeUndefined();
    expect(idsOf(run)).toHaveLength(3);
    const [first, ...others] = pathsOf(atlassian);
    expect(first).toBe('/_edge/tenant_info');
    expect(others.filter((path) => !path.startsWith(`/ex/jira/${CLOUD_ID}/rest/`))).toEqual([]);
    const { headers } = atlassian.jira.requests[0]!;
    expect(headers.authorization).toBeUndefined();
    const expected = credentials.auth_type === 'service_account' ? `Bearer ${token}` : /^Basic /;
    expect(atlassian.jira.requests[1]!.headers.authorization).toMatch(expected);
  });

  it.each([
    ['cloud_id', (url: string) => ({ base_url: url, cloud_id: CLOUD_ID })],
    ['an address at the gateway', (url: string) => ({ base_url: `${url}/ex/jira/${CLOUD_ID}/` })],
  ])('needs no look-up with %s', async (__, more) => {
    await using atlassian = await start();
    const run = await runTap({ ...atlassian.config(credentials), ...more(atlassian.url) } as JsonObject);
    expect(run.error).toBeUndefined();
    expect(idsOf(run)).toHaveLength(3);
    expect(pathsOf(atlassian)).not.toContain('/_edge/tenant_info');
  });

  it('says what to set where the site does not tell its id', async () => {
    await using atlassian = await start({
      respond: ({ path }) => (path === '/_edge/tenant_info' ? { status: 404, body: 'no' } : undefined),
    });
    const { error } = await runTap(atlassian.config(credentials) as JsonObject);
    expect(error).toMatchObject({
      kind: 'config',
      message: expect.stringMatching(/does not tell it \(404\); set base_url to .* or set cloud_id/),
    });
  });

  it.each([
    [
      '/myself',
      /^logging in: the token lacks a scope \(401\); it needs read:jira-user \(or .*read:user:jira/,
    ],
    ['/search/jql', /lacks a scope \(401\); it needs read:jira-work \(or .*read:issue-details:jira/],
    ['/issue/bulkfetch', /lacks a scope \(401\); it needs read:jira-work \(or .*read:issue-meta:jira/],
  ])('names the scope that %s needs', async (end, expected) => {
    await using atlassian = await start({
      respond: ({ path }) =>
        path.includes(end)
          ? { status: 401, body: { code: 401, message: 'Unauthorized; scope does not match' } }
          : undefined,
    });
    const { error } = await runTap(atlassian.config(credentials) as JsonObject);
    expect(error).toMatchObject({ code: 'AUTH', message: expect.stringMatching(expected) });
  });
});

it('an API token with scopes that is used without saying so gets a hint', async () => {
  await using atlassian = await start();
  const { jira } = atlassian;
  jira.use({ flavour: 'cloud', site: siteOf(1) });
  const credentials = { auth_type: 'api_token', email, api_token: 'scoped-token' };
  const { error } = await runTap({ base_url: jira.url, credentials });
  expect(error).toMatchObject({ code: 'AUTH', message: expect.stringContaining('"scoped": true') });
});
