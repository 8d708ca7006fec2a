import { afterEach, describe, expect, it, vi } from 'vitest';
import { HttpFailure, type HttpResponse } from '../../src/shared/http/request.ts';
import { transport, type TransportOptions } from '../../src/shared/http/transport.ts';
import { selfSigned, serve, serveProxy, serveTls } from '../support/http-server.ts';

const OPTIONS: TransportOptions = { timeoutMs: 5000, connections: 5, maxBodyBytes: 1_000_000 };
const certificate = selfSigned();

const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  vi.unstubAllEnvs();
  for (const close of closers.splice(0)) await close();
});

async function get(url: string, more: Partial<TransportOptions> = {}): Promise<HttpResponse> {
  const { send, close } = transport({ ...OPTIONS, ...more });
  closers.push(close);
  return send({ method: 'GET', url, headers: { authorization: 'Bearer x' } }, new AbortController().signal);
}

describe('a proxy', () => {
  it('is used when it is configured, also with a password', async () => {
    await using server = await serve((_, response) => response.end('through'));
    const password = `Basic ${Buffer.from('me:pass word').toString('base64')}`;
    await using proxy = await serveProxy(password);
    const proxyUrl = `http://me:pass%20word@127.0.0.1:${proxy.port}`;
    expect((await get(server.url, { proxyUrl })).body.toString()).toBe('through');
    expect(proxy.seen.map(({ url }) => url)).toEqual([`127.0.0.1:${server.port}`]);
    expect(proxy.seen[0]!.headers.authorization).toBeUndefined();
    await expect(get(server.url, { proxyUrl: proxy.url })).rejects.toMatchObject({
      reason: 'refused',
      code: 'PROXY_407',
    });
  });

  it('is taken from the environment, but for the hosts it excepts', async () => {
    await using server = await serve((_, response) => response.end('direct'));
    await using proxy = await serveProxy();
    vi.stubEnv('HTTP_PROXY', proxy.url);
    vi.stubEnv('http_proxy', proxy.url);
    vi.stubEnv('NO_PROXY', '');
    vi.stubEnv('no_proxy', '');
    await get(server.url).catch(() => undefined);
    expect(proxy.seen.length + server.seen.length).toBeGreaterThan(0);
    const before = server.seen.length;
    vi.stubEnv('NO_PROXY', '127.0.0.1');
    vi.stubEnv('no_proxy', '127.0.0.1');
    expect((await get(server.url)).body.toString()).toBe('direct');
    expect(server.seen).toHaveLength(before + 1);
  });

  it('that is not there is a failure to connect', async () => {
    await using server = await serve((_, response) => response.end());
    await using proxy = await serveProxy();
    const { url } = proxy;
    await proxy[Symbol.asyncDispose]();
    await expect(get(server.url, { proxyUrl: url })).rejects.toMatchObject({ reason: 'refused' });
  });
});

describe.skipIf(certificate === undefined)('certificates', () => {
  it('of an unknown authority are refused, unless it is named', async () => {
    await using server = await serveTls(certificate!, (_, response) => response.end('safe'));
    const refused = await get(server.url).catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(HttpFailure);
    expect(refused).toMatchObject({ reason: 'certificate' });
    expect((await get(server.url, { ca: certificate!.cert })).body.toString()).toBe('safe');
  });

  it('are checked against the name', async () => {
    await using server = await serveTls(certificate!, (_, response) => response.end('safe'));
    const other = server.url.replace('127.0.0.1', '127.0.0.2');
    await expect(get(other, { ca: certificate!.cert })).rejects.toMatchObject({
      reason: expect.stringMatching(/certificate|refused/),
    });
  });

  it('are checked behind a proxy too', async () => {
    await using server = await serveTls(certificate!, (_, response) => response.end('safe'));
    await using proxy = await serveProxy();
    await expect(get(server.url, { proxyUrl: proxy.url })).rejects.toMatchObject({ reason: 'certificate' });
    const answer = await get(server.url, { proxyUrl: proxy.url, ca: certificate!.cert });
    expect(answer.body.toString()).toBe('safe');
    expect(proxy.seen.at(-1)!.url).toBe(`127.0.0.1:${server.port}`);
  });
});
