import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { startJira } from '../../support/jira/server.ts';
import { DEFAULT_USER, type JiraUser } from '../../support/jira/state.ts';
import { OAuthVerifier } from '../../support/oauth-verifier.ts';
import { runTap } from '../../support/run-tap.ts';
import { FLAVOURS, tapConfig } from '../../support/tap-config.ts';
import { idsOf, isBodies, isCensus, projectState, siteOf } from './setup.ts';

const WRONG = {
  cloud: { auth_type: 'api_token', email: DEFAULT_USER.email!, api_token: 'wrong-token' },
  datacenter: { auth_type: 'personal_access_token', token: 'wrong-token' },
} as const;
const BASIC = { auth_type: 'basic', username: 'ada', password: DEFAULT_USER.password! } as const;

describe.each(FLAVOURS)('identity on %s', (flavour) => {
  it('trap 26: a wrong token ends the run before anything is read, after one request', async () => {
    await using jira = await startJira({ flavour, site: siteOf(3) });
    const run = await runTap({ base_url: jira.url, credentials: WRONG[flavour] });
    expect(run.error).toMatchObject({ kind: 'config', code: 'AUTH' });
    expect(run.messages).toEqual([]);
    expect(jira.loginFailures).toBe(1);
    expect(jira.requests).toHaveLength(1);
  });

  it('trap 26: a token that is revoked during the run is noticed, and the project keeps its state', async () => {
    const users: JiraUser[] = [{ ...DEFAULT_USER }];
    const site = siteOf(30);
    await using jira = await startJira({
      flavour,
      site,
      users,
      onRequest: (request) => {
        if (isCensus(request)) users.splice(0);
      },
    });
    const run = await runTap(tapConfig(flavour, jira.url));
    expect(run.error).toMatchObject({ code: 'AUTH' });
    expect(run.records).toEqual([]);
    expect(projectState(run)).toEqual({});
  });

  it('trap 26: a session that is lost for a moment is taken up again', async () => {
    const site = siteOf(30);
    await using jira = await startJira({
      flavour,
      site,
      onRequest: (request) => {
        if (flavour === 'datacenter' && (isCensus(request) || isBodies(request)) && lost++ === 0)
          jira.expireSession(1);
      },
    });
    let lost = 0;
    const run = await runTap(tapConfig(flavour, jira.url));
    expect(run.error).toBeUndefined();
    expect(idsOf(run)).toHaveLength(30);
  });

  it.each([
    [
      'a web page',
      { status: 401, headers: { 'Content-Type': 'text/html' }, body: '<html>Unauthorized</html>' },
    ],
    [
      'text that claims to be JSON',
      { status: 401, headers: { 'Content-Type': 'application/json' }, body: 'Client must be authenticated' },
    ],
  ])('trap 27: a 401 with %s is told in words', async (_, fault) => {
    await using jira = await startJira({ flavour, site: siteOf(3), respond: () => fault });
    const run = await runTap(tapConfig(flavour, jira.url));
    expect(run.error).toMatchObject({ kind: 'config', code: 'AUTH' });
    expect(run.error!.message).toMatch(/did not accept the credentials \(401\).*check credentials/);
    expect(run.error!.message).not.toContain('<');
    expect(jira.requests).toHaveLength(1);
  });

  it('trap 29: a missing scope, a permission and a login are told apart', async () => {
    const scope = { status: 401, body: { code: 401, message: 'Unauthorized; scope does not match' } };
    const permission = { status: 403, body: { errorMessages: ['No permission to search'], errors: {} } };
    const site = siteOf(3);
    site.addProject('XYZ');
    await using jira = await startJira({
      flavour,
      site,
      respond: (request) => (isCensus(request) && request.body.includes('XYZ') ? permission : undefined),
    });
    const one = await runTap(tapConfig(flavour, jira.url));
    expect(idsOf(one)).toHaveLength(3);
    expect(one.error).toMatchObject({ kind: 'config', code: 'PROJECTS_FAILED' });
    expect(one.logged.join('\n')).toMatch(
      /FORBIDDEN: searching project XYZ: not allowed.*No permission to search/,
    );
    expect(projectState(one, 'XYZ')).toEqual({});
    jira.use({ flavour, site, respond: (request) => (isCensus(request) ? scope : undefined) });
    const all = await runTap(tapConfig(flavour, jira.url));
    expect(all.error).toMatchObject({ kind: 'config', code: 'AUTH' });
    expect(all.error!.message).toContain('the token lacks a scope');
    expect(jira.requests.filter(isCensus).length).toBeLessThanOrEqual(2);
  });

  it('trap 33: no cookie is ever sent back', async () => {
    await using jira = await startJira({ flavour, site: siteOf(3) });
    await runTap(tapConfig(flavour, jira.url));
    expect(jira.requests.length).toBeGreaterThan(4);
    for (const { headers } of jira.requests) expect(headers.cookie).toBeUndefined();
  });

  it.each(['logging in', 'searching'])('trap 34: a redirect while %s leads nowhere', async (when) => {
    await using other = await startJira({ flavour, site: siteOf(3) });
    await using jira = await startJira({
      flavour,
      site: siteOf(3),
      respond: (request) =>
        when === 'logging in' || isCensus(request)
          ? { redirect: `${other.url.replace('127.0.0.1', 'localhost')}/login?secret=1` }
          : undefined,
    });
    const run = await runTap(tapConfig(flavour, jira.url));
    expect(run.error).toMatchObject({ kind: 'config', code: 'NOT_JIRA' });
    expect(run.error!.message).toMatch(/redirects to http:\/\/localhost:\d+.*set base_url/);
    expect(run.error!.message).not.toContain('secret');
    expect(other.requests).toEqual([]);
  });
});

describe('passwords on Data Center', () => {
  const config = (url: string, password: string) => ({ base_url: url, credentials: { ...BASIC, password } });

  it('trap 28: a wrong password is tried exactly once', async () => {
    await using jira = await startJira({ flavour: 'datacenter', site: siteOf(3) });
    const run = await runTap(config(jira.url, 'wrong'));
    expect(run.error).toMatchObject({ kind: 'config', code: 'AUTH' });
    expect(jira.loginFailures).toBe(1);
    for (let i = 0; i < 2; i++) await runTap(config(jira.url, 'wrong'));
    const locked = await runTap(config(jira.url, DEFAULT_USER.password!));
    expect(locked.error!.message).toMatch(/CAPTCHA.*log in once in a browser/);
    expect(jira.loginFailures).toBe(4);
    expect(jira.requests).toHaveLength(4);
  });

  it('trap 28: a password that is changed during the run is tried once more, not twice', async () => {
    const users: JiraUser[] = [{ ...DEFAULT_USER }];
    await using jira = await startJira({
      flavour: 'datacenter',
      site: siteOf(3),
      users,
      onRequest: (request) => {
        if (isCensus(request)) users[0] = { ...DEFAULT_USER, password: 'changed' };
      },
    });
    const run = await runTap(config(jira.url, DEFAULT_USER.password!));
    expect(run.error).toMatchObject({ kind: 'config', code: 'AUTH' });
    expect(jira.loginFailures).toBe(1);
  });
});

describe('addresses', () => {
  it('trap 31: the gateway is an address like any other', async () => {
    await using jira = await startJira({
      flavour: 'cloud',
      site: siteOf(3),
      contextPath: '/ex/jira/11111111-2222',
    });
    const run = await runTap(tapConfig('cloud', `${jira.url}/`));
    expect(idsOf(run)).toHaveLength(3);
  });
});

describe('OAuth 1.0a', () => {
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  const credentials = {
    auth_type: 'oauth1',
    consumer_key: 'OauthKey',
    private_key: pem,
    access_token: 'access-token',
  };

  it('trap 32: a strict server accepts every signature, also of attempts that are repeated', async () => {
    const site = siteOf(30);
    site.addProject('A_B1');
    const verifier = new OAuthVerifier(publicKey, 'OauthKey', 'access-token');
    let failed = 0;
    await using jira = await startJira({
      flavour: 'datacenter',
      site,
      authenticate: (request) => verifier.login(request, DEFAULT_USER),
      respond: (request) => (isBodies(request) && failed++ === 0 ? { status: 503 } : undefined),
    });
    const loud = jira.url.replace('http://127', 'HTTP://127');
    const run = await runTap({ base_url: loud, credentials, projects: ['abc', "it's (new)!*"] });
    expect(verifier.problems).toEqual([]);
    expect(idsOf(run)).toHaveLength(30);
    expect(verifier.nonces.size).toBeGreaterThan(5);
  });

  it('trap 32: what a refusal repeats of the signature is not told', async () => {
    const body =
      'oauth_problem=signature_invalid&oauth_signature=c2VjcmV0&oauth_signature_base_string=GET%26http&oauth_signature_method=RSA-SHA1';
    await using jira = await startJira({
      flavour: 'datacenter',
      site: siteOf(1),
      respond: () => ({
        status: 401,
        headers: { 'WWW-Authenticate': 'OAuth realm="x", oauth_problem="signature_invalid"' },
        body,
      }),
    });
    const run = await runTap({ base_url: jira.url, credentials });
    expect(run.error).toMatchObject({ kind: 'config', code: 'AUTH' });
    expect(run.error!.message).toContain('private_key does not belong');
    expect(run.error!.message).not.toMatch(/base_string|c2VjcmV0/);
    expect(jira.requests).toHaveLength(1);
  });
});
