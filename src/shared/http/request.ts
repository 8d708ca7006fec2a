export type HttpRequest = {
  readonly method: 'GET' | 'POST';
  /** Absolute, query included and encoded by RFC 3986. */
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
};

/** The headers of an answer by name, in lower case; null for one that was not sent. */
export type AnswerHeaders = { readonly get: (name: string) => string | null };

export type HttpResponse = {
  readonly status: number;
  readonly headers: AnswerHeaders;
  /** The whole body, content encoding removed. */
  readonly body: Buffer;
};

/** One exchange, or a composition of them. Rejects with `HttpFailure` when there was no complete answer. */
export type Send = (request: HttpRequest, signal: AbortSignal) => Promise<HttpResponse>;

/** There was no complete answer. `code` is Node's or undici's word for it. */
export class HttpFailure extends Error {
  override readonly name = 'HttpFailure';
  readonly reason: 'refused' | 'unknown-host' | 'certificate' | 'timeout' | 'cut' | 'too-large';
  readonly code: string;

  constructor(reason: HttpFailure['reason'], code: string, message: string, cause?: unknown) {
    super(message, { cause });
    this.reason = reason;
    this.code = code;
  }
}
