import { setTimeout as sleep } from 'node:timers/promises';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { mapConcurrent, mergeConcurrent, readAhead } from '../../src/shared/async.ts';

async function collect<T>(source: AsyncIterable<T>, until = Infinity): Promise<T[]> {
  const items: T[] = [];
  for await (const item of source) {
    items.push(item);
    if (items.length >= until) break;
  }
  return items;
}

const turn = async (turns: number): Promise<void> => {
  for (let i = 0; i < turns; i++) await new Promise((resolve) => setImmediate(resolve));
};

describe('mapConcurrent', () => {
  it('keeps the order and the limit, however long each takes', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.nat(4), { maxLength: 30 }),
        fc.integer({ min: 1, max: 6 }),
        async (turns, limit) => {
          let active = 0;
          let most = 0;
          const run = async (turns: number): Promise<number> => {
            most = Math.max(most, ++active);
            await turn(turns);
            active--;
            return turns * 2;
          };
          const results = await collect(mapConcurrent(turns, () => limit, run));
          expect(results).toEqual(turns.map((n) => n * 2));
          expect(most).toBeLessThanOrEqual(limit);
        },
      ),
      { numRuns: 50 },
    );
  });

  it('throws a failure in its place, after what came before it', async () => {
    const seen: number[] = [];
    const run = async (n: number): Promise<number> => {
      if (n === 3) throw new Error('three');
      await turn(2);
      return n;
    };
    const read = async (): Promise<void> => {
      for await (const n of mapConcurrent([1, 2, 3, 4], () => 4, run)) seen.push(n);
    };
    await expect(read()).rejects.toThrow('three');
    expect(seen).toEqual([1, 2]);
  });

  it('waits for what is under way when the reader leaves, and leaves the source', async () => {
    let left = false;
    let active = 0;
    async function* source(): AsyncGenerator<number> {
      try {
        for (let i = 0; ; i++) yield i;
      } finally {
        left = true;
      }
    }
    const run = async (n: number): Promise<number> => {
      active++;
      await sleep(5);
      active--;
      return n;
    };
    expect(
      await collect(
        mapConcurrent(source(), () => 3, run),
        2,
      ),
    ).toEqual([0, 1]);
    expect([left, active]).toEqual([true, 0]);
  });
});

describe('mergeConcurrent', () => {
  const counting = (name: string, count: number, turns: number, log: string[] = []) =>
    async function* count_(): AsyncGenerator<string> {
      log.push(`start ${name}`);
      try {
        for (let i = 0; i < count; i++) {
          await turn(turns);
          yield `${name}${i}`;
        }
      } finally {
        log.push(`end ${name}`);
      }
    };

  it('yields everything, in order inside each source, so many sources at a time', async () => {
    const spec = fc.array(fc.tuple(fc.nat(6), fc.nat(3)), { maxLength: 8 });
    await fc.assert(
      fc.asyncProperty(spec, fc.integer({ min: 1, max: 4 }), async (specs, limit) => {
        const log: string[] = [];
        const sources = specs.map(([count, turns], i) => counting(`s${i}-`, count, turns, log));
        const items = await collect(mergeConcurrent(sources, limit));
        for (const [i, [count]] of specs.entries()) {
          const own = items.filter((item) => item.startsWith(`s${i}-`));
          expect(own).toEqual(Array.from({ length: count }, (_, n) => `s${i}-${n}`));
        }
        let open = 0;
        for (const entry of log) {
          open += entry.startsWith('start') ? 1 : -1;
          expect(open).toBeLessThanOrEqual(limit);
        }
        expect(open).toBe(0);
      }),
      { numRuns: 50 },
    );
  });

  it('starves no source', async () => {
    const sources = [counting('a', 50, 0), counting('b', 50, 0)];
    const first = (await collect(mergeConcurrent(sources, 2))).slice(0, 20);
    expect(first.filter((item) => item.startsWith('b')).length).toBeGreaterThan(5);
  });

  it('throws the first failure at once and ends the others', async () => {
    const log: string[] = [];
    async function* bad(): AsyncGenerator<string> {
      await turn(2);
      yield 'x';
      throw new Error('bad');
    }
    const read = collect(mergeConcurrent([counting('a', 1000, 1, log), bad, counting('c', 9, 1, log)], 2));
    await expect(read).rejects.toThrow('bad');
    expect(log).toEqual(['start a', 'end a']);
  });
});

describe('readAhead', () => {
  it('asks for one item more than is in use, and hands on all of them', async () => {
    let asked = 0;
    async function* source(): AsyncGenerator<number> {
      for (let i = 0; i < 4; i++) {
        asked++;
        yield i;
      }
    }
    const seen: [number, number][] = [];
    for await (const item of readAhead(source())) {
      await turn(1);
      seen.push([item, asked]);
    }
    expect(seen).toEqual([
      [0, 2],
      [1, 3],
      [2, 4],
      [3, 4],
    ]);
  });

  it('ends the source when the reader leaves, and hands on its failure', async () => {
    let left = 0;
    async function* source(fail: boolean): AsyncGenerator<number> {
      try {
        yield 1;
        if (fail) throw new Error('failed');
        yield 2;
        yield 3;
      } finally {
        left++;
      }
    }
    expect(await collect(readAhead(source(false)), 1)).toEqual([1]);
    await expect(collect(readAhead(source(true)))).rejects.toThrow('failed');
    expect(left).toBe(2);
  });
});
