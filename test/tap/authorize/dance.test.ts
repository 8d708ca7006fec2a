import { generateKeyPairSync } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../../src/shared/clock.ts';
import { startJira, type Jira } from '../../support/jira/server.ts';
import { codeOn, OAuthPerson } from '../../support/oauth-person.ts';
import { recordsOf, runTapProgram, Scratch, startTap } from '../../support/programs.ts';
import { siteOf } from '../traps/setup.ts';
import { addressIn, attempt, CONSUMER, makeLink, publicKeyIn, writeConfig } from './setup.ts';

let scratch: Scratch;
let jira: Jira;
let config: string;
let skewMs = 0;
const clock = { ...systemClock, now: () => Date.now() + skewMs };
const credentials = (): Record<string, string> =>
  (JSON.parse(readFileSync(config, 'utf8')) as { credentials: Record<string, string> }).credentials;

beforeEach(async () => {
  skewMs = 0;
  scratch = await Scratch.open();
  const site = siteOf(3);
  site.now = clock.now;
  jira = await startJira({ flavour: 'datacenter', site });
  config = await writeConfig(scratch, jira);
});
afterEach(async () => {
  await jira.close();
  await scratch[Symbol.asyncDispose]();
});

describe('from no key at all to a finished run', () => {
  it('as a person does it: the key, the link, the login, the check, the run', async () => {
    config = await writeConfig(scratch, jira, {});
    const before = await runTapProgram(['--config', config]);
    expect(before).toMatchObject({ code: 1, stdout: '' });
    expect(before.stderr).toContain(`run tap-jira authorize --config ${config}`);

    const keygen = await runTapProgram(['authorize', '--config', config, '--keygen']);
    expect(keygen).toMatchObject({ code: 0, stderr: '' });
    expect(keygen.stdout).toMatch(/Consumer Key +OauthKey\n.*Consumer Name +tap-jira\n.*Public Key/);
    expect(keygen.stdout).not.toContain('PRIVATE');
    jira.oauth.link(CONSUMER, publicKeyIn(keygen.stdout));

    const { child, ended } = startTap(['authorize', '--config', config, '--no-browser']);
    let shown = '';
    const page = await new Promise<string>((resolve, reject) => {
      child.stdout!.on('data', (chunk: Buffer) => {
        shown += String(chunk);
        if (/Waiting for you/.test(shown))
          new OAuthPerson().allow(addressIn(shown)).then(({ html }) => resolve(html), reject);
      });
    });
    const login = await ended;
    expect(login).toMatchObject({ code: 0, stderr: '' });
    expect(login.stdout).toMatch(
      /Logged in as .*\nThe access token ends on \d{4}-\d\d-\d\d \(in 182\d days\)/,
    );
    expect(page).toMatch(/Logged in as/);
    const { access_token: token, session_handle: handle, private_key: key } = credentials();
    for (const secret of [token!, handle!, key!]) {
      expect(page + login.stdout).not.toContain(secret);
      expect(secret.length).toBeGreaterThan(10);
    }

    const run = await runTapProgram(['--config', config]);
    expect(run.code).toBe(0);
    expect(recordsOf(run.stdout)).toHaveLength(3);
  });

  it('keeps everything else in the file as it was, and the file to its owner', async () => {
    config = await writeConfig(scratch, jira, {});
    const before = readFileSync(config, 'utf8');
    await makeLink(config, jira);
    expect((await attempt(config, { person: (at) => new OAuthPerson().allow(at) })).error).toBeUndefined();
    const after = readFileSync(config, 'utf8');
    const added = /,\n {8}"private_key": "[^"]+",\n {8}"access_token": [\s\S]+(?=\n {4}\}\n\}\n$)/;
    expect(after.replace(added, '')).toBe(before);
    expect(statSync(config).mode & 0o777).toBe(0o600);
  });

  it('a member that refers to a file is kept there', async () => {
    const [key, token] = [scratch.at('jira.pem'), scratch.at('token.txt')];
    config = await writeConfig(scratch, jira, { private_key: `file:${key}`, access_token: `file:${token}` });
    await makeLink(config, jira);
    expect(readFileSync(key, 'utf8')).toMatch(/^-----BEGIN PRIVATE KEY-----\n/);
    expect(statSync(key).mode & 0o777).toBe(0o600);
    expect((await attempt(config, { person: (at) => new OAuthPerson().allow(at) })).error).toBeUndefined();
    expect(credentials()).toMatchObject({ private_key: `file:${key}`, access_token: `file:${token}` });
    expect(jira.oauth.accessTokens.has(readFileSync(token, 'utf8').trim())).toBe(true);
  });

  it('a member that refers to a variable is refused before anybody is asked', async () => {
    config = await writeConfig(scratch, jira, { access_token: 'env:NO_SUCH_TOKEN' });
    const { error, text } = await attempt(config);
    expect(error).toMatchObject({
      kind: 'config',
      message: expect.stringMatching(/NO_SUCH_TOKEN.*file:PATH/),
    });
    expect(text).toBe('');
    expect(jira.requests).toEqual([]);
  });

  it('with a code that is typed in, quotes and full stop included', async () => {
    await makeLink(config, jira);
    const answer = async (said: string): Promise<string> =>
      ` '${codeOn(await new OAuthPerson().allow(addressIn(said)))}'. `;
    const { error, text } = await attempt(config, { flags: { oob: true }, answer });
    expect(error).toBeUndefined();
    expect(text).toContain('Logged in as');
    expect(jira.oauth.problems).toEqual([]);
  });

  it('with somebody at the terminal, all in one go', async () => {
    config = await writeConfig(scratch, jira, {});
    const { error, text } = await attempt(config, {
      answer: async (said) => {
        jira.oauth.link(CONSUMER, publicKeyIn(said));
        return '';
      },
      person: (address) => new OAuthPerson().allow(address),
    });
    expect(error).toBeUndefined();
    expect(text).toMatch(/Press Enter when the link is saved[\s\S]+Logged in as/);
  });

  it('Ctrl-C ends the wait', async () => {
    await makeLink(config, jira);
    const { child, ended } = startTap(['authorize', '--config', config, '--no-browser']);
    child.stdout!.on('data', (chunk: Buffer) => {
      if (String(chunk).includes('Waiting for you')) child.kill('SIGINT');
    });
    expect(await ended).toMatchObject({ code: 130, stderr: expect.stringContaining('stopped by SIGINT') });
  });

  it('the key is never replaced', async () => {
    const { private_key: key } = credentials();
    await makeLink(config, jira);
    expect(credentials()['private_key']).toBe(key);
  });
});

describe('each failure has its own advice', () => {
  /** The error of a dance; nothing may have been stored, nor be told that Jira echoes. */
  async function failureOf(options: Parameters<typeof attempt>[1]): Promise<Error & { code?: string }> {
    const { error, text, logged } = await attempt(config, options);
    expect(error).toMatchObject({ kind: 'config' });
    expect(credentials()).not.toHaveProperty('access_token');
    expect([error!.message, text, ...logged].join('\n')).not.toMatch(/oauth_nonce|%26|POST&/);
    return error!;
  }
  const allow = { person: (address: string) => new OAuthPerson().allow(address) };

  it('denied in the browser', async () => {
    await makeLink(config, jira);
    let page = '';
    const person = async (address: string): Promise<void> => {
      page = (await new OAuthPerson().deny(address)).html;
    };
    expect(await failureOf({ person })).toMatchObject({ code: 'DENIED', message: /choose Allow/ });
    expect(page).toContain('Access was denied');
    expect(page).toContain(`tap-jira authorize --config ${config}`);
  });

  it('denied, and a code made up', async () => {
    await makeLink(config, jira);
    const answer = async (said: string): Promise<string> => {
      await new OAuthPerson().deny(addressIn(said));
      return 'denied';
    };
    const error = await failureOf({ flags: { oob: true }, answer });
    expect(error).toMatchObject({
      code: 'DENIED',
      message: expect.stringMatching(/permission_denied; somebody chose Deny/),
    });
  });

  it.each<[string, () => Promise<string | undefined>]>([
    ['input that ends', async () => undefined],
    ['an empty line', async () => ' '],
  ])('no code: %s', async (_what, answer) => {
    await makeLink(config, jira);
    expect((await failureOf({ flags: { oob: true }, answer })).message).toMatch(/no verification code/);
  });

  it('an approval that has expired', async () => {
    await makeLink(config, jira);
    let page = '';
    const person = async (address: string): Promise<void> => {
      const someone = new OAuthPerson();
      const back = await someone.allowAndStay(address);
      skewMs += 11 * 60_000;
      page = (await someone.visit(back)).html;
    };
    const error = await failureOf({ person, clock });
    expect(error.message).toMatch(/token_expired; the approval .*ten minutes.*once more/);
    expect(page).toContain('The login did not work');
    expect(page).toContain('ten minutes');
  });

  it('an approval that was used before', async () => {
    await makeLink(config, jira);
    const person = async (address: string): Promise<void> => {
      const someone = new OAuthPerson();
      const back = await someone.allowAndStay(address);
      jira.oauth.requestTokens.clear(); // as the first use does
      await someone.visit(back);
    };
    expect((await failureOf({ person })).message).toMatch(/token_rejected; the approval was used before/);
  });

  it('a consumer key that Jira does not know', async () => {
    await attempt(config, { flags: { keygen: true } });
    expect((await failureOf(allow)).message).toMatch(
      /consumer_key_unknown; .*credentials\.consumer_key.*--keygen/,
    );
  });

  it('the public key of another pair', async () => {
    await attempt(config, { flags: { keygen: true } });
    const { publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    jira.oauth.link(CONSUMER, publicKey.export({ type: 'spki', format: 'pem' }).toString());
    const { message } = await failureOf(allow);
    expect(message).toMatch(/signature_invalid; credentials\.private_key does not belong.*--keygen/);
    expect(message).not.toContain('proxy');
  });

  it('a proxy that changes scheme and host', async () => {
    const site = siteOf(1);
    site.now = clock.now;
    jira.use({ flavour: 'datacenter', site, baseUrl: 'https://jira.example.com/jira' });
    await makeLink(config, jira);
    const { message } = await failureOf(allow);
    expect(message).toMatch(
      /signature_invalid; Jira believes .*https:\/\/jira\.example\.com\/jira\/.*proxyName/,
    );
    expect(message).not.toContain('private_key');
  });

  it.each([
    [-400_000, '6 min 40 s behind'],
    [2 * 3600_000, '2 h 0 min ahead of'],
  ])('a clock that is %d ms off', async (off, words) => {
    await makeLink(config, jira);
    const wrong = { ...systemClock, now: () => Date.now() + off };
    const { message } = await failureOf({ ...allow, clock: wrong });
    // A second may pass between the two clocks.
    expect(message.replace(/(39|41) s/, '40 s').replace('1 h 59 min', '2 h 0 min')).toContain(
      `timestamp_refused; the clock of this machine is ${words} Jira's`,
    );
  });

  it('an address where no Jira is', async () => {
    config = await scratch.write('tap.json', {
      base_url: new URL(jira.url).origin,
      credentials: { auth_type: 'oauth1', consumer_key: CONSUMER },
    });
    await attempt(config, { flags: { keygen: true } });
    expect(await failureOf(allow)).toMatchObject({
      code: 'NOT_JIRA',
      message: expect.stringContaining('context path'),
    });
  });

  it('a token that was revoked: told by the run', async () => {
    await makeLink(config, jira);
    await attempt(config, allow);
    jira.oauth.accessTokens.clear();
    const run = await runTapProgram(['--config', config, '--log-level', 'debug']);
    expect(run.code).toBe(1);
    expect(run.stderr).toMatch(/token_rejected; .*run tap-jira authorize --config/);
    for (const name of ['access_token', 'private_key', 'session_handle'])
      expect(run.stderr).not.toContain(credentials()[name]);
  });

  it('another way to log in needs no dance', async () => {
    config = await scratch.write('tap.json', {
      base_url: jira.url,
      credentials: { auth_type: 'personal_access_token', token: 'pat-ada' },
    });
    expect((await attempt(config)).error!.message).toContain('personal_access_token needs no login');
  });
});
