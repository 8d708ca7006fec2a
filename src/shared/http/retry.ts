import type { Clock } from '../clock.ts';
import { retryAfterMs } from './retry-after.ts';
import { HttpFailure, type HttpRequest, type HttpResponse, type Send } from './request.ts';

/** What became of an attempt: an answer, or no complete answer. */
export type Attempt = { readonly response: HttpResponse } | { readonly failure: HttpFailure };

export type RetryOptions = {
  /** For how long one request may be tried again, in milliseconds. */
  readonly budgetMs: number;
  readonly clock: Clock;
  /** Why this attempt is worth repeating, or undefined to keep its outcome. */
  readonly retryReason: (request: HttpRequest, attempt: Attempt, tries: number) => string | undefined;
  readonly onRetry?: (reason: string, waitMs: number, request: HttpRequest) => void;
};

const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 30_000;

/**
 * Repeats a request for as long as `retryReason` gives one and the budget lasts; then the last outcome is
 * returned, or thrown, as it is. `Retry-After` is obeyed as a minimum; without it the wait doubles, with jitter.
 * When the server asks for more time than the budget has left, the outcome is returned at once.
 */
export function retrying(send: Send, options: RetryOptions): Send {
  const { clock } = options;
  return async (request, signal) => {
    const started = clock.elapsed();
    for (let tries = 1; ; tries++) {
      const attempt = await tryOnce(send, request, signal);
      const reason = options.retryReason(request, attempt, tries);
      const wait = reason === undefined ? Infinity : waitMs(attempt, tries, clock);
      if (reason === undefined || clock.elapsed() - started + wait > options.budgetMs) {
        if ('failure' in attempt) throw attempt.failure;
        return attempt.response;
      }
      options.onRetry?.(reason, wait, request);
      await clock.sleep(wait, signal);
    }
  };
}

async function tryOnce(send: Send, request: HttpRequest, signal: AbortSignal): Promise<Attempt> {
  try {
    return { response: await send(request, signal) };
  } catch (error) {
    if (error instanceof HttpFailure) return { failure: error };
    throw error;
  }
}

function waitMs(attempt: Attempt, tries: number, clock: Clock): number {
  const backoff = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** (tries - 1)) * (0.5 + clock.random() / 2);
  const asked = 'response' in attempt ? retryAfterMs(attempt.response.headers, clock.now()) : undefined;
  return Math.max(backoff, asked ?? 0);
}
