import { createServer } from 'node:http';
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { authenticate, identityHeaders } from './auth.ts';
import { errorMessages, html } from './http.ts';
import type { Answer, JiraRequest } from './http.ts';
import { oauthServlet } from './oauth-servlets.ts';
import type { OAuthProvider } from './oauth.ts';
import { rateLimit } from './rate-limit.ts';
import { route } from './routes.ts';
import { replacement, send } from './send.ts';
import type { Site } from './site.ts';
import { ServerState } from './state.ts';
import type { JiraOptions } from './state.ts';

export type RecordedRequest = {
  readonly method: string;
  readonly path: string;
  readonly body: string;
  readonly headers: IncomingHttpHeaders;
  /** 0 when the connection was dropped or left hanging. */
  readonly status: number;
};

/** A Jira that is running. */
export type Jira = {
  /** The address to configure a client with: context path included, no slash at the end. */
  readonly url: string;
  readonly site: Site;
  /** OAuth 1.0a: application links and tokens. */
  readonly oauth: OAuthProvider;
  /** Every request so far, in order of their answers. */
  readonly requests: RecordedRequest[];
  /** Requests refused, or answered anonymously, because of wrong credentials. */
  readonly loginFailures: number;
  /** Answers the next requests as if nobody were logged in. */
  readonly expireSession: (requests: number) => void;
  /** Puts another site and other options behind the same address, with nothing remembered. */
  readonly use: (options: JiraOptions) => void;
  readonly close: () => Promise<void>;
  readonly [Symbol.asyncDispose]: () => Promise<void>;
};

const readAll = async (request: IncomingMessage): Promise<string> => {
  if (request.method === 'GET' || request.method === 'HEAD') return '';
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return chunks.length === 1 ? String(chunks[0]) : Buffer.concat(chunks).toString();
};

let dateSecond = -1;
let dateText = '';

const httpDate = (ms: number): string => {
  const second = Math.floor(ms / 1000);
  if (second !== dateSecond) {
    dateSecond = second;
    dateText = new Date(second * 1000).toUTCString();
  }
  return dateText;
};

const answerTo = async (state: ServerState, request: JiraRequest): Promise<Answer> => {
  const servlet = oauthServlet(state, request);
  if (servlet !== undefined) return servlet;
  const login = await authenticate(state, request);
  const now = state.site.now();
  const { user } = login;
  const verdict = rateLimit(state, request, user, now);
  const exchange = {
    state,
    request,
    user,
    view: state.view(
      user,
      request.route.startsWith('/rest/api/3') ||
        (state.flavour === 'cloud' && request.route.startsWith('/rest/api/latest'))
        ? 3
        : 2,
    ),
    now,
    sees: (key: string) => user !== undefined && (user.projects?.includes(key) ?? true),
  } as const;
  const answer = login.refusal ?? verdict.refusal ?? route(exchange);
  const identity = identityHeaders(state, user, request.number);
  return { ...answer, headers: { ...identity, ...verdict.headers, ...login.headers, ...answer.headers } };
};

const readRequest = async (state: ServerState, incoming: IncomingMessage): Promise<JiraRequest> => {
  const path = incoming.url ?? '/';
  const [address = '', query = ''] = path.split(/\?(.*)/s, 2);
  const { contextPath } = state;
  const inside = address === contextPath || address.startsWith(`${contextPath}/`);
  state.requestCount += 1;
  return {
    method: incoming.method ?? 'GET',
    path,
    route: inside ? address.slice(contextPath.length) : '',
    query: new URLSearchParams(query),
    headers: incoming.headers,
    body: await readAll(incoming),
    number: state.requestCount,
  };
};

const statusOf = (answer: Answer, fault: object | undefined): number =>
  fault !== undefined && ('drop' in fault || 'hang' in fault) ? 0 : answer.status;

/** Serves one request; reports it to `record` before the answer leaves. */
const serve = async (
  state: ServerState,
  incoming: IncomingMessage,
  response: ServerResponse,
  record: (request: RecordedRequest) => void,
): Promise<void> => {
  const request = await readRequest(state, incoming);
  await state.options.onRequest?.(request);
  const fault = state.options.respond?.(request);
  const outside = request.route === '' ? html(404, 'Not Found', 'No such application.') : undefined;
  let answer = replacement(fault) ?? outside ?? (await answerTo(state, request));
  if (fault !== undefined && 'rewrite' in fault) answer = fault.rewrite(answer);
  answer = { ...answer, headers: { Date: httpDate(state.site.now()), ...answer.headers } };
  const { method, path, body, headers } = request;
  record({ method, path, body, headers, status: statusOf(answer, fault) });
  await send(incoming, response, answer, fault, state.options.gzip === true);
};

/** Starts a Jira on a free port of this machine (or the one given). */
export const startJira = async (options: JiraOptions, port = 0): Promise<Jira> => {
  let state: ServerState;
  let requests: RecordedRequest[] = [];
  const server = createServer((incoming, response) => {
    response.sendDate = false;
    const current = state;
    const record = (request: RecordedRequest): void => {
      if (current.options.record !== false && current === state) requests.push(request);
    };
    serve(current, incoming, response, record).catch((error: unknown) => {
      // A mistake in the simulator or in a test's hook: say so where the test will see it.
      const text = error instanceof Error ? (error.stack ?? error.message) : 'unknown';
      const answer = errorMessages(500, `simulator: ${text}`);
      if (response.headersSent || response.destroyed) response.destroy();
      else response.writeHead(500, answer.headers as Record<string, string>).end(answer.body);
    });
  });
  server.keepAliveTimeout = 60_000;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', resolve);
  });
  const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  state = new ServerState(options, address);
  const close = (): Promise<void> =>
    new Promise((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  return {
    get url() {
      return address + state.contextPath;
    },
    get site() {
      return state.site;
    },
    get oauth() {
      return state.oauth;
    },
    get requests() {
      return requests;
    },
    get loginFailures() {
      return state.loginFailures;
    },
    expireSession: (count) => {
      state.anonymousRequests = count;
    },
    use: (next) => {
      requests = [];
      state = new ServerState(next, address);
    },
    close,
    [Symbol.asyncDispose]: close,
  };
};
