import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import { afterEach, describe, expect, it } from 'vitest';
import { HttpFailure, type HttpRequest, type HttpResponse } from '../../src/shared/http/request.ts';
import { transport, type TransportOptions } from '../../src/shared/http/transport.ts';
import { serve } from '../support/http-server.ts';

const NEVER = new AbortController().signal;
const OPTIONS: TransportOptions = { timeoutMs: 5000, connections: 5, maxBodyBytes: 1_000_000 };

const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

async function get(
  url: string,
  more: Partial<TransportOptions> = {},
  request: Partial<HttpRequest> = {},
  signal = NEVER,
): Promise<HttpResponse> {
  const { send, close } = transport({ ...OPTIONS, ...more });
  closers.push(close);
  return send({ method: 'GET', url, headers: {}, ...request }, signal);
}

async function failureOf(answer: Promise<unknown>): Promise<HttpFailure> {
  const error: unknown = await answer.then(
    () => new Error('it succeeded'),
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(HttpFailure);
  return error as HttpFailure;
}

describe('one exchange', () => {
  it('gives status, headers and the decoded body, whatever the status', async () => {
    await using server = await serve((request, response) => {
      request.resume();
      response.writeHead(418, { 'content-encoding': 'gzip', 'x-a': 'b' }).end(gzipSync('tea é'));
    });
    const { status, headers, body } = await get(server.url, {}, { method: 'POST', body: '{"a":"é"}' });
    expect([status, headers.get('x-a'), body.toString()]).toEqual([418, 'b', 'tea é']);
    expect(server.seen[0]!.method).toBe('POST');
  });

  it('does not follow a redirect, so that no credential reaches another host', async () => {
    await using other = await serve((_, response) => response.end('stolen'));
    await using server = await serve((_, response) =>
      response.writeHead(302, { location: other.url, 'set-cookie': 'JSESSIONID=1' }).end(),
    );
    const headers = { authorization: 'Bearer secret' };
    const answer = await get(server.url, {}, { headers });
    expect([answer.status, answer.headers.get('location')]).toEqual([302, other.url]);
    await get(server.url, {}, { headers });
    expect(other.seen).toEqual([]);
    expect(server.seen.every((request) => request.headers.cookie === undefined)).toBe(true);
  });

  it('opens no more connections than it may', async () => {
    let active = 0;
    let most = 0;
    await using server = await serve((_, response) => {
      most = Math.max(most, ++active);
      setTimeout(() => {
        active--;
        response.end('x');
      }, 10);
    });
    const { send, close } = transport({ ...OPTIONS, connections: 3 });
    closers.push(close);
    const requests = Array.from({ length: 12 }, () =>
      send({ method: 'GET', url: server.url, headers: {} }, NEVER),
    );
    await Promise.all(requests);
    expect(most).toBe(3);
  });
});

describe('no complete answer', () => {
  it.each([
    ['hangs before the headers', 0],
    ['sends one byte now and then', 1],
  ])('a server that %s times out', async (_, slow) => {
    const timers: NodeJS.Timeout[] = [];
    await using server = await serve((_request, response) => {
      if (slow === 0) return;
      response.writeHead(200);
      timers.push(setInterval(() => response.write('x'), 10));
    });
    const begin = performance.now();
    const failure = await failureOf(get(server.url, { timeoutMs: 120 }));
    timers.forEach(clearInterval);
    expect(failure.reason).toBe('timeout');
    expect(performance.now() - begin).toBeLessThan(3000);
  });

  it('a body over the limit is not read to its end, declared or not, packed or not', async () => {
    const big = Buffer.alloc(3_000_000, 'x');
    await using server = await serve((request, response) => {
      if (request.url === '/packed')
        response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync(big));
      else if (request.url === '/declared')
        response.writeHead(200, { 'content-length': big.length }).end(big);
      else response.writeHead(200).write(big, () => response.end());
    });
    for (const path of ['/packed', '/declared', '/chunked'])
      expect((await failureOf(get(server.url + path))).reason).toBe('too-large');
    expect((await get(`${server.url}/packed`, { maxBodyBytes: 3_000_000 })).body.equals(big)).toBe(true);
  });

  it('a cut body and a dropped connection are told from a good answer', async () => {
    await using server = await serve((request, response) => {
      if (request.url === '/drop') request.socket.destroy();
      else response.writeHead(200, { 'content-length': '50' }).write('x', () => request.socket.destroy());
    });
    for (const path of ['/drop', '/cut'])
      expect((await failureOf(get(server.url + path))).reason, path).toBe('cut');
  });

  it('a gzip stream that ends too early gives what there was: the reader of the JSON will notice', async () => {
    const packed = gzipSync(JSON.stringify({ a: 'x'.repeat(5000) })).subarray(0, 30);
    await using server = await serve((_, response) =>
      response.writeHead(200, { 'content-encoding': 'gzip' }).end(packed),
    );
    const text = await get(server.url).then(
      ({ body }) => body.toString(),
      () => '',
    );
    expect(() => JSON.parse(text) as unknown).toThrow();
  });

  it('something that is not HTTP is a failure', async () => {
    const server = createServer((socket) => {
      socket.on('error', () => undefined);
      socket.end('220 smtp.example ESMTP\r\n', () => socket.destroy());
    }).listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    const { port } = server.address() as AddressInfo;
    const failure = await failureOf(get(`http://127.0.0.1:${port}`));
    expect([failure.reason, failure.code]).toEqual(['cut', 'NOT_HTTP']);
    await new Promise((resolve) => server.close(resolve));
  });

  it('nobody listens, or nobody has that name', async () => {
    await using server = await serve((_, response) => response.end());
    const { url } = server;
    await server[Symbol.asyncDispose]();
    expect((await failureOf(get(url))).reason).toBe('refused');
    const failure = await failureOf(get('http://no-such-host.invalid'));
    expect(['unknown-host', 'refused']).toContain(failure.reason);
  });

  it("the caller's signal ends it with the caller's reason", async () => {
    await using server = await serve(() => undefined);
    const stop = new AbortController();
    const answer = get(server.url, {}, {}, stop.signal);
    setTimeout(() => stop.abort(new Error('stopped')), 20);
    await expect(answer).rejects.toThrow('stopped');
  });
});
