import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { Atlassian } from '../../support/atlassian.ts';
import { freePort } from '../../support/free-port.ts';
import { recordsOf, runTapProgram, Scratch } from '../../support/programs.ts';
import { attempt, type Attempt } from '../authorize/setup.ts';
import { siteOf } from '../traps/setup.ts';

type Setup = {
  readonly atlassian: Atlassian;
  readonly path: string;
  readonly port: number;
  readonly login: (person: (address: string) => Promise<unknown>) => Promise<Attempt>;
};

async function withApp(credentials: object, test: (setup: Setup) => Promise<void>): Promise<void> {
  await using scratch = await Scratch.open();
  await using atlassian = await Atlassian.start({ site: siteOf(3) });
  const port = await freePort();
  const path = await scratch.write('tap.json', JSON.stringify(atlassian.config(credentials), null, 2));
  await test({ atlassian, path, login: (person) => attempt(path, { person, flags: { port } }), port });
}

const browse = async (address: string): Promise<string> => (await fetch(address)).text();
const stored = (path: string): string | undefined =>
  (JSON.parse(readFileSync(path, 'utf8')) as { credentials: { refresh_token?: string } }).credentials
    .refresh_token;

describe('tap-jira authorize with OAuth 2.0', () => {
  it('brings a refresh token, and a run works', async () => {
    await withApp({ client_id: 'client-id-1' }, async ({ atlassian, path, port, login }) => {
      const before = await runTapProgram(['--config', path]);
      expect(before.stderr).toContain(`run tap-jira authorize --config ${path}`);

      let address = '';
      let page = '';
      const { text, error } = await login(async (shown) => {
        address = shown;
        page = await browse(shown);
      });
      expect(error).toBeUndefined();
      const query = Object.fromEntries(new URL(address).searchParams);
      expect(query).toMatchObject({
        audience: 'api.atlassian.com',
        scope: 'read:jira-work read:jira-user offline_access',
        redirect_uri: `http://localhost:${port}/callback`,
        response_type: 'code',
        code_challenge_method: 'S256',
      });
      expect(query['state']).toMatch(/^[\w-]{43}$/);
      expect(text).toContain(`Callback URL: http://localhost:${port}/callback`);
      expect(text).toMatch(/Logged in as Ada/);
      expect(page).toMatch(/Logged in as Ada/);
      expect(text + page).not.toMatch(/hush/);
      expect(stored(path)).toBe([...atlassian.refreshTokens.keys()].at(-1));

      const { code, stdout } = await runTapProgram(['--config', path]);
      expect([code, recordsOf(stdout).length]).toEqual([0, 3]);
      const status = await attempt(path, { flags: { status: true } });
      expect(status.text).toMatch(/Atlassian takes the token: logged in as Ada/);
      expect(stored(path)).toBe([...atlassian.refreshTokens.keys()].at(-1));
    });
  });

  it('keeps the old token when the person says no', async () => {
    await withApp({ refresh_token: 'old' }, async ({ atlassian, path, login }) => {
      atlassian.allow = false;
      let page = '';
      const { error } = await login(async (address) => (page = await browse(address)));
      expect(error).toMatchObject({ code: 'DENIED', message: expect.stringContaining('choose Accept') });
      expect(page).toContain('Access was denied');
      expect(stored(path)).toBe('old');
    });
  });

  it('does not take the call of another login, nor a code without its verifier', async () => {
    await withApp({ refresh_token: 'old' }, async ({ path, login }) => {
      const { error } = await login(async (address) => {
        const url = new URL(address);
        url.searchParams.set('state', 'forged');
        expect(await browse(url.href)).toContain('not the login that is waited for');
        url.searchParams.set('state', new URL(address).searchParams.get('state')!);
        url.searchParams.set('code_challenge', 'of somebody else');
        expect(await browse(url.href)).toContain('The login did not work');
      });
      expect(error).toMatchObject({
        code: 'AUTH',
        message: expect.stringContaining('run the command again'),
      });
      expect(stored(path)).toBe('old');
    });
  });

  it('says that --oob and --keygen are not for it', async () => {
    await withApp({}, async ({ path }) => {
      const { error } = await attempt(path, { flags: { oob: true } });
      expect(error).toMatchObject({ kind: 'config', message: expect.stringContaining('--oob') });
    });
  });
});
