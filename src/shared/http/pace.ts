import type { Clock } from '../clock.ts';
import { retryAfterMs } from './retry-after.ts';
import type { AnswerHeaders, HttpRequest, HttpResponse, Send } from './request.ts';

/**
 * How much a server says it will still take: requests left, milliseconds per request that is granted on average,
 * and milliseconds after which some have surely been granted (they come in lots).
 */
export type Allowance = {
  readonly remaining: number;
  readonly limit: number;
  readonly refillMs: number;
  readonly lotMs: number;
};

/**
 * Reads what an answer says about limits. Data Center sends a token bucket (`X-RateLimit-Remaining`,
 * `-FillRate`, `-Interval-Seconds`) with every answer; Cloud sends `X-RateLimit-Remaining` with a reset time, the
 * IETF draft's `RateLimit: "policy";r=n;t=s`, or only `X-RateLimit-NearLimit: true`.
 */
export function allowanceOf(headers: AnswerHeaders, now: number): Allowance | undefined {
  const number = (name: string): number | undefined => {
    const text = headers.get(name);
    return text === null || !/^\d+$/.test(text.trim()) ? undefined : Number(text);
  };
  const remaining = number('x-ratelimit-remaining');
  const limit = number('x-ratelimit-limit') ?? remaining ?? 0;
  const fillRate = number('x-ratelimit-fillrate');
  if (remaining !== undefined && fillRate !== undefined && fillRate > 0) {
    const lotMs = (number('x-ratelimit-interval-seconds') ?? 1) * 1000;
    return { remaining, limit, refillMs: lotMs / fillRate, lotMs };
  }
  const structured = /;\s*r=(\d+)\s*;\s*t=(\d+)/.exec(
    headers.get('ratelimit') ?? headers.get('beta-ratelimit') ?? '',
  );
  if (structured !== null) {
    const left = Number(structured[1]);
    const lotMs = Number(structured[2]) * 1000;
    return { remaining: left, limit, refillMs: lotMs / (left + 1), lotMs };
  }
  const near = headers.get('x-ratelimit-nearlimit')?.toLowerCase() === 'true';
  if (remaining !== undefined) {
    const lotMs = Math.min(60_000, retryAfterMs(headers, now) ?? 1000);
    return {
      remaining,
      limit: near ? Math.max(limit, remaining * 10) : limit,
      refillMs: lotMs / (remaining + 1),
      lotMs,
    };
  }
  return near ? { remaining: 1, limit: 10, refillMs: 1000, lotMs: 1000 } : undefined;
}

export type PaceOptions = {
  readonly concurrency: number;
  readonly clock: Clock;
  /** Told when all requests are held back for a while. */
  readonly onPause?: (ms: number, response: HttpResponse) => void;
};

const CALM_ANSWERS = 20;

/** How far apart requests are to start, for as long as what was said of one limit is news. */
type Spacing = { readonly ms: number; readonly until: number };

/**
 * Lets at most `concurrency` requests be under way, fewer after a 429 (halved) and more again after calm answers,
 * and spaces their starts when the server says that a limit is near, so that the limit is not hit.
 * Invariant: `active <= width`, and no request starts before `next` was when it last was held back.
 */
export class Pace {
  readonly #options: PaceOptions;
  #width: number;
  #active = 0;
  #calm = 0;
  /** When the next request may start. */
  #next = 0;
  /** Counts how often all requests were held back; those that wait for their start then queue anew. */
  #holds = 0;
  /** By limit: Data Center's nodes count for themselves, and so do the operations of Cloud. */
  readonly #spacings = new Map<string, Spacing>();
  readonly #waiting: (() => void)[] = [];

  constructor(options: PaceOptions) {
    this.#options = options;
    this.#width = options.concurrency;
  }

  /** `send`, one of at most `concurrency` at a time, at a rate that the server's answers allow. */
  paced(send: Send): Send {
    return async (request, signal) => {
      await this.#enter(signal);
      try {
        const response = await send(request, signal);
        this.#observe(request, response);
        return response;
      } finally {
        this.#active--;
        this.#wake();
      }
    };
  }

  async #enter(signal: AbortSignal): Promise<void> {
    while (this.#active >= this.#width) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    this.#active++;
    try {
      const { clock } = this.#options;
      for (let holds = -1; holds !== this.#holds;) {
        holds = this.#holds;
        const start = Math.max(clock.elapsed(), this.#next);
        this.#next = start + this.#spacing();
        const wait = start - clock.elapsed();
        if (wait > 0) await clock.sleep(wait, signal);
      }
      signal.throwIfAborted();
    } catch (error) {
      this.#active--;
      this.#wake();
      throw error;
    }
  }

  #wake(): void {
    for (let free = this.#width - this.#active; free > 0 && this.#waiting.length > 0; free--)
      this.#waiting.shift()!();
  }

  #spacing(): number {
    const now = this.#options.clock.elapsed();
    let widest = 0;
    for (const [limit, { ms, until }] of this.#spacings) {
      if (until < now) this.#spacings.delete(limit);
      else widest = Math.max(widest, ms);
    }
    return widest;
  }

  #hold(ms: number): void {
    const until = this.#options.clock.elapsed() + ms;
    if (until <= this.#next && this.#spacing() > 0) return;
    this.#next = Math.max(this.#next, until);
    this.#holds++;
  }

  #observe(request: HttpRequest, response: HttpResponse): void {
    const { clock, concurrency, onPause } = this.#options;
    if (response.status === 429 || response.status === 503) {
      this.#calm = 0;
      this.#width = Math.max(1, Math.floor(this.#width / 2));
      const wait = retryAfterMs(response.headers, clock.now()) ?? 0;
      if (wait > 0 && Number.isFinite(wait)) {
        this.#hold(wait);
        onPause?.(wait, response);
      }
      return;
    }
    const allowance = allowanceOf(response.headers, clock.now());
    const limit = limitOf(request, response);
    const tight =
      allowance !== undefined && allowance.remaining <= Math.max(concurrency, allowance.limit / 10);
    if (tight) {
      const { remaining, refillMs, lotMs } = allowance;
      this.#spacings.set(limit, { ms: refillMs, until: clock.elapsed() + Math.max(lotMs, 2 * refillMs) });
      // The others that are under way may not have been counted yet.
      if (remaining < this.#active) this.#hold(lotMs);
      return;
    }
    this.#spacings.delete(limit);
    if (++this.#calm < CALM_ANSWERS) return;
    this.#calm = 0;
    this.#width = Math.min(concurrency, this.#width + 1);
  }
}

/** Names the limit that an answer tells of. */
function limitOf({ method, url }: HttpRequest, { headers }: HttpResponse): string {
  const path = new URL(url).pathname.replaceAll(/\/\d+(?=\/|$)/g, '/*');
  return headers.get('x-anodeid') ?? `${method} ${path}`;
}
