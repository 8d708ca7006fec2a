import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { configError, errnoOf } from '../../shared/errors.ts';
import { renderPage, type Page } from './page.ts';

/** A browser that came back from the login and waits for a page. */
export type Call = {
  readonly query: URLSearchParams;
  /** Shows the page; resolves when it has left. */
  readonly answer: (page: Page) => Promise<void>;
};

export type CallbackServer = {
  /** Where the browser is to be sent after the login. */
  readonly address: string;
  /** The next call that belongs to this login; others are told so and not counted. Rejects when `signal` aborts. */
  readonly next: (belongs: (query: URLSearchParams) => boolean, signal: AbortSignal) => Promise<Call>;
  readonly close: () => Promise<void>;
};

export type CallbackOptions = {
  /** 0 takes any free one. */
  readonly port: number;
  /** The name in the address; the server listens on the loopback device only, whatever it is. */
  readonly host?: '127.0.0.1' | 'localhost';
  readonly path?: string;
};

const STRAY: Page = {
  tone: 'bad',
  title: 'This is not the login that is waited for',
  text: 'The address belongs to an earlier or to another login.',
  next: ['Go back to the terminal, and open the address that is shown there.'],
};

type Waiting = {
  readonly belongs: (query: URLSearchParams) => boolean;
  readonly take: (call: Call) => void;
};

/** Waits on the loopback device for a browser that comes back from a login. */
export async function listenForCallback({
  port,
  host = '127.0.0.1',
  path = '/callback',
}: CallbackOptions): Promise<CallbackServer> {
  let waiting: Waiting | undefined;
  let authority = '';
  const server = createServer((request, response) => {
    const url = requested(request, authority);
    if (url?.pathname !== path) return end(response, url === undefined ? 400 : 404, '');
    if (waiting?.belongs(url.searchParams) !== true) return end(response, 400, renderPage(STRAY));
    const { take } = waiting;
    waiting = undefined; // the first one counts
    take({
      query: url.searchParams,
      answer: (page) =>
        new Promise((resolve) => {
          response.once('close', resolve);
          end(response, 200, renderPage(page));
        }),
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause) => reject(cannotListen(port, cause)));
    server.listen(port, '127.0.0.1', resolve);
  });
  authority = `${host}:${(server.address() as AddressInfo).port}`;
  return {
    address: `http://${authority}${path}`,
    next: (belongs, signal) =>
      new Promise((resolve, reject) => {
        const stop = (): void => reject(signal.reason as Error);
        if (signal.aborted) return stop();
        signal.addEventListener('abort', stop, { once: true });
        waiting = {
          belongs,
          take: (call) => {
            signal.removeEventListener('abort', stop);
            resolve(call);
          },
        };
      }),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** What was asked for; undefined if it was asked of another host, as a page elsewhere might make a browser do. */
function requested({ method, url = '', headers }: IncomingMessage, authority: string): URL | undefined {
  if (method !== 'GET' || headers.host !== authority) return undefined;
  return URL.canParse(url, `http://${authority}`) ? new URL(url, `http://${authority}`) : undefined;
}

function end(response: ServerResponse, status: number, html: string): void {
  response.writeHead(status, {
    'content-type': 'text/html; charset=utf-8',
    'content-length': Buffer.byteLength(html),
    'content-security-policy':
      "default-src 'none'; img-src data:; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    'referrer-policy': 'no-referrer',
    'x-content-type-options': 'nosniff',
    'cache-control': 'no-store',
    connection: 'close',
  });
  response.end(html);
}

function cannotListen(port: number, cause: unknown): Error {
  const reason = errnoOf(cause) ?? 'unknown';
  const advice =
    reason === 'EADDRINUSE' ? 'is in use; choose another, or leave --port out' : `cannot be used (${reason})`;
  return configError(`--port: port ${port} of this machine ${advice}; --oob needs no port`, {
    code: 'CONFIG',
    cause,
  });
}
