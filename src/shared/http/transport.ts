import { rootCertificates } from 'node:tls';
import { Agent, EnvHttpProxyAgent, ProxyAgent, type Dispatcher } from 'undici';
import { errnoOf, messageOf } from '../errors.ts';
import { HttpFailure, type Send } from './request.ts';

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
 * One attempt at a request: the only caller of `fetch`. Redirects are not followed, so credentials never reach
 * another host, and cookies are not kept. The answer's body is read whole and bounded.
 */
export function transport(options: TransportOptions): {
  readonly send: Send;
  readonly close: () => Promise<void>;
} {
  const dispatcher = dispatcherFor(options);
  const send: Send = async (request, signal) => {
    const deadline = AbortSignal.timeout(options.timeoutMs);
    try {
      const init = {
        method: request.method,
        headers: request.headers,
        redirect: 'manual',
        signal: AbortSignal.any([signal, deadline]),
        ...(request.body === undefined ? {} : { body: request.body }),
        // fetch is looked up at every call, and its type comes from an older undici than the agent's.
        dispatcher: dispatcher as unknown,
      };
      const response = await globalThis.fetch(request.url, init as RequestInit);
      return {
        status: response.status,
        headers: response.headers,
        body: await readBody(response, options.maxBodyBytes),
      };
    } catch (cause) {
      if (signal.aborted) throw signal.reason;
      throw toFailure(cause, deadline.aborted, new URL(request.url).host);
    }
  };
  return { send, close: () => dispatcher.close() };
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

async function readBody(response: Response, maxBytes: number): Promise<Buffer> {
  if (response.body === null) return Buffer.alloc(0);
  // With a content encoding the length is that of the encoded body: a first guess, no more.
  const declared = Math.min(Number(response.headers.get('content-length') ?? 0) || 0, maxBytes);
  let body = Buffer.allocUnsafeSlow(Math.max(declared, 64 * 1024));
  let bytes = 0;
  for await (const chunk of response.body) {
    if (bytes + chunk.length > maxBytes)
      throw new HttpFailure('too-large', 'BODY_TOO_LARGE', `the answer is longer than ${maxBytes} bytes`);
    if (bytes + chunk.length > body.length) {
      const larger = Buffer.allocUnsafeSlow(2 * (bytes + chunk.length));
      body.copy(larger, 0, 0, bytes);
      body = larger;
    }
    body.set(chunk, bytes);
    bytes += chunk.length;
  }
  return body.subarray(0, bytes);
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

/** Failures of the network become `HttpFailure`; anything else (a bug, a test's interceptor) is thrown as it is. */
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
  if (chain.includes('bad port'))
    return new HttpFailure('refused', 'BAD_PORT', `${host}: fetch does not use this port`, cause);
  const reason = REASONS[code];
  if (reason !== undefined) return new HttpFailure(reason, code, `${host}: ${code}`, cause);
  const message = messageOf(cause);
  if (message === 'terminated')
    return new HttpFailure('cut', 'TERMINATED', `${host} broke the connection`, cause);
  return cause;
}
