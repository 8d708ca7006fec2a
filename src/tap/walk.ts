import { systemError } from '../shared/errors.ts';
import { floorMinute, MINUTE_MS, type JqlTimes } from './jql-time.ts';
import type { Page, Row, Search, Window } from './search.ts';

/** `asOf` comes from a `Date` header, which leaves the milliseconds out: what it calls later may have been before. */
const CLOCK_MS = 1000;
/** How often a pass that rows may have left unnoticed has to be repeated by equal ones. */
const EQUAL_WITH_LEAVING = 3;
/** A server whose first answer is always empty and never the last has this many tries to show that there is more. */
const UNSURE_ENDS = 3;

export type WalkOptions = {
  readonly search: Search;
  readonly times: JqlTimes;
  /** Lower bound in ms; without it the walk begins with the oldest issue. */
  readonly from?: number;
  /** The server's time when the walk begins: rows that come at or after it are the next run's too. */
  readonly asOf: number;
  /**
   * Rows shown with a time before this instant stand where they are shown. A later time may be that of an edit
   * which the index has not taken in yet, and says nothing about how far the index has been read.
   */
  readonly settledBefore: number;
  /** The server's present time, in ms. */
  readonly now?: () => number;
};

/**
 * Names every issue whose order field lies in `[from, asOf)` for as long as the walk goes on, and each issue that
 * is edited meanwhile once more at most. Yields blocks of rows in ascending order (but inside one minute), each
 * row once.
 *
 * Why nothing is skipped: the index is covered by windows `[from, until)` that follow one another without a gap.
 * A window counts as covered only when (a) a single answer showed all of it; or (b) a row with a settled time `t`
 * was shown by the first answer to a query that began at `from`, so everything before `t` was shown before it: the
 * window is `[from, minute of t)`; or (c) it is one minute, paged again and again until two passes named the same
 * issues. A row can leave its window unread only by being edited, to a time after the walk's present; the last
 * query has no upper bound and names it there, and if it has moved on by then, its time is after `asOf` and the
 * next run names it.
 */
export async function* walk(options: WalkOptions): AsyncGenerator<readonly Row[]> {
  const { search, times, asOf, settledBefore } = options;
  const seen = new Map<string, number | undefined>();
  const followed = new Set<string>();
  let from = options.from === undefined ? undefined : floorMinute(options.from);
  let width = Infinity;
  let unsure = 0;

  /** Made since the walk began: the next run's. To follow those would never end where they come faster than pages. */
  const isNew = (created: number | undefined): boolean =>
    created !== undefined &&
    created >= asOf + CLOCK_MS &&
    options.now !== undefined &&
    created <= options.now();
  /** The rows not named before. A row at or after `asOf` is followed once, however often it is edited. */
  const fresh = (rows: readonly Row[]): Row[] =>
    rows.filter(({ id, at, created }) => {
      if (at !== undefined && from !== undefined && at < from && times.atMost(from).ms < from) return false;
      if (at !== undefined && at >= asOf) {
        if (followed.has(id) || isNew(created)) return false;
        followed.add(id);
        return true;
      }
      if (seen.has(id) && seen.get(id) === at) return false;
      seen.set(id, at);
      return true;
    });
  const moveTo = (next: number): void => {
    from = next;
    for (const [id, at] of seen) if (at !== undefined && at < next) seen.delete(id);
  };

  for (;;) {
    const page = await firstPage(search, from === undefined ? {} : { from });
    const rows = fresh(page.rows);
    yield rows;
    if (page.single && page.last) return;
    if (rows.length === 0 && from !== undefined && from >= asOf && (page.single || ++unsure > UNSURE_ENDS))
      return;

    const shown = page.rows.flatMap(({ at }) => (at === undefined ? [] : [at]));
    if (shown.length === 0 && page.rows.length > 0)
      throw systemError('Jira shows no dates of its issues; is the field "updated" hidden from this user?');
    const settled = floorMinute(Math.max(...shown.filter((at) => at < settledBefore)));
    if (page.single && settled > (from ?? -Infinity)) {
      moveTo(settled);
      continue;
    }
    from ??= 0;

    // The page tells nothing about where the index has been read to: cover a window that a single answer shows.
    const newest = floorMinute(shown.length === 0 ? asOf : Math.max(...shown));
    let until = from + Math.max(MINUTE_MS, Math.min(width, newest - from));
    for (;;) {
      const bounded: Window = { from, until };
      if (until - from <= MINUTE_MS) {
        yield* wholeWindow(search, bounded, times.atLeast(until).ms <= asOf ? Infinity : asOf, fresh);
        break;
      }
      const part = await firstPage(search, bounded);
      yield fresh(part.rows);
      if (part.single && part.last) break;
      until = from + Math.max(MINUTE_MS, floorMinute((until - from) / 2));
    }
    width = Math.max(2 * MINUTE_MS, 2 * (until - from));
    moveTo(times.atLeast(until).ms);
  }
}

/**
 * The first answer that shows rows, or is the last: a server may answer with an empty page that is not the last,
 * when all its rows have been removed or hidden. What comes after such a page is no longer `single`: rows may have
 * moved up past it in between.
 */
async function firstPage(search: Search, window: Window): Promise<Page & { readonly single: boolean }> {
  let single = true;
  for await (const page of search(window)) {
    if (page.rows.length > 0 || page.last) return { ...page, single };
    single = false;
  }
  return { rows: [], last: true, single };
}

/**
 * Pages through a window until two passes name the same issues (a window that new edits keep entering: the same
 * issues from before `before`). A row that leaves the window after it was shown moves the rows behind it up, and a
 * page may skip one of them; but then the next pass does not show the row that left. So two equal passes mean that
 * the first of them skipped nothing. Rows that leave unshown, which an empty page tells of, or that leave with a
 * time that is not compared, which stand before rows of an earlier time, could skip the same row twice: if one of the
 * equal passes had such rows, they are trusted only when they go on being equal.
 */
async function* wholeWindow(
  search: Search,
  window: Window,
  before: number,
  fresh: (rows: readonly Row[]) => Row[],
): AsyncGenerator<readonly Row[]> {
  let last: ReadonlySet<string> | undefined;
  // In any of the passes that were equal.
  let unsure = false;
  for (let equal = 0; ;) {
    const shown = new Set<string>();
    let pages = 0;
    let leaving = false;
    let newest = -Infinity;
    for await (const page of search(window)) {
      leaving ||= page.rows.length === 0 && !page.last;
      for (const { id, at = -Infinity } of page.rows) {
        leaving ||= at < newest - CLOCK_MS;
        newest = Math.max(newest, at);
        if (at < before) shown.add(id);
      }
      pages++;
      yield fresh(page.rows);
    }
    const same = last?.size === shown.size && [...shown].every((id) => last?.has(id));
    equal = same ? equal + 1 : 0;
    unsure = leaving || (same && unsure);
    if (pages === 1 || equal >= (unsure ? EQUAL_WITH_LEAVING : 1)) return;
    last = shown;
  }
}
