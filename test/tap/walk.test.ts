import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { epochTimes, MINUTE_MS } from '../../src/tap/jql-time.ts';
import type { Row, Search, Window } from '../../src/tap/search.ts';
import { walk } from '../../src/tap/walk.ts';

/**
 * An index that a site changes while it is read: `indexed` is where a row stands, `shown` what it shows. A row that
 * is `removed` is not shown, but its place is taken until the index hears of it.
 */
type Entry = { indexed: number; shown: number; removed?: boolean };

const START = Date.UTC(2026, 0, 1);

class Index {
  readonly entries = new Map<string, Entry>();
  now: number;
  requests = 0;
  onRequest: () => void = () => undefined;

  constructor(now: number) {
    this.now = now;
  }

  /** Rows in index order. Offsets are trusted by nobody but the pages of one window. */
  search(pageSize: number): Search {
    const select = ({ from = -Infinity, until = Infinity }: Window): [string, Entry][] =>
      [...this.entries]
        .filter(([, { indexed }]) => indexed >= from && indexed < until)
        .toSorted(([a, x], [b, y]) => x.indexed - y.indexed || a.localeCompare(b));
    const request = (): void => {
      this.requests++;
      this.now += 10;
      this.onRequest();
    };
    // eslint-disable-next-line typescript/no-this-alias
    return async function* pages(window) {
      for (let offset = 0; ; offset += pageSize) {
        request();
        const all = select(window);
        const rows = all
          .slice(offset, offset + pageSize)
          .filter(([, { removed }]) => removed !== true)
          .map(([id, { shown }]): Row => ({ id, at: shown, updated: shown }));
        const last = offset + pageSize >= all.length;
        yield { rows, last };
        if (last) return;
      }
    };
  }
}

async function namesOf(rows: AsyncIterable<readonly Row[]>): Promise<string[]> {
  const names: string[] = [];
  for await (const block of rows) names.push(...block.map(({ id }) => id));
  return names;
}

describe('the walk', () => {
  it('names every row that stays, whatever is edited between two requests, and ends', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.record({
          minutes: fc.array(fc.integer({ min: 0, max: 40 }), { minLength: 1, maxLength: 60 }),
          pageSize: fc.integer({ min: 1, max: 12 }),
          fromMinute: fc.option(fc.integer({ min: -5, max: 30 }), { nil: undefined }),
          lagMinutes: fc.integer({ min: 0, max: 50 }),
          edits: fc.array(
            fc.record({ row: fc.nat(), count: fc.integer({ min: 0, max: 20 }), indexLater: fc.boolean() }),
            { maxLength: 200 },
          ),
        }),
        async ({ minutes, pageSize, fromMinute, lagMinutes, edits }) => {
          const index = new Index(START + 60 * MINUTE_MS);
          minutes.forEach((minute, i) => {
            const at = START + minute * MINUTE_MS + ((i * 977) % 60_000);
            index.entries.set(`id${i}`, { indexed: at, shown: at });
          });
          const asOf = index.now;
          const from = fromMinute === undefined ? undefined : START + fromMinute * MINUTE_MS;
          const before = new Map([...index.entries].map(([id, entry]) => [id, { ...entry }]));
          const edited = new Set<string>();
          let step = 0;
          index.onRequest = () => {
            const edit = edits[step++ % Math.max(1, edits.length)] ?? { row: 0, count: 0, indexLater: false };
            for (let i = 0; i < edit.count; i++) {
              const id = `id${(edit.row + i * 7 + step) % minutes.length}`;
              // A third of the rows is never touched, so that there is something to lose.
              if ((edit.row + i * 7 + step) % 3 === 0) continue;
              index.now += 1;
              index.entries.set(id, {
                indexed: edit.indexLater ? index.entries.get(id)!.indexed : index.now,
                shown: index.now,
              });
              edited.add(id);
            }
          };
          const settledBefore = asOf - lagMinutes * MINUTE_MS;
          const names = await namesOf(
            walk({
              search: index.search(pageSize),
              times: epochTimes,
              ...(from === undefined ? {} : { from }),
              asOf,
              settledBefore,
            }),
          );
          for (const [id, { indexed }] of before) {
            if (!edited.has(id) && indexed >= (from ?? -Infinity))
              expect(names, `${id} was skipped`).toContain(id);
          }
          for (const id of new Set(names))
            expect(
              names.filter((name) => name === id).length,
              `${id} was named too often`,
            ).toBeLessThanOrEqual(2);
        },
      ),
      { numRuns: 500 },
    );
  });

  it('skips no row when rows are removed, first from what is shown and later from the index', async () => {
    const times = fc.array(fc.integer({ min: 0, max: 3 * MINUTE_MS }), { minLength: 1, maxLength: 30 });
    // For each request: which rows are removed, and whether the index hears of all removals so far.
    const steps = fc.array(fc.record({ rows: fc.array(fc.nat(), { maxLength: 4 }), heard: fc.boolean() }));
    await fc.assert(
      fc.asyncProperty(times, fc.integer({ min: 1, max: 4 }), steps, async (at, pageSize, removals) => {
        const index = new Index(START + 10 * MINUTE_MS);
        for (const [i, ms] of at.entries())
          index.entries.set(`id${i}`, { indexed: START + ms, shown: START + ms });
        let step = 0;
        index.onRequest = () => {
          const { rows, heard } = removals[step++] ?? { rows: [], heard: true };
          for (const row of rows.filter((row) => row % 3 !== 0)) {
            const entry = index.entries.get(`id${row % at.length}`);
            if ((row % at.length) % 3 !== 0 && entry !== undefined) entry.removed = true;
          }
          if (heard)
            for (const [id, { removed }] of index.entries) if (removed === true) index.entries.delete(id);
        };
        const names = await namesOf(
          walk({
            search: index.search(pageSize),
            times: epochTimes,
            asOf: index.now,
            settledBefore: Infinity,
          }),
        );
        const stayed = at.flatMap((_, i) => (i % 3 === 0 ? [`id${i}`] : []));
        expect(names).toEqual(expect.arrayContaining(stayed));
      }),
      {
        numRuns: 2000,
        examples: [
          [
            [0, 0, 1, 1],
            1,
            [
              { rows: [1], heard: false },
              { rows: [], heard: true },
            ],
          ],
          [
            [1, 0, 0, 0, 0, 0],
            1,
            [
              { rows: [], heard: false },
              { rows: [], heard: false },
              { rows: [990313051], heard: false },
              { rows: [], heard: false },
              { rows: [1627582066, 1784406221], heard: true },
              { rows: [], heard: false },
              { rows: [1544744948], heard: true },
            ],
          ],
        ],
      },
    );
  });

  it('reads 3,000 rows of one minute, and 300 of one millisecond, completely', async () => {
    const index = new Index(START + 10 * MINUTE_MS);
    for (let i = 0; i < 3000; i++)
      index.entries.set(`m${i}`, { indexed: START + (i % 60) * 1000, shown: START + (i % 60) * 1000 });
    for (let i = 0; i < 300; i++)
      index.entries.set(`s${i}`, { indexed: START + 5 * MINUTE_MS, shown: START + 5 * MINUTE_MS });
    const names = await namesOf(
      walk({ search: index.search(100), times: epochTimes, asOf: index.now, settledBefore: index.now }),
    );
    expect(new Set(names).size).toBe(3300);
    expect(names.length).toBe(3300);
  });

  it('names what was created in the second that it begins in, and leaves later ones to the next run', async () => {
    const index = new Index(START + 5000);
    for (const [id, ms] of [
      ['before', 0],
      ['within', 999],
      ['after', 1000],
    ] as const)
      index.entries.set(id, { indexed: START + ms, shown: START + ms });
    const search: Search = async function* created(window) {
      for await (const page of index.search(10)(window))
        yield { ...page, rows: page.rows.map((row) => ({ ...row, created: row.at })) };
    };
    const now = (): number => index.now;
    const names = await namesOf(walk({ search, times: epochTimes, asOf: START, settledBefore: START, now }));
    expect(names).toEqual(['before', 'within']);
  });

  it('reads a large quiet window in little more than one request a page', async () => {
    const index = new Index(START + 100_000 * MINUTE_MS);
    for (let i = 0; i < 50_000; i++)
      index.entries.set(`q${i}`, { indexed: START + i * MINUTE_MS, shown: START + i * MINUTE_MS });
    await namesOf(
      walk({ search: index.search(1000), times: epochTimes, asOf: index.now, settledBefore: Infinity }),
    );
    expect(index.requests).toBeLessThan(60);
  });

  it('ends on a site that is edited faster than it is read, having followed each row once at most', async () => {
    const index = new Index(START + 10 * MINUTE_MS);
    for (let i = 0; i < 200; i++)
      index.entries.set(`r${i}`, { indexed: START + i * 1000, shown: START + i * 1000 });
    let next = 0;
    index.onRequest = () => {
      for (let i = 0; i < 25; i++)
        index.entries.set(`r${next++ % 200}`, { indexed: index.now++, shown: index.now - 1 });
    };
    const names = await namesOf(
      walk({
        search: index.search(10),
        times: epochTimes,
        asOf: index.now,
        settledBefore: index.now - 5 * MINUTE_MS,
      }),
    );
    expect(new Set(names).size).toBeGreaterThan(0);
    expect(names.length).toBeLessThanOrEqual(400);
  });
});
