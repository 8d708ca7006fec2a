import type { IncomingHttpHeaders } from 'node:http';

export type Headers = Readonly<Record<string, string | readonly string[]>>;

/** A request as the simulated server sees it. */
export type JiraRequest = {
  readonly method: string;
  /** As on the wire: context path and query included. */
  readonly path: string;
  /** Below the context path, without the query. */
  readonly route: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  /** Counts the requests of one server, from 1. */
  readonly number: number;
};

export type Answer = { readonly status: number; readonly headers: Headers; readonly body: string | Buffer };

/** What goes wrong with an answer. */
export type Fault =
  /** Another answer, without asking Jira at all. */
  | { readonly status: number; readonly headers?: Headers; readonly body?: string | object }
  /** The connection ends without an answer. */
  | { readonly drop: true }
  /** The declared length is right, but the connection ends after this share of the body. */
  | { readonly cut: number }
  /** Only this share of the body is sent, in a well-formed answer. */
  | { readonly truncate: number }
  /** Never answers. */
  | { readonly hang: true }
  /** Sends so many bytes every so many milliseconds. */
  | { readonly slow: { readonly bytes: number; readonly ms: number } }
  /** Answers later. */
  | { readonly delay: number }
  /** Sends the client elsewhere. */
  | { readonly redirect: string }
  /** Jira's answer, changed. */
  | { readonly rewrite: (answer: Answer) => Answer };

const JSON_TYPE = 'application/json;charset=UTF-8';

/** A JSON answer; text is sent as it is. */
export const json = (body: string | Buffer | object, status = 200, headers: Headers = {}): Answer => ({
  status,
  headers: { 'Content-Type': JSON_TYPE, ...headers },
  body: typeof body === 'string' || Buffer.isBuffer(body) ? body : JSON.stringify(body),
});

/** Jira's own error envelope. */
export const errorMessages = (status: number, ...messages: readonly string[]): Answer =>
  json({ errorMessages: messages, errors: {} }, status);

/** The RFC 7807 envelope in which Cloud reports what never reached Jira's own code. */
export const problem = (status: number, title: string, detail: string, instance: string): Answer =>
  json({ type: 'about:blank', title, status, detail, instance }, status, {
    'Content-Type': 'application/problem+json;charset=UTF-8',
  });

/** An HTML page, as the container and the login layer send them. */
export const html = (status: number, title: string, text: string, headers: Headers = {}): Answer => ({
  status,
  headers: { 'Content-Type': 'text/html;charset=UTF-8', ...headers },
  body: `<html>\n<head>\n    <title>${title} (${status})</title>\n</head>\n<body>\n<h1>${title} (${status})</h1>\n<p>${text}</p>\n</body>\n</html>\n`,
});

/** Whether the client says that it takes JSON. */
export const acceptsJson = (request: JiraRequest): boolean =>
  request.headers.accept?.includes('application/json') ?? false;

/** The parts joined by commas, as text or, when one of them is bytes, as bytes. */
export const joinJson = (
  before: string,
  parts: readonly (string | Buffer)[],
  after: string,
): string | Buffer => {
  if (parts.every((part) => typeof part === 'string')) return before + parts.join(',') + after;
  const buffers: Buffer[] = [Buffer.from(before)];
  const comma = Buffer.from(',');
  for (const [at, part] of parts.entries()) {
    if (at > 0) buffers.push(comma);
    buffers.push(typeof part === 'string' ? Buffer.from(part) : part);
  }
  buffers.push(Buffer.from(after));
  return Buffer.concat(buffers);
};
