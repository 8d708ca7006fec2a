import type { Clock } from './clock.ts';

/** Stands between the items of a source for "some time has passed". */
export const TICK = Symbol('tick');
export type Tick = typeof TICK;

const STOP = Symbol('stop');

/**
 * Hands on the items of a source, and a `TICK` every `ms` milliseconds, also while the source is silent. Once
 * `signal` is aborted it ends, without an error; what the source has not handed over by then is left unread.
 */
export async function* withTicks<T>(
  source: AsyncIterable<T>,
  ms: number,
  clock: Clock,
  signal: AbortSignal,
): AsyncGenerator<T | Tick> {
  const iterator = source[Symbol.asyncIterator]();
  const ended = new AbortController();
  const either = AbortSignal.any([signal, ended.signal]);
  // A fresh promise per tick: reactions of many races would pile up on one that lives as long as the run.
  const wait = (): Promise<Tick | typeof STOP> =>
    clock.sleep(ms, either).then(
      () => TICK,
      () => STOP,
    );
  let time = wait();
  let next: Promise<IteratorResult<T>> | undefined;
  try {
    for (;;) {
      if (next === undefined) {
        next = iterator.next();
        next.catch(() => undefined); // after a stop nobody looks at it
      }
      const first = await Promise.race([time, next]);
      if (first === STOP) return;
      if (first === TICK) {
        time = wait();
        yield TICK;
      } else {
        if (first.done === true) return;
        next = undefined;
        yield first.value;
      }
    }
  } finally {
    ended.abort();
    // Not awaited: a source that waits for input would answer only when some arrives.
    iterator.return?.()?.catch(() => undefined);
  }
}
