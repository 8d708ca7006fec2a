import type { Clock } from '../shared/clock.ts';
import { configError, transientError } from '../shared/errors.ts';
import { HttpFailure, type HttpRequest, type HttpResponse, type Send } from '../shared/http/request.ts';
import { retrying } from '../shared/http/retry.ts';
import type { JsonValue } from '../shared/json/value.ts';

/** What it takes to ask Atlassian, beside Jira itself. */
export type AtlassianContext = {
  readonly send: Send;
  readonly userAgent: string;
  readonly maxRetryMs: number;
  readonly clock: Clock;
  readonly signal: AbortSignal;
};

export type Question = Pick<HttpRequest, 'method' | 'url' | 'headers' | 'body'> & {
  /** Names the request in errors, for a person. */
  readonly what: string;
  /** The setting that decides where it goes. */
  readonly setting: string;
};

/** An answer with its body as JSON; undefined if it is something else. */
export type JsonAnswer = { readonly status: number; readonly body: JsonValue | undefined };

const RETRIED = new Set([408, 425, 429, 500, 502, 503, 504]);

/** Asks until there is an answer other than "try again". Throws where the network or the budget of time ends. */
export async function askAtlassian(context: AtlassianContext, question: Question): Promise<JsonAnswer> {
  const { what, setting, method, url, headers, body } = question;
  const send = retrying(context.send, {
    budgetMs: context.maxRetryMs,
    clock: context.clock,
    retryReason: (_request, attempt) => {
      if ('response' in attempt) return RETRIED.has(attempt.response.status) ? 'not now' : undefined;
      return ['timeout', 'cut', 'refused'].includes(attempt.failure.reason) ? 'no answer' : undefined;
    },
  });
  const request = {
    method,
    url,
    headers: { accept: 'application/json', 'user-agent': context.userAgent, ...headers },
    ...(body === undefined ? {} : { body }),
  };
  let response: HttpResponse;
  try {
    response = await send(request, context.signal);
  } catch (error) {
    if (!(error instanceof HttpFailure)) throw error;
    const place = `${what}: no answer from ${new URL(url).host} (${error.message})`;
    throw error.reason === 'cut' || error.reason === 'timeout'
      ? transientError(`${place}; run again later`, { code: 'CONNECT', cause: error })
      : configError(`${place}; check ${setting}, proxy_url and ca_file`, { code: 'CONNECT', cause: error });
  }
  const { status } = response;
  if (RETRIED.has(status))
    throw transientError(`${what}: ${new URL(url).host} answers ${status}; run again later`, {
      code: 'UNAVAILABLE',
    });
  return { status, body: jsonOf(response.body) };
}

function jsonOf(body: Buffer): JsonValue | undefined {
  try {
    return JSON.parse(body.toString('utf8')) as JsonValue;
  } catch {
    return undefined;
  }
}
