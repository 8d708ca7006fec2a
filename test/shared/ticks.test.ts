import { describe, expect, it } from 'vitest';
import { TICK, withTicks } from '../../src/shared/ticks.ts';
import { handClock } from '../support/hand-clock.ts';

const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

async function collect<T>(source: AsyncIterable<T>): Promise<T[]> {
  const items: T[] = [];
  for await (const item of source) items.push(item);
  return items;
}

describe('withTicks', () => {
  it('hands on the source and tells the time while it is silent', async () => {
    const clock = handClock();
    const seen: unknown[] = [];
    async function* source(): AsyncGenerator<number> {
      yield 1;
      clock.advance(99);
      await settle();
      clock.advance(1);
      await settle();
      clock.advance(100);
      await settle();
      yield 2;
    }
    for await (const item of withTicks(source(), 100, clock, new AbortController().signal)) seen.push(item);
    expect(seen).toEqual([1, TICK, TICK, 2]);
  });

  it('ends at a stop, also when the source never answers', async () => {
    const stop = new AbortController();
    const seen: unknown[] = [];
    async function* source(): AsyncGenerator<number> {
      yield 1;
      stop.abort();
      await new Promise(() => undefined);
    }
    for await (const item of withTicks(source(), 100, handClock(), stop.signal)) seen.push(item);
    expect(seen).toEqual([1]);
  });

  it('passes failures of the source on', async () => {
    async function* source(): AsyncGenerator<number> {
      yield 1;
      throw new Error('broken');
    }
    const all = collect(withTicks(source(), 100, handClock(), new AbortController().signal));
    await expect(all).rejects.toThrow('broken');
  });
});
