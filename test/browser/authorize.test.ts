import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { chmod, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Chromium, type BrowserPage, type View } from '../support/chromium.ts';
import { startJira, type Jira } from '../support/jira/server.ts';
import { cleanEnv, recordsOf, ROOT, runTapProgram, Scratch } from '../support/programs.ts';
import { CONSUMER, publicKeyIn, writeConfig } from '../tap/authorize/setup.ts';
import { siteOf } from '../tap/traps/setup.ts';

const BINARY = process.env['CHROMIUM_BIN'];
/** A folder for pictures of the callback page. */
const PICTURES = process.env['SCREENSHOTS'];

const VIEWS: Readonly<Record<string, View>> = {
  'desktop-light': { width: 1280, height: 800, scheme: 'light' },
  'desktop-dark': { width: 1280, height: 800, scheme: 'dark' },
  'phone-light': { width: 360, height: 740, scheme: 'light' },
  'phone-dark': { width: 360, height: 740, scheme: 'dark' },
};

describe.skipIf(BINARY === undefined)('authorize in Chromium (CHROMIUM_BIN names it)', () => {
  let chromium: Chromium;
  let page: BrowserPage;
  let scratch: Scratch;
  let jira: Jira;
  let config: string;
  let onToken: (() => void) | undefined;
  beforeAll(async () => {
    chromium = await Chromium.open(BINARY!);
  });
  afterAll(() => chromium[Symbol.asyncDispose]());
  beforeEach(async () => {
    onToken = undefined;
    page = await chromium.newPage();
    scratch = await Scratch.open();
    const site = siteOf(30);
    site.now = Date.now;
    jira = await startJira({
      flavour: 'datacenter',
      site,
      onRequest: ({ route }) => {
        if (route.endsWith('/access-token')) onToken?.();
      },
    });
    config = await writeConfig(scratch, jira, {});
  });
  afterEach(async () => {
    await jira.close();
    await scratch[Symbol.asyncDispose]();
  });

  /** Makes the key, and the application link of what is printed. */
  async function makeLink(): Promise<void> {
    const { code, stdout } = await runTapProgram(['authorize', '--config', config, '--keygen']);
    expect(code).toBe(0);
    jira.oauth.link(CONSUMER, publicKeyIn(stdout), 'tap-jira');
  }

  /** Starts the login; the address that the program opens is the first that the browser goes to. */
  async function startLogin(...options: string[]) {
    const opened = scratch.at('opened');
    const opener = await scratch.write(
      'xdg-open',
      `#!/bin/sh\nprintf %s "$1" > '${opened}.new' && mv '${opened}.new' '${opened}'\n`,
    );
    await chmod(opener, 0o755);
    const env = cleanEnv({ DISPLAY: ':0' });
    const child = spawn(
      process.execPath,
      [join(ROOT, 'bin/tap-jira'), 'authorize', '-c', config, ...options],
      {
        env: { ...env, PATH: `${scratch.path}:${env['PATH']}` },
        stdio: ['pipe', 'pipe', 'pipe'],
      },
    );
    let text = '';
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (chunk: Buffer) => (text += String(chunk)));
    const ended = once(child, 'close').then(([code]) => ({ code: code as number, text }));
    const address = async (): Promise<string> => {
      for (let tries = 0; tries < 300; tries++) {
        const shown = /^ {2}(http\S+\/authorize\?\S+)$/m.exec(text)?.[1];
        if (shown !== undefined && (options.includes('--oob') || existsSync(opened))) {
          return options.includes('--oob') ? shown : readFileSync(opened, 'utf8');
        }
        await sleep(50);
      }
      throw new Error(`no address: ${text}`);
    };
    await page.goTo(await address());
    return { type: (line: string) => child.stdin.end(line), ended };
  }

  async function logIn(): Promise<void> {
    await page.type('#login-form-username', 'ada');
    await page.type('#login-form-password', 'correct horse');
    await page.click('#login-form-submit');
    await page.until('document.querySelector("#approve")');
  }

  /** What the callback page says; looked at in every light and width, and searched for secrets. */
  async function callbackPage(name: string): Promise<string> {
    const title = await page.until<string>('document.querySelector("main h1")?.innerText');
    for (const [view, size] of Object.entries(VIEWS)) {
      await page.look(size);
      const tooWide = 'document.documentElement.scrollWidth > document.documentElement.clientWidth';
      expect(await page.evaluate<boolean>(tooWide), `${name} ${view}: has to be scrolled sideways`).toBe(
        false,
      );
      if (PICTURES === undefined) continue;
      await mkdir(PICTURES, { recursive: true });
      await page.screenshot(join(PICTURES, `${name}-${view}.png`));
    }
    const loaded = 'performance.getEntriesByType("resource").map(({ name }) => name).join()';
    expect(await page.evaluate<string>(loaded)).toBe('');
    const html = await page.evaluate<string>('document.documentElement.outerHTML');
    for (const secret of secrets()) expect(html).not.toContain(secret);
    return `${title}\n${await page.text()}`;
  }

  const secrets = (): string[] => {
    const { credentials } = JSON.parse(readFileSync(config, 'utf8')) as {
      credentials: Record<string, string>;
    };
    return ['private_key', 'access_token', 'access_token_secret', 'session_handle'].flatMap(
      (name) => credentials[name] ?? [],
    );
  };

  async function expectExtraction(): Promise<void> {
    const run = await runTapProgram(['--config', config]);
    expect(run.code).toBe(0);
    expect(recordsOf(run.stdout)).toHaveLength(30);
    for (const secret of secrets()) expect(run.stdout + run.stderr).not.toContain(secret);
  }

  it('from no key at all to a finished extraction, sent back by the browser', async () => {
    await makeLink();
    const { ended } = await startLogin();
    await logIn();
    await page.click('#approve');
    const shown = await callbackPage('success');
    expect(shown).toMatch(/^Logged in as .*\n[\s\S]*What is next[\s\S]*tap-jira check --config/);
    const { code, text } = await ended;
    expect({ code, text }).toMatchObject({
      code: 0,
      text: expect.stringMatching(/Your browser opens[\s\S]*Logged in as/),
    });
    expect(secrets()).toHaveLength(4);
    for (const secret of secrets()) expect(text).not.toContain(secret);
    await expectExtraction();
  });

  it('from no key at all to a finished extraction, with a code', async () => {
    await makeLink();
    const { type, ended } = await startLogin('--oob');
    await logIn();
    await page.click('#approve');
    type(`${await page.until<string>('document.querySelector("#verifier")?.innerText')}\n`);
    expect(await ended).toMatchObject({ code: 0, text: expect.stringContaining('Logged in as') });
    await expectExtraction();
  });

  it('Deny is told in the browser and at the terminal', async () => {
    await makeLink();
    const { ended } = await startLogin();
    await logIn();
    await page.click('#deny');
    expect(await callbackPage('denied')).toMatch(/^Access was denied\n[\s\S]*tap-jira authorize --config/);
    expect(await ended).toMatchObject({
      code: 1,
      text: expect.stringMatching(/CRITICAL DENIED: .*choose Allow/),
    });
    expect(secrets()).toHaveLength(1);
  });

  it('an approval that does not work any more is told in the browser and at the terminal', async () => {
    await makeLink();
    onToken = () => jira.oauth.requestTokens.clear(); // as if it had been used
    const { ended } = await startLogin();
    await logIn();
    await page.click('#approve');
    expect(await callbackPage('failure')).toMatch(/^The login did not work\n[\s\S]*used before/);
    expect(await ended).toMatchObject({
      code: 1,
      text: expect.stringMatching(/CRITICAL AUTH: .*used before/),
    });
    expect(secrets()).toHaveLength(1);
  });
});
