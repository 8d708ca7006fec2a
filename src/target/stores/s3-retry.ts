import type { S3ClientConfig } from '@aws-sdk/client-s3';
import type { Clock } from '../../shared/clock.ts';

type Strategy = Extract<S3ClientConfig['retryStrategy'], { acquireInitialRetryToken: unknown }>;
type Token = Awaited<ReturnType<Strategy['acquireInitialRetryToken']>>;

const FIRST_DELAY_MS = 100;
const LONGEST_DELAY_MS = 20_000;
/** A budget in time alone would let a request that is refused at once be sent thousands of times. */
const MOST_RETRIES = 40;
/** As long as the store has never answered well, a wrong setting is likelier than a bad hour. */
const FIRST_BUDGET_MS = 10_000;

/**
 * Sends a request again after failures that may pass, for as long as the budget lasts. Waits double, with
 * chance in them so that many clients do not come back together, and are no shorter than the store asks for.
 */
export function retryFor(budgetMs: number, clock: Clock): Strategy {
  let reached = false;
  const begun = new WeakMap<Token, number>();
  const token = (since: number, count: number, delay: number): Token => {
    const made: Token = { getRetryCount: () => count, getRetryDelay: () => delay };
    begun.set(made, since);
    return made;
  };
  return {
    acquireInitialRetryToken: () => Promise.resolve(token(clock.elapsed(), 0, 0)),
    refreshRetryTokenForRetry: (last, { errorType, retryAfterHint }) => {
      const since = begun.get(last) ?? clock.elapsed();
      const count = last.getRetryCount() + 1;
      const longest = Math.min(LONGEST_DELAY_MS, FIRST_DELAY_MS * 2 ** count);
      const asked = retryAfterHint === undefined ? 0 : retryAfterHint.getTime() - clock.now();
      const delay = Math.round(Math.max(longest * (0.5 + clock.random() / 2), asked));
      const over =
        clock.elapsed() + delay - since > (reached ? budgetMs : Math.min(budgetMs, FIRST_BUDGET_MS));
      if (errorType === 'CLIENT_ERROR' || over || count > MOST_RETRIES)
        return Promise.reject(new Error('no more retries'));
      return Promise.resolve(token(since, count, delay));
    },
    recordSuccess: () => {
      reached = true;
    },
  };
}
