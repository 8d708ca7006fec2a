import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../src/shared/json/value.ts';
import { Stopped } from '../../src/shared/program.ts';
import { commitsIn, committedRows, dataKeys, rowsOf } from '../support/lake.ts';
import { handClock, type HandClock } from '../support/hand-clock.ts';
import { memoryStore, type Fate } from '../support/memory-store.ts';
import { recordLine, runTarget, schemaLine, stateLine, type Event } from '../support/target-run.ts';

const RUNS = Number(process.env['SCHEDULES'] ?? 300);

/** What a tap does, in order. */
type Act =
  | { readonly act: 'row'; readonly stream: number; readonly bytes: number }
  | { readonly act: 'state' }
  | { readonly act: 'schema'; readonly stream: number }
  | { readonly act: 'pass'; readonly ms: number };

/** How one attempt at the whole input ends. */
type Attempt =
  | { readonly end: 'store'; readonly operation: number; readonly fate: Exclude<Fate, 'works'> }
  | { readonly end: 'stop'; readonly at: number };

const act: fc.Arbitrary<Act> = fc.oneof(
  {
    weight: 9,
    arbitrary: fc.record({
      act: fc.constant('row'),
      stream: fc.nat(1),
      bytes: fc.constantFrom(10, 3000),
    }),
  },
  { weight: 3, arbitrary: fc.record({ act: fc.constant('state') }) },
  { weight: 1, arbitrary: fc.record({ act: fc.constant('schema'), stream: fc.nat(1) }) },
  { weight: 3, arbitrary: fc.record({ act: fc.constant('pass'), ms: fc.constantFrom(500, 1000) }) },
);

const attempt: fc.Arbitrary<Attempt> = fc.oneof(
  fc.record({
    end: fc.constant('store'),
    operation: fc.integer({ min: 1, max: 25 }),
    fate: fc.constantFrom('fails', 'answer lost', 'gone'),
  }),
  fc.record({ end: fc.constant('stop'), at: fc.nat(60) }),
);

const settings = fc.record({
  batch_size_rows: fc.constantFrom(1, 3, 10, 1000),
  batch_size_bytes: fc.constantFrom(100, 4000, 1_000_000),
  batch_wait_seconds: fc.constantFrom(1, 60),
  compression: fc.constantFrom('gzip', 'none'),
});

/** Acts as lines; `from` is the number of the first act that a tap resuming there sends. Ids are positions. */
function script(acts: readonly Act[], from: number): Event[] {
  const versions = new Map<number, number>();
  const schema = (stream: number): string =>
    schemaLine(`s${stream}`, { [`v${versions.get(stream) ?? 0}`]: {} }, ['id']);
  const events: Event[] = [0, 1].map(schema);
  for (const [i, one] of acts.entries()) {
    if (one.act === 'schema') versions.set(one.stream, (versions.get(one.stream) ?? 0) + 1);
    if (i < from) continue;
    if (one.act === 'row') events.push(recordLine(`s${one.stream}`, { id: i, pad: 'x'.repeat(one.bytes) }));
    if (one.act === 'state') events.push(stateLine({ next: i + 1 }));
    if (one.act === 'schema') events.push(schema(one.stream));
    if (one.act === 'pass') events.push({ pass: one.ms });
  }
  events.push(stateLine({ next: acts.length }));
  return events;
}

/** One attempt from a position of the input. Resolves when the process has ended, in whatever way. */
async function attemptRun(
  objects: Map<string, Uint8Array>,
  events: readonly Event[],
  how: Attempt | undefined,
  options: {
    readonly clock: HandClock;
    readonly config: JsonObject;
    readonly print: (state: string) => void;
  },
): Promise<void> {
  options.clock.advance(1000); // run ids sort by time
  const stop = new AbortController();
  let leave = (): void => undefined;
  const gone = new Promise<undefined>((resolve) => {
    leave = () => resolve(undefined);
  });
  const fate = (_: unknown, n: number): Fate => {
    if (how?.end !== 'store' || n !== how.operation) return 'works';
    if (how.fate === 'gone') leave();
    return how.fate;
  };
  const stopping = how?.end === 'stop';
  const script = stopping ? [...events.slice(0, how.at), () => stop.abort(new Stopped('SIGTERM'))] : events;
  const { clock, config, print } = options;
  const outcome = await Promise.race([
    gone,
    runTarget(memoryStore({ objects, fate }), script, config, {
      clock,
      stop: stop.signal,
      print,
      keepOpen: stopping,
    }),
  ]);
  if (how?.end !== 'store') expect(outcome?.error).toBeUndefined();
}

describe('over random histories of inputs, failures, stops and crashes', () => {
  it(
    'no STATE leads the data, and commits plus replay hold every row once',
    async () => {
      await fc.assert(
        fc.asyncProperty(
          fc.array(act, { maxLength: 60 }),
          fc.array(attempt, { maxLength: 3 }),
          settings,
          async (acts, attempts, config) => {
            const objects = new Map<string, Uint8Array>();
            const clock = handClock();
            const rowIds = acts.flatMap((one, i) => (one.act === 'row' ? [i] : []));
            const committed = (): number[] => committedRows(objects).map(({ id }) => Number(id));
            const print = (state: string): void => {
              const named = new Set(committed());
              const covered = rowIds.filter((id) => id < (JSON.parse(state) as { next: number }).next);
              expect(covered.filter((id) => !named.has(id))).toEqual([]);
            };
            for (const how of [...attempts, undefined]) {
              const last = commitsIn(objects).findLast((commit) => commit.state !== undefined);
              const resume = (last?.state as { next: number } | undefined)?.next ?? 0;
              await attemptRun(objects, script(acts, resume), how, { clock, config, print });
            }
            // Only what a run had to commit beyond its last STATE, at its end, may come twice.
            const commits = commitsIn(objects);
            const beyond = commits.filter((commit) => commit.rows_after_state !== undefined);
            for (const { run_id, number } of beyond)
              expect(commits.filter((other) => other.run_id === run_id && other.number > number)).toEqual([]);
            const repeated = beyond.length > 0;
            const found = committed().toSorted((a, b) => a - b);
            expect(repeated ? [...new Set(found)] : found).toEqual(rowIds);
            for (const { key, rows, bytes } of commitsIn(objects).flatMap((commit) => commit.objects)) {
              expect(rowsOf(objects, key)).toHaveLength(rows);
              expect(objects.get(key)).toHaveLength(bytes);
            }
            for (const key of dataKeys(objects)) expect(() => rowsOf(objects, key)).not.toThrow();
          },
        ),
        { numRuns: RUNS },
      );
    },
    Math.max(600_000, RUNS * 200),
  );
});
