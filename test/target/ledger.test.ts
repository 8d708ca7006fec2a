import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Ledger } from '../../src/target/ledger.ts';

const WAIT = 1000;
const state = (n: number): Uint8Array => Buffer.from(String(n));

describe('the ledger', () => {
  it('waits, and commits at a STATE once a limit was reached', () => {
    const ledger = new Ledger(WAIT);
    ledger.row(0);
    ledger.state(state(1), 0);
    expect(ledger.next(0, () => true)).toBe('wait');
    ledger.row(1);
    ledger.closed(true);
    expect(ledger.next(1, () => true)).toBe('wait');
    ledger.state(state(2), 2);
    expect(ledger.next(2, () => true)).toBe('commit');
    expect(ledger.take(false)).toEqual({ state: state(2), rowsAfterState: 0 });
    expect(ledger.next(1e9, () => true)).toBe('wait');
  });

  it('splits when rows follow the STATE, if that can be done', () => {
    const ledger = new Ledger(WAIT);
    ledger.row(0);
    ledger.state(state(1), 10);
    ledger.row(500);
    expect(ledger.next(999, () => true)).toBe('wait');
    expect(ledger.next(1000, () => false)).toBe('wait');
    expect(ledger.next(1000, () => true)).toBe('split');
    ledger.take(true);
    expect(ledger.next(1499, () => true)).toBe('wait');
    expect(ledger.next(2500, () => true)).toBe('seal');
    ledger.sealed(2500);
    expect(ledger.next(2600, () => true)).toBe('wait');
    ledger.state(state(2), 2700);
    expect(ledger.next(2700, () => true)).toBe('commit');
  });

  it('gives every row to one commit, in order, and to none a STATE before its time', () => {
    const act = fc.constantFrom('row', 'state', 'limit', 'time');
    fc.assert(
      fc.property(fc.array(act, { maxLength: 80 }), fc.func(fc.boolean()), (acts, canSplit) => {
        const ledger = new Ledger(WAIT);
        let [now, rows, states] = [0, 0, 0];
        // The model: how many rows there were at each STATE, and how many are in commits.
        const rowsAt: number[] = [];
        let committed = 0;
        const step = (i: number): void => {
          const loose = canSplit(i);
          const what = ledger.next(now, () => loose);
          if (what === 'seal') ledger.sealed(now);
          if (what !== 'commit' && what !== 'split') return;
          const taken = ledger.take(what === 'split');
          expect(taken.rowsAfterState).toBe(0);
          expect(taken.state).toEqual(state(states));
          const upTo = rowsAt[states - 1]!;
          expect(upTo).toBeGreaterThanOrEqual(committed);
          if (what === 'commit') expect(upTo).toBe(rows);
          committed = upTo;
        };
        for (const [i, what] of acts.entries()) {
          if (what === 'row') {
            ledger.row(now);
            rows++;
          } else if (what === 'state') {
            rowsAt.push(rows);
            ledger.state(state(++states), now);
          } else if (what === 'limit') ledger.closed(true);
          else now += 400;
          step(i);
        }
        const rest = ledger.take(false);
        expect(rest.rowsAfterState).toBe(
          rest.state === undefined ? rows - Math.max(committed, rowsAt.at(-1) ?? 0) : rows - rowsAt.at(-1)!,
        );
      }),
      { numRuns: 2000 },
    );
  });
});
