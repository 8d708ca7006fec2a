import { readFile } from 'node:fs/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../../src/shared/clock.ts';
import type { Log } from '../../../src/shared/log.ts';
import { openClient } from '../../../src/tap/open-client.ts';
import { loadTapConfig } from '../../../src/tap/load-config.ts';
import type { CredentialStore } from '../../../src/tap/credential-store.ts';
import { startJira, type Jira } from '../../support/jira/server.ts';
import { OAuthPerson } from '../../support/oauth-person.ts';
import { Scratch } from '../../support/programs.ts';
import { siteOf } from '../traps/setup.ts';
import { attempt, makeLink, writeConfig } from './setup.ts';

const DAY_MS = 24 * 3600 * 1000;

let scratch: Scratch;
let jira: Jira;
let config: string;
let later = 0;
const clock = { ...systemClock, now: () => Date.now() + later };
const credentials = async (): Promise<Record<string, string>> =>
  (JSON.parse(await readFile(config, 'utf8')) as { credentials: Record<string, string> }).credentials;

beforeEach(async () => {
  later = 0;
  scratch = await Scratch.open();
  const site = siteOf(1);
  site.now = clock.now;
  jira = await startJira({ flavour: 'datacenter', site });
  jira.oauth.accessTokenSeconds = 30 * 24 * 3600;
  jira.oauth.sessionSeconds = 90 * 24 * 3600;
  config = await writeConfig(scratch, jira);
  await makeLink(config, jira);
  const { error } = await attempt(config, { person: (address) => new OAuthPerson().allow(address), clock });
  expect(error).toBeUndefined();
});
afterEach(async () => {
  await jira.close();
  await scratch[Symbol.asyncDispose]();
});

/** What a run does before it reads; what it logs, and the user Jira then sees. */
async function start(
  change: (store: CredentialStore) => CredentialStore = (store) => store,
): Promise<string[]> {
  const logged: string[] = [];
  const print = (message: string): void => void logged.push(message);
  const log: Log = { debug: print, info: print, warning: print, error: print, critical: print };
  const setup = await loadTapConfig({ paths: [config], env: {}, envPrefix: 'X_' });
  const { client, close } = await openClient({
    config: setup.config,
    store: change(setup.store),
    clock,
    log,
    signal: AbortSignal.timeout(20_000),
  });
  try {
    await client.get('/rest/api/2/myself', {}, { what: 'logging in' });
  } finally {
    await close();
  }
  return logged;
}

describe('an access token', () => {
  it('that lasts is left alone', async () => {
    const before = await credentials();
    later = 20 * DAY_MS;
    expect(await start()).toEqual([]);
    expect(await credentials()).toEqual(before);
  });

  it('that ends within a week is renewed, stored, and used', async () => {
    const before = await credentials();
    later = 25 * DAY_MS;
    expect((await start()).join()).toContain('renewed');
    const after = await credentials();
    expect(after['access_token']).not.toBe(before['access_token']);
    expect([...jira.oauth.accessTokens.keys()]).toEqual([after['access_token']]);
    expect(Date.parse(after['expires_at']!) - clock.now()).toBeGreaterThan(29 * DAY_MS);
    expect(after['session_expires_at']!.slice(0, 16)).toBe(before['session_expires_at']!.slice(0, 16));
  });

  it('that has ended is renewed as long as the session lasts; then somebody has to log in', async () => {
    later = 60 * DAY_MS;
    expect((await start()).join()).toContain('renewed');
    later = 100 * DAY_MS;
    await expect(start()).rejects.toThrow(/token_expired; .*run tap-jira authorize/);
    const { text, error } = await attempt(config, { flags: { status: true }, clock });
    expect(text).toMatch(/ended on .*\(10 days ago\)/);
    expect(error!.message).toContain('run tap-jira authorize');
  });

  it('is not renewed while the store cannot be written, since the old one would be lost', async () => {
    later = 25 * DAY_MS;
    const before = await credentials();
    const full = (store: CredentialStore): CredentialStore => ({
      ...store,
      save: () => Promise.reject(new Error('disk full')),
    });
    expect((await start(full)).join()).toMatch(/is not renewed: disk full/);
    expect([...jira.oauth.accessTokens.keys()]).toEqual([before['access_token']]);
  });

  it('that another run has renewed meanwhile is taken from the store', async () => {
    later = 25 * DAY_MS;
    let raced = false;
    const racing = (store: CredentialStore): CredentialStore => ({
      ...store,
      save: async (members) => {
        await store.save(members);
        if (raced) return;
        raced = true;
        await start();
      },
    });
    expect(await start(racing)).toEqual([]);
    expect([...jira.oauth.accessTokens.keys()]).toEqual([(await credentials())['access_token']]);
  });

  it('status says when it ends, who it is for, and renews it when that is near', async () => {
    const status = () => attempt(config, { flags: { status: true }, clock });
    expect((await status()).text).toMatch(
      /ends on \d{4}-\d\d-\d\d \(in (29|30) days\)\. Runs in its last 7 days renew it.*\nIt is stored in .*tap\.json\.\nJira takes it: logged in as/,
    );
    later = 25 * DAY_MS;
    expect((await status()).text).toMatch(/\(in (29|30) days\)/);
  });
});
