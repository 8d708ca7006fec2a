import { once } from 'node:events';
import { createServer, request, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/** What the proxy does with one request. */
export type Fault =
  /** Hands it on, and the answer back. */
  | { readonly kind: 'none' }
  /** Answers itself; the server never hears of the request. */
  | {
      readonly kind: 'answer';
      readonly status: number;
      readonly body?: string;
      readonly headers?: Readonly<Record<string, string>>;
    }
  /** Closes the connection; the server never hears of the request. */
  | { readonly kind: 'cut before' }
  /** Lets the server do it, then closes the connection instead of answering. */
  | { readonly kind: 'cut after' }
  /** Sends it to the server twice and hands the second answer back. */
  | { readonly kind: 'twice' }
  /** Lets the server do it, then answers something else. */
  | { readonly kind: 'answer after'; readonly status: number; readonly body: string }
  | { readonly kind: 'delay'; readonly ms: number };

export type Seen = {
  readonly method: string;
  readonly path: string;
  readonly query: string;
  readonly headers: IncomingMessage['headers'];
  readonly number: number;
};

export type FaultProxy = {
  readonly url: string;
  readonly seen: Seen[];
  /** Decides about each request from now on. */
  decide: (request: Seen) => Fault;
  /** Resolves when the server has answered every request that was handed on, whether or not the client is there. */
  readonly settled: () => Promise<void>;
  readonly [Symbol.asyncDispose]: () => Promise<void>;
};

type Answer = {
  readonly status: number;
  readonly headers: IncomingMessage['rawHeaders'];
  readonly body: Buffer;
};

/** A proxy before an HTTP server, on a port of its own. Requests are handed on unchanged, so signatures hold. */
export async function startFaultProxy(target: string): Promise<FaultProxy> {
  const { hostname, port } = new URL(target);
  const forward = async (from: IncomingMessage, body: Buffer): Promise<Answer> => {
    const sent = request({
      hostname,
      port,
      method: from.method,
      path: from.url,
      headers: from.headers,
      agent: false,
    });
    sent.end(body);
    const [answer] = (await once(sent, 'response')) as [IncomingMessage];
    return { status: answer.statusCode ?? 0, headers: answer.rawHeaders, body: await read(answer) };
  };
  const underWay = new Set<Promise<void>>();
  const server = createServer((from, to) => {
    const handle = async (): Promise<void> => {
      const url = new URL(from.url ?? '/', target);
      const seen: Seen = {
        method: from.method ?? '',
        path: url.pathname,
        query: url.search,
        headers: from.headers,
        number: proxy.seen.length + 1,
      };
      proxy.seen.push(seen);
      const fault = proxy.decide(seen);
      if (from.headers.expect === '100-continue') to.writeContinue();
      const body = await read(from);
      const reply = ({ status, headers, body: text }: Answer): void => {
        to.writeHead(
          status,
          headers.filter(
            (_, i) =>
              !/^(connection|transfer-encoding|content-length|keep-alive)$/i.test(headers[i - (i % 2)]!),
          ),
        );
        to.end(text);
      };
      switch (fault.kind) {
        case 'none':
          return reply(await forward(from, body));
        case 'delay':
          await sleep(fault.ms);
          return reply(await forward(from, body));
        case 'answer':
          to.writeHead(fault.status, fault.headers).end(fault.body ?? '');
          return;
        case 'cut before':
          from.socket.destroy();
          return;
        case 'cut after':
          await forward(from, body);
          from.socket.destroy();
          return;
        case 'twice':
          await forward(from, body);
          return reply(await forward(from, body));
        case 'answer after':
          await forward(from, body);
          to.writeHead(fault.status).end(fault.body);
          return;
        default:
          fault satisfies never;
      }
    };
    const done = handle()
      .catch(() => void from.socket.destroy())
      .finally(() => underWay.delete(done));
    underWay.add(done);
  });
  server.on('checkContinue', (from, to) => server.emit('request', from, to));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const proxy: FaultProxy = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    seen: [],
    decide: () => ({ kind: 'none' }),
    settled: async () => {
      while (underWay.size > 0) await Promise.all(underWay);
    },
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
  return proxy;
}

async function read(message: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of message) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}
