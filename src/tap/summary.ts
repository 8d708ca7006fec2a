import type { Log } from '../shared/log.ts';
import { emptyTally, type Progress, type Tally } from './progress.ts';

type Result = { readonly tally: Readonly<Tally>; readonly seconds: number; readonly error?: Error };

/** A progress that also draws itself, and closes with a summary. */
export type Reporter = Progress & { readonly close: () => void };

const REDRAW_MS = 200;
const BAR_WIDTH = 24;
const LINE_WIDTH = 78;
const CLEAR_LINE = '\r\u001b[K';

/** For logs: a line per project as it ends, a metric per stream, and one line for the run. */
export function logReporter(log: Log): Reporter {
  const results = new Map<string, Result>();
  return {
    started: () => undefined,
    counted: () => undefined,
    finished: (project, tally, seconds, error) => {
      results.set(project, { tally, seconds, ...(error === undefined ? {} : { error }) });
      const outcome = error === undefined ? 'complete' : 'failed';
      log.info(`project ${project} ${outcome}: ${sentence(tally)} in ${seconds.toFixed(1)} s`, {
        stream: 'issues',
        extra: { project, ...tally },
      });
    },
    emitted: (records) => {
      for (const [stream, value] of records) {
        log.info('METRIC', {
          stream,
          metric: { type: 'counter', metric: 'record_count', value, tags: { stream } },
        });
      }
    },
    close: () => {
      if (results.size === 0) return; // nothing was begun: an error says why
      const total = sum(results);
      const failed = [...results.values()].filter(({ error }) => error !== undefined).length;
      log.info(`${results.size - failed} of ${results.size} projects complete: ${sentence(total)}`);
    },
  };
}

/** For terminals: a bar that is drawn again in place, then a table. `write` gets text for stderr. */
export function terminalReporter(write: (text: string) => void, now: () => number): Reporter {
  /** By project; undefined while Jira does not tell. */
  const expected = new Map<string, number | undefined>();
  const live = new Map<string, Readonly<Tally>>();
  const results = new Map<string, Result>();
  let drawn = 0;
  const draw = (): void => {
    if (now() - drawn < REDRAW_MS) return;
    drawn = now();
    const done = [...live.values()].reduce((total, tally) => total + accounted(tally), 0);
    const running = [...expected.keys()].filter((key) => !results.has(key)).join(' ');
    write(`${CLEAR_LINE}${`${amount(done, [...expected.values()])}  ${running}`.slice(0, LINE_WIDTH)}`);
  };
  return {
    started: (project, count) => {
      // A project may begin twice: a bulk load is followed by what changed since it began.
      const before = accounted(live.get(project) ?? emptyTally());
      expected.set(project, count === undefined ? undefined : before + count);
      draw();
    },
    counted: (project, tally) => {
      live.set(project, { ...tally });
      draw();
    },
    finished: (project, tally, seconds, error) => {
      live.set(project, { ...tally });
      expected.set(project, tally.named);
      results.set(project, { tally, seconds, ...(error === undefined ? {} : { error }) });
      draw();
    },
    close: () => write(`${CLEAR_LINE}${results.size === 0 ? '' : table(results)}`),
  };
}

function accounted({ emitted, unchanged, gone, unread }: Readonly<Tally>): number {
  return emitted + unchanged + gone + unread;
}

/** A bar when the whole is known, else the number so far. */
function amount(done: number, expected: readonly (number | undefined)[]): string {
  let whole = 0;
  for (const count of expected) {
    if (count === undefined) return `${done} issues so far`;
    whole += count;
  }
  whole = Math.max(whole, done);
  const filled = whole === 0 ? 0 : Math.round((done / whole) * BAR_WIDTH);
  return `[${'='.repeat(filled)}${' '.repeat(BAR_WIDTH - filled)}] ${done}/${whole} issues`;
}

function sentence({ named, emitted, unchanged, gone, unread }: Readonly<Tally>): string {
  const rare = [gone === 0 ? '' : `, ${gone} gone`, unread === 0 ? '' : `, ${unread} unread`].join('');
  return `${named} named, ${emitted} emitted, ${unchanged} unchanged${rare}`;
}

const COLUMNS = ['project', 'named', 'emitted', 'unchanged', 'gone', 'unread', 'seconds', ''] as const;

function table(results: ReadonlyMap<string, Result>): string {
  const row = (
    name: string,
    { named, emitted, unchanged, gone, unread }: Readonly<Tally>,
    seconds: string,
    note: string,
  ): string[] => [name, ...[named, emitted, unchanged, gone, unread].map(String), seconds, note];
  const rows = [...results].map(([name, { tally, seconds, error }]) =>
    row(name, tally, seconds.toFixed(1), error === undefined ? '' : 'failed'),
  );
  const all = [[...COLUMNS], ...rows, ...(rows.length > 1 ? [row('total', sum(results), '', '')] : [])];
  const widths = COLUMNS.map((_, i) => Math.max(...all.map((cells) => cells[i]!.length)));
  return all
    .map(
      (cells) =>
        `${cells
          .map((cell, i) => (i === 0 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!)))
          .join('  ')
          .trimEnd()}\n`,
    )
    .join('');
}

function sum(results: ReadonlyMap<string, Result>): Tally {
  const total = emptyTally();
  for (const { tally } of results.values())
    for (const key of Object.keys(total) as (keyof Tally)[]) total[key] += tally[key];
  return total;
}
