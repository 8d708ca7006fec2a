import { describe, expect, it } from 'vitest';
import { retryFor } from '../../../src/target/stores/s3-retry.ts';
import { handClock, type HandClock } from '../../support/hand-clock.ts';

type Strategy = ReturnType<typeof retryFor>;
type Failure = Parameters<Strategy['refreshRetryTokenForRetry']>[1];

const PASSING: Failure = { errorType: 'TRANSIENT' };

/** Sends a request that always fails, until there are no more retries; the result is every wait. */
async function waits(
  strategy: Strategy,
  clock: HandClock,
  failure: () => Failure = () => PASSING,
): Promise<number[]> {
  const delays: number[] = [];
  let token = await strategy.acquireInitialRetryToken('');
  for (;;) {
    try {
      token = await strategy.refreshRetryTokenForRetry(token, failure());
    } catch {
      return delays;
    }
    delays.push(token.getRetryDelay());
    clock.advance(token.getRetryDelay());
  }
}

const sum = (delays: readonly number[]): number => delays.reduce((all, delay) => all + delay, 0);

describe('retries of requests to S3', () => {
  const reached = async (clock: HandClock, budgetMs: number): Promise<Strategy> => {
    const strategy = retryFor(budgetMs, clock);
    strategy.recordSuccess(await strategy.acquireInitialRetryToken(''));
    return strategy;
  };

  it('wait longer and longer, within the budget', async () => {
    const clock = handClock();
    const delays = await waits(await reached(clock, 300_000), clock);
    for (const [i, delay] of delays.entries()) {
      const longest = Math.min(20_000, 100 * 2 ** (i + 1));
      expect(delay).toBeGreaterThanOrEqual(longest / 2);
      expect(delay).toBeLessThanOrEqual(longest);
    }
    expect(delays.length).toBeGreaterThan(15);
    expect(sum(delays)).toBeLessThanOrEqual(300_000);
    expect(sum(delays)).toBeGreaterThan(300_000 - 20_000);
  });

  it('end after ten seconds with a store that has never answered well', async () => {
    const clock = handClock();
    expect(sum(await waits(retryFor(300_000, clock), clock))).toBeLessThanOrEqual(10_000);
  });

  it('are no more than forty, however long the budget', async () => {
    const clock = handClock();
    expect(await waits(await reached(clock, 86_400_000), clock)).toHaveLength(40);
  });

  it('wait as long as the store asks, if that is within the budget', async () => {
    const clock = handClock();
    const failure = (ms: number) => (): Failure => ({
      errorType: 'THROTTLING',
      retryAfterHint: new Date(clock.now() + ms),
    });
    const [first] = await waits(await reached(clock, 100_000), clock, failure(30_000));
    expect(first).toBe(30_000);
    expect(await waits(await reached(clock, 100_000), clock, failure(200_000))).toEqual([]);
  });

  it('are not made for what will fail again', async () => {
    const clock = handClock();
    const failure = (): Failure => ({ errorType: 'CLIENT_ERROR' });
    expect(await waits(await reached(clock, 100_000), clock, failure)).toEqual([]);
  });

  it('have a budget for each request', async () => {
    const clock = handClock();
    const strategy = await reached(clock, 60_000);
    const first = await waits(strategy, clock);
    expect(Math.abs((await waits(strategy, clock)).length - first.length)).toBeLessThanOrEqual(1);
  });
});
