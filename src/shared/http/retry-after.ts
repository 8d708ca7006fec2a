import type { AnswerHeaders } from './request.ts';

/** Longer waits than this are no answer to "when": Data Center sends 2^63-1 seconds to users with no quota. */
const FOREVER_MS = 7 * 24 * 3600 * 1000;

/**
 * How long a 429 or 5xx answer asks to wait, in milliseconds, or undefined if it does not say. Understands
 * `Retry-After` as seconds or HTTP date (RFC 9110 section 10.2.3), Atlassian's `Beta-Retry-After`, and
 * `X-RateLimit-Reset` as an ISO 8601 instant. `Infinity` means "not in any useful time".
 */
export function retryAfterMs(headers: AnswerHeaders, now: number): number | undefined {
  for (const name of ['retry-after', 'beta-retry-after']) {
    const text = headers.get(name)?.trim();
    if (text === undefined || text === '') continue;
    if (/^\d+(\.\d+)?$/.test(text)) return clamp(Number(text) * 1000);
    const date = Date.parse(text);
    if (!Number.isNaN(date)) return clamp(date - serverNow(headers, now));
  }
  const reset = Date.parse(headers.get('x-ratelimit-reset') ?? '');
  return Number.isNaN(reset) ? undefined : clamp(reset - serverNow(headers, now));
}

function serverNow(headers: AnswerHeaders, now: number): number {
  const date = Date.parse(headers.get('date') ?? '');
  return Number.isNaN(date) ? now : date;
}

function clamp(ms: number): number {
  return ms > FOREVER_MS ? Infinity : Math.max(0, ms);
}
