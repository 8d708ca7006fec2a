import type { Clock } from '../../src/shared/clock.ts';

export type HandClock = Clock & {
  /** Lets time pass; sleepers whose time has come are woken. */
  readonly advance: (ms: number) => void;
};

/** A clock that stands still until it is moved. */
export function handClock(start = Date.UTC(2026, 0, 2, 3, 4, 5)): HandClock {
  let now = 0;
  let seed = 1;
  let sleepers: { readonly at: number; readonly wake: () => void }[] = [];
  return {
    now: () => start + now,
    elapsed: () => now,
    random: () => {
      seed = (seed * 48_271) % 2_147_483_647;
      return seed / 2_147_483_647;
    },
    sleep: (ms, signal) =>
      new Promise((resolve, reject) => {
        if (signal?.aborted) return reject(signal.reason as Error);
        sleepers.push({ at: now + ms, wake: resolve });
        signal?.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
      }),
    advance: (ms) => {
      now += ms;
      const due = sleepers.filter(({ at }) => at <= now);
      sleepers = sleepers.filter(({ at }) => at > now);
      for (const { wake } of due) wake();
    },
  };
}
