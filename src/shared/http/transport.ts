import { setMaxListeners } from 'node:events';
import { rootCertificates } from 'node:tls';
import { Agent, EnvHttpProxyAgent, ProxyAgent, type Dispatcher } from 'undici';
import { errnoOf } from '../errors.ts';
import { readBody } from './body.ts';
import {
  HttpFailure,
  type AnswerHeaders,
  type HttpRequest,
  type HttpResponse,
  type Send,
} from './request.ts';

export type TransportOptions = {
  /** For the whole exchange, from the first byte sent to the last received. */
  readonly timeoutMs: number;
  /** Sockets per host. */
  readonly connections: number;
  readonly maxBodyBytes: number;
  /** PEM text of certificate authorities to trust beside the public ones. */
  readonly ca?: string;
  /** Address of an HTTP proxy; without it the environment's proxy variables are obeyed. */
  readonly proxyUrl?: string;
};

const CONNECT_TIMEOUT_MS = 15_000;

/**
 * One attempt at a request: the only door to the network. Redirects are not followed, so credentials never reach
 * another host, and cookies are not kept. The answer's body is read whole and bounded.
 */
export function transport(options: TransportOptions): {
  readonly send: Send;
  readonly close: () => Promise<void>;
} {
  const dispatcher = dispatcherFor(options);
  const send: Send = async (request, signal) => {
    // A listener for as long as the request lasts; AbortSignal.any would leave something behind.
    const stop = new AbortController();
    const cancel = (): void => stop.abort();
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      cancel();
    }, options.timeoutMs);
    setMaxListeners(0, signal);
    signal.addEventListener('abort', cancel);
    try {
      signal.throwIfAborted();
      return await exchange(dispatcher, request, stop.signal, options.maxBodyBytes);
    } catch (cause) {
      signal.throwIfAborted();
      throw toFailure(cause, late, new URL(request.url).host);
    } finally {
      clearTimeout(timer);
      signal.removeEventListener('abort', cancel);
    }
  };
  return { send, close: () => dispatcher.close() };
}

async function exchange(
  dispatcher: Dispatcher,
  { method, url, headers, body }: HttpRequest,
  signal: AbortSignal,
  maxBodyBytes: number,
): Promise<HttpResponse> {
  const { origin, pathname, search } = new URL(url);
  const response = await dispatcher.request({
    origin,
    path: pathname + search,
    method,
    headers: { 'accept-encoding': 'gzip', ...headers },
    body: body ?? null,
    signal,
  });
  const answered: AnswerHeaders = { get: (name) => valueOf(response.headers[name]) };
  return {
    status: response.statusCode,
    headers: answered,
    body: await readBody(response.body, answered, maxBodyBytes),
  };
}

function valueOf(header: string | string[] | undefined): string | null {
  return Array.isArray(header) ? header.join(', ') : (header ?? null);
}

function dispatcherFor(options: TransportOptions): Dispatcher {
  const tls = options.ca === undefined ? {} : { ca: [...rootCertificates, options.ca] };
  const common = {
    connections: options.connections,
    pipelining: 1,
    headersTimeout: options.timeoutMs,
    bodyTimeout: options.timeoutMs,
    keepAliveTimeout: 10_000,
    connect: { timeout: CONNECT_TIMEOUT_MS, ...tls },
  };
  if (options.proxyUrl !== undefined)
    return new ProxyAgent({ ...common, uri: options.proxyUrl, requestTls: tls });
  const proxied = ['http_proxy', 'https_proxy', 'HTTP_PROXY', 'HTTPS_PROXY'].some(
    (name) => (process.env[name] ?? '') !== '',
  );
  return proxied ? new EnvHttpProxyAgent({ ...common, requestTls: tls }) : new Agent(common);
}

const REASONS: Readonly<Record<string, HttpFailure['reason']>> = {
  ENOTFOUND: 'unknown-host',
  ECONNREFUSED: 'refused',
  EHOSTUNREACH: 'refused',
  ENETUNREACH: 'refused',
  EADDRNOTAVAIL: 'refused',
  EAI_AGAIN: 'refused',
  UND_ERR_CONNECT_TIMEOUT: 'timeout',
  UND_ERR_HEADERS_TIMEOUT: 'timeout',
  UND_ERR_BODY_TIMEOUT: 'timeout',
  ETIMEDOUT: 'timeout',
  ECONNRESET: 'cut',
  EPIPE: 'cut',
  UND_ERR_SOCKET: 'cut',
  UND_ERR_RES_CONTENT_LENGTH_MISMATCH: 'cut',
  UND_ERR_ABORTED: 'cut',
  Z_BUF_ERROR: 'cut',
  Z_DATA_ERROR: 'cut',
};

function errorChain(thrown: unknown): string {
  const errors: string[] = [];
  for (let error = thrown; error instanceof Error; error = error.cause)
    errors.push(`${error.name}: ${error.message}`);
  return errors.join('; ');
}

/** Failures of the network become `HttpFailure`; anything else (a bug) is thrown as it is. */
function toFailure(cause: unknown, timedOut: boolean, host: string): unknown {
  if (cause instanceof HttpFailure) return cause;
  if (timedOut)
    return new HttpFailure('timeout', 'TIMEOUT', `no complete answer from ${host} in time`, cause);
  const code = errnoOf(cause) ?? '';
  if (/CERT|SELF_SIGNED|ERR_TLS|UNABLE_TO_|ERR_SSL/.test(code)) {
    return new HttpFailure('certificate', code, `the certificate of ${host} is not trusted (${code})`, cause);
  }
  const chain = errorChain(cause);
  const tunnel = /Proxy response \((\d+)\)/.exec(chain)?.[1];
  if (tunnel !== undefined)
    return new HttpFailure('refused', `PROXY_${tunnel}`, `the proxy answered ${tunnel}`, cause);
  if (chain.includes('HTTPParserError'))
    return new HttpFailure('cut', 'NOT_HTTP', `${host}: what came is not HTTP`, cause);
  const reason = REASONS[code];
  if (reason !== undefined) return new HttpFailure(reason, code, `${host}: ${code}`, cause);
  return cause;
}
