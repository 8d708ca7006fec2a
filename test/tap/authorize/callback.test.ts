import { request } from 'node:http';
import { describe, expect, it } from 'vitest';
import { listenForCallback } from '../../../src/tap/authorize/callback.ts';
import { renderPage } from '../../../src/tap/authorize/page.ts';
import { openBrowser } from '../../../src/tap/authorize/browser.ts';
import { Scratch } from '../../support/programs.ts';

const PAGE = {
  tone: 'good',
  title: 'All is <well> & "good"',
  text: 'Text.',
  next: ['Do `a <b>` now.'],
} as const;
const NEVER = new AbortController().signal;
const isOurs = (query: URLSearchParams): boolean => query.get('state') === 'ours';

/** The status of a GET with another Host than the address has. */
function statusAs(host: string, address: string): Promise<number> {
  return new Promise((resolve, reject) => {
    request(address, { headers: { host } }, (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    })
      .on('error', reject)
      .end();
  });
}

describe('the address that a browser comes back to', () => {
  it('takes the call that belongs to the login, once, and shows its page', async () => {
    const server = await listenForCallback({ port: 0, host: 'localhost', path: '/back' });
    try {
      expect(server.address).toMatch(/^http:\/\/localhost:\d+\/back$/);
      const address = server.address.replace('localhost', '127.0.0.1');
      const host = new URL(server.address).host;
      const next = server.next(isOurs, NEVER);
      expect(await statusAs(host, `${address}?state=other`)).toBe(400);
      expect(await statusAs('evil.example', `${address}?state=ours`)).toBe(400);
      expect(await statusAs(host, address.replace('/back', '/favicon.ico'))).toBe(404);
      const shown = fetch(`${server.address}?state=ours&code=1`);
      const call = await next;
      expect(call.query.get('code')).toBe('1');
      expect(await statusAs(host, `${address}?state=ours`)).toBe(400);
      await call.answer(PAGE);
      const response = await shown;
      expect(response.headers.get('content-security-policy')).toContain("default-src 'none'");
      expect(response.headers.get('cache-control')).toBe('no-store');
      expect(await response.text()).toBe(renderPage(PAGE));
    } finally {
      await server.close();
    }
  });

  it('stops waiting when it is told to', async () => {
    const server = await listenForCallback({ port: 0 });
    const stop = new AbortController();
    const next = server.next(isOurs, stop.signal);
    stop.abort(new Error('stopped'));
    await expect(next).rejects.toThrow('stopped');
    await server.close();
  });

  it('says when its port is taken', async () => {
    const server = await listenForCallback({ port: 0 });
    const port = Number(new URL(server.address).port);
    await expect(listenForCallback({ port })).rejects.toThrow(/port \d+ .* in use; .*--port/);
    await server.close();
  });
});

describe('the page', () => {
  it('escapes what it shows, loads nothing and runs nothing', () => {
    const html = renderPage(PAGE);
    expect(html).toContain('<h1>All is &#60;well&#62; &#38; &#34;good&#34;</h1>');
    expect(html).toContain('Do <code>a &#60;b&#62;</code> now.');
    expect(html).not.toMatch(/<script|https?:|url\(|@import/);
  });
});

describe('opening a browser', () => {
  it('is not tried without a screen, and fails quietly without an opener', async () => {
    expect(await openBrowser('http://x', { platform: 'linux', env: {} })).toBe(false);
    await using empty = await Scratch.open();
    const path = process.env['PATH'];
    process.env['PATH'] = empty.path;
    try {
      expect(await openBrowser('http://x', { platform: 'linux', env: { DISPLAY: ':0' } })).toBe(false);
    } finally {
      process.env['PATH'] = path;
    }
  });
});
