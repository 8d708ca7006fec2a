import type { Clock } from '../../src/shared/clock.ts';

/** A clock that stands still but for waits, which are over at once and move it on. */
export type MovingClock = Clock & {
  /** Every wait so far, in ms. */
  readonly sleeps: number[];
  /** Moves the time on by hand. */
  readonly advance: (ms: number) => void;
};

/** Starts at an instant; several waits at a time end in the order of their ends. */
export function movingClock(start = Date.parse('2026-11-23T10:00:00Z'), random = 0.5): MovingClock {
  let now = start;
  const sleeps: number[] = [];
  const waiting: { readonly until: number; readonly resume: () => void }[] = [];
  let scheduled = false;
  const wake = (): void => {
    scheduled = false;
    waiting.sort((a, b) => a.until - b.until);
    const next = waiting.shift();
    if (next === undefined) return;
    now = Math.max(now, next.until);
    next.resume();
    schedule();
  };
  const schedule = (): void => {
    if (scheduled || waiting.length === 0) return;
    scheduled = true;
    setImmediate(wake);
  };
  return {
    now: () => now,
    elapsed: () => now - start,
    sleep: async (ms, signal) => {
      signal?.throwIfAborted();
      sleeps.push(ms);
      await new Promise<void>((resume) => {
        waiting.push({ until: now + ms, resume });
        schedule();
      });
      signal?.throwIfAborted();
    },
    random: () => random,
    sleeps,
    advance: (ms) => {
      now += ms;
    },
  };
}
