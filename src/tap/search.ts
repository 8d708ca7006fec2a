import { systemError, transientError } from '../shared/errors.ts';
import { isObject, type JsonObject } from '../shared/json/value.ts';
import { json, type Client } from './client.ts';
import { parseJiraDate } from './jira-date.ts';
import type { JqlTimes } from './jql-time.ts';

/** The field a walk is ordered by. */
export type OrderField = 'created' | 'updated';

/** An issue that a search named. Instants are ms; undefined where the answer lacks them. */
export type Row = {
  readonly id: string;
  readonly at: number | undefined;
  readonly updated: number | undefined;
  readonly created?: number | undefined;
};

/** `[from, until)` in ms of the order field; a missing end is open. */
export type Window = { readonly from?: number; readonly until?: number };

/** One answer. `last`: the server has no rows of this window after these. */
export type Page = { readonly rows: readonly Row[]; readonly last: boolean; readonly total?: number };

/**
 * The pages of one window, in ascending order of the order field. A page is one consistent view of the index;
 * between pages rows may move, so that only a window which fits in one page is known to be complete.
 */
export type Search = (window: Window) => AsyncIterable<Page>;

export type SearchOptions = {
  readonly client: Client;
  readonly times: JqlTimes;
  /** JQL without time bounds and order. */
  readonly condition: string;
  readonly field: OrderField;
  readonly what: string;
};

const CLOUD_PAGE = 5000;
const DATA_CENTER_PAGE = 1000;
const RESTARTS = 3;
const EMPTY_PAGES = 3;

export function jqlFor({ condition, field, times }: SearchOptions, window: Window): string {
  const clauses = [condition];
  if (window.from !== undefined) clauses.push(`${field} >= ${times.atMost(window.from).text}`);
  if (window.until !== undefined) clauses.push(`${field} < ${times.atLeast(window.until).text}`);
  return `${clauses.join(' AND ')} ORDER BY ${field} ASC, key ASC`;
}

/**
 * Cloud: `POST /rest/api/3/search/jql`, a chain of tokens. Only a missing token ends it: pages may be short, or
 * empty, and `isLast` may be missing. When a token repeats or is refused the chain is begun anew.
 */
export function cloudSearch(options: SearchOptions): Search {
  return async function* pages(window) {
    const jql = jqlFor(options, window);
    for (let restart = 0; ; restart++) {
      if (restart > RESTARTS)
        throw transientError(`${options.what}: Jira's page tokens lead in a circle; run again later`, {
          code: 'SERVER',
        });
      const tokens = new Set<string>();
      let token: string | undefined;
      do {
        const body = {
          jql,
          maxResults: CLOUD_PAGE,
          fields: ['updated', 'created'],
          ...(token === undefined ? {} : { nextPageToken: token }),
        };
        const answer = await options.client.post('/rest/api/3/search/jql', body, {
          what: options.what,
          accept: token === undefined ? [] : [400],
        });
        if (answer.status === 400) break; // the token has expired
        const page = envelope(json(answer), options);
        token = typeof page['nextPageToken'] === 'string' ? page['nextPageToken'] : undefined;
        yield { rows: rowsOf(page, options), last: token === undefined };
        if (token === undefined) return;
        if (tokens.has(token)) break;
        tokens.add(token);
      } while (true);
    }
  };
}

/**
 * Data Center: `POST /rest/api/2/search`, by offset, advancing by the rows that came, since the server may cut
 * `maxResults`. Neither a short page (rows withheld) nor `total` (an estimate) alone ends a window.
 */
export function dataCenterSearch(options: SearchOptions): Search {
  return async function* pages(window) {
    const jql = jqlFor(options, window);
    let empty = 0;
    for (let startAt = 0; ;) {
      const body = {
        jql,
        startAt,
        maxResults: DATA_CENTER_PAGE,
        fields: ['updated', 'created'],
      };
      const page = envelope(
        json(await options.client.post('/rest/api/2/search', body, { what: options.what })),
        options,
      );
      const rows = rowsOf(page, options);
      const total = typeof page['total'] === 'number' ? page['total'] : undefined;
      const size =
        typeof page['maxResults'] === 'number' && page['maxResults'] > 0
          ? page['maxResults']
          : DATA_CENTER_PAGE;
      // All rows of a page may have been withheld; a total that promises more and more of these is not believed.
      const step = rows.length === 0 && empty++ < EMPTY_PAGES ? size : rows.length;
      const last = step === 0 || (rows.length < size && startAt + step >= (total ?? 0));
      yield { rows, last, ...(total === undefined ? {} : { total }) };
      if (last) return;
      startAt += step;
    }
  };
}

function envelope(value: unknown, { what }: SearchOptions): JsonObject {
  if (isObject(value) && Array.isArray(value['issues'])) return value;
  throw systemError(
    `${what}: Jira's answer to a search has no list of issues; is base_url the address of Jira?`,
    { code: 'NOT_JIRA' },
  );
}

function rowsOf(page: JsonObject, { field, what }: SearchOptions): Row[] {
  return (page['issues'] as readonly JsonObject[]).map((issue) => {
    if (typeof issue['id'] !== 'string')
      throw systemError(`${what}: a search named an issue without id`, { code: 'SERVER' });
    const fields = isObject(issue['fields']) ? issue['fields'] : {};
    const updated = parseJiraDate(fields['updated']);
    const created = parseJiraDate(fields['created']);
    return { id: issue['id'], at: field === 'updated' ? updated : created, updated, created };
  });
}
