import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  HttpFailure,
  type HttpRequest,
  type HttpResponse,
  type Send,
} from '../../src/shared/http/request.ts';
import { retrying } from '../../src/shared/http/retry.ts';
import { movingClock } from '../support/moving-clock.ts';

const REQUEST: HttpRequest = { method: 'GET', url: 'http://jira.example/', headers: {} };
const NEVER = new AbortController().signal;
const answer = (status: number, headers: Record<string, string> = {}): HttpResponse => ({
  status,
  headers: new Headers(headers),
  body: Buffer.alloc(0),
});
const FAILURE = new HttpFailure('cut', 'ECONNRESET', 'cut');

/** Sends these outcomes one after the other; the last one for ever. */
function sending(outcomes: readonly (HttpResponse | Error)[]): { send: Send; readonly tries: () => number } {
  let tries = 0;
  const send: Send = async () => {
    const outcome = outcomes[Math.min(tries++, outcomes.length - 1)]!;
    if (outcome instanceof Error) throw outcome;
    return outcome;
  };
  return { send, tries: () => tries };
}

const transient = {
  retryReason: (_: HttpRequest, attempt: object) =>
    'failure' in attempt ? 'failed' : statusReason(attempt as { response: HttpResponse }),
};
const statusReason = ({ response }: { response: HttpResponse }): string | undefined =>
  response.status >= 429 ? `status ${response.status}` : undefined;

describe('retrying', () => {
  it('waits twice as long each time, with jitter, and at most half a minute', async () => {
    for (const random of [0, 0.5, 0.999]) {
      const clock = movingClock(0, random);
      const { send } = sending([...Array.from({ length: 9 }, () => answer(503)), answer(200)]);
      const response = await retrying(send, { budgetMs: 1e9, clock, ...transient })(REQUEST, NEVER);
      expect(response.status).toBe(200);
      const full = [500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000, 30_000];
      expect(clock.sleeps).toEqual(full.map((ms) => ms * (0.5 + random / 2)));
    }
  });

  it('takes Retry-After as a minimum', async () => {
    const clock = movingClock();
    const { send } = sending([
      answer(429, { 'retry-after': '20' }),
      answer(429, { 'retry-after': '0' }),
      answer(200),
    ]);
    await retrying(send, { budgetMs: 1e9, clock, ...transient })(REQUEST, NEVER);
    expect(clock.sleeps).toEqual([20_000, 750]);
  });

  it.each([
    ['an answer', answer(503)],
    ['a failure', FAILURE],
  ])('ends with %s as it is when the budget is used up', async (_, outcome) => {
    const clock = movingClock();
    const { send } = sending([outcome]);
    const result = retrying(send, { budgetMs: 60_000, clock, ...transient })(REQUEST, NEVER);
    if (outcome instanceof Error) await expect(result).rejects.toBe(outcome);
    else expect(await result).toBe(outcome);
    expect(clock.elapsed()).toBeLessThanOrEqual(60_000);
    expect(clock.elapsed()).toBeGreaterThan(30_000);
  });

  it('never waits past its budget, whatever the server asks for', async () => {
    const asks = fc.array(fc.option(fc.integer({ min: 0, max: 500 }), { nil: undefined }), { minLength: 1 });
    await fc.assert(
      fc.asyncProperty(asks, fc.integer({ min: 0, max: 300_000 }), async (seconds, budgetMs) => {
        const clock = movingClock();
        const outcomes = seconds.map((s) => answer(429, s === undefined ? {} : { 'retry-after': String(s) }));
        await retrying(sending(outcomes).send, { budgetMs, clock, ...transient })(REQUEST, NEVER);
        expect(clock.elapsed()).toBeLessThanOrEqual(budgetMs);
      }),
      { numRuns: 50 },
    );
  });

  it('returns at once what is asked to come back too late, or is not worth repeating', async () => {
    const clock = movingClock();
    for (const first of [answer(429, { 'retry-after': '9223372036854775807' }), answer(401)]) {
      const { send, tries } = sending([first, answer(200)]);
      expect(await retrying(send, { budgetMs: 600_000, clock, ...transient })(REQUEST, NEVER)).toBe(first);
      expect(tries()).toBe(1);
    }
    expect(clock.sleeps).toEqual([]);
  });

  it('throws what is no failure of the network, and stops when it is told to', async () => {
    const clock = movingClock();
    const bug = sending([new TypeError('bug')]);
    await expect(retrying(bug.send, { budgetMs: 1e9, clock, ...transient })(REQUEST, NEVER)).rejects.toThrow(
      'bug',
    );
    expect(bug.tries()).toBe(1);
    const stop = new AbortController();
    const { send, tries } = sending([answer(503)]);
    const retried: string[] = [];
    const onRetry = (reason: string, ms: number): void => {
      retried.push(`${reason} ${ms}`);
      stop.abort(new Error('stopped'));
    };
    await expect(
      retrying(send, { budgetMs: 1e9, clock, ...transient, onRetry })(REQUEST, stop.signal),
    ).rejects.toThrow('stopped');
    expect(tries()).toBe(1);
    expect(retried).toEqual(['status 503 375']);
  });
});
