import { ConnectorError, messageOf } from '../shared/errors.ts';
import { HttpFailure } from '../shared/http/request.ts';
import type { Answer, Client } from './client.ts';
import { isBrokenAnswer, scanIssue, scanIssues, type Issue } from './issue-bytes.ts';
import type { Row } from './search.ts';
import type { Flavour } from './site.ts';

/** An issue that the search named and that cannot be shown any more, or that Jira fails to show. */
export type Absent = { readonly id: string; readonly reason: string };

export type Bodies = {
  /** In the order of the rows. */
  readonly issues: readonly Issue[];
  readonly gone: readonly Absent[];
  /** Jira fails whenever it is asked for one of these: to be tried again by the next run. */
  readonly unread: readonly Absent[];
};

export type BodiesOptions = {
  readonly client: Client;
  readonly flavour: Flavour;
  readonly fields: readonly string[];
  readonly expand: readonly string[];
  readonly what: string;
};

/** Reasons are looked up one by one; when a whole project has gone away, a few will do. */
const MOST_REASONS = 20;

/**
 * Fetches the bodies of a page of rows. What does not come is asked for once more, then looked up by itself, so
 * that every row ends as an issue, as gone with a reason, or as unread. A request that is too heavy for Jira is
 * halved until it is not. Throws what concerns the whole site.
 */
export async function fetchBodies(options: BodiesOptions, rows: readonly Row[]): Promise<Bodies> {
  const found = new Map<string, Issue>();
  const unread: Absent[] = [];
  const ask = async (ids: readonly string[]): Promise<void> => {
    const part = await fetchSome(options, ids);
    for (const issue of part.issues) found.set(issue.id, issue);
    unread.push(...part.unread);
  };
  await ask(rows.map(({ id }) => id));
  // A node that lags behind the one which answered the search shows nothing, or an older version: ask again.
  const isUnread = (id: string): boolean => unread.some((absent) => absent.id === id);
  const missing = rows.filter(({ id, updated }) => {
    const body = found.get(id);
    if (body === undefined) return !isUnread(id);
    return updated !== undefined && body.updated !== undefined && body.updated < updated;
  });
  if (missing.length > 0) await ask(missing.map(({ id }) => id));

  const gone: Absent[] = [];
  for (const { id } of missing) {
    if (found.has(id) || isUnread(id)) continue;
    if (gone.length >= MOST_REASONS) gone.push({ id, reason: 'not shown any more' });
    else {
      try {
        const single = await lookUp(options, id);
        if ('reason' in single) gone.push(single);
        else found.set(id, single);
      } catch (error) {
        if (!isTooMuch(error)) throw error;
        unread.push({ id, reason: messageOf(error) });
      }
    }
  }
  // An issue whose newest version could not be read is unread, though an older one was shown before.
  const issues = rows.flatMap(({ id }) => (isUnread(id) ? [] : (found.get(id) ?? [])));
  return { issues, gone, unread };
}

type Part = { readonly issues: readonly Issue[]; readonly unread: readonly Absent[] };

async function fetchSome(options: BodiesOptions, ids: readonly string[], isLastTry = false): Promise<Part> {
  if (ids.length === 0) return { issues: [], unread: [] };
  try {
    const answer =
      options.flavour === 'cloud' ? await bulkFetch(options, ids) : await searchByIds(options, ids);
    const { issues, total = 0 } = scanIssues(answer.bytes);
    // A server that cuts maxResults shows fewer rows than were asked for: the rest is asked for by itself.
    const shown = new Set(issues.map(({ id }) => id));
    const rest = ids.filter((id) => !shown.has(id));
    if (options.flavour === 'cloud' || issues.length === 0 || issues.length >= total)
      return { issues, unread: [] };
    const more = await fetchSome(options, rest);
    return { issues: [...issues, ...more.issues], unread: more.unread };
  } catch (error) {
    const refused = error instanceof ConnectorError && error.code === 'REFUSED';
    if (!refused && !isTooMuch(error)) throw error;
    if (ids.length > 1) return split(options, ids, refused ? messageOf(error) : '');
    if (refused) return { issues: [], unread: [] };
    if (!isLastTry) {
      // Is it this issue, or does Jira fail at everything? A light request waits until Jira is well again.
      await options.client.get('/rest/api/2/serverInfo', {}, { what: `${options.what}: is Jira well?` });
      return fetchSome(options, ids, true);
    }
    return { issues: [], unread: [{ id: ids[0]!, reason: messageOf(error) }] };
  }
}

/** True for failures that may be due to how much was asked for. */
function isTooMuch(error: unknown): boolean {
  if (isBrokenAnswer(error)) return true;
  if (!(error instanceof ConnectorError)) return false;
  const { code, cause } = error;
  return (
    code === 'SERVER' ||
    (cause instanceof HttpFailure && ['timeout', 'cut', 'too-large'].includes(cause.reason))
  );
}

/** Data Center refuses a whole list for one id that is gone, and names it: ask without it, else in halves. */
async function split(options: BodiesOptions, ids: readonly string[], message: string): Promise<Part> {
  const named = new Set(message.match(/\d+/g));
  const rest = ids.filter((id) => !named.has(id));
  if (rest.length < ids.length) return fetchSome(options, rest);
  const half = Math.ceil(ids.length / 2);
  const first = await fetchSome(options, ids.slice(0, half));
  const second = await fetchSome(options, ids.slice(half));
  return { issues: [...first.issues, ...second.issues], unread: [...first.unread, ...second.unread] };
}

async function bulkFetch(
  { client, fields, expand, what }: BodiesOptions,
  ids: readonly string[],
): Promise<Answer> {
  const body = { issueIdsOrKeys: ids, fields, ...(expand.length === 0 ? {} : { expand }) };
  return client.post('/rest/api/3/issue/bulkfetch', body, { what, heavy: true });
}

async function searchByIds(
  { client, fields, expand, what }: BodiesOptions,
  ids: readonly string[],
): Promise<Answer> {
  const body = {
    jql: `id in (${ids.join(',')})`,
    startAt: 0,
    maxResults: ids.length,
    fields,
    ...(expand.length === 0 ? {} : { expand }),
  };
  return client.post('/rest/api/2/search', body, { what, heavy: true });
}

async function lookUp(
  { client, flavour, fields, expand, what }: BodiesOptions,
  id: string,
): Promise<Issue | Absent> {
  const api = flavour === 'cloud' ? '/rest/api/3' : '/rest/api/2';
  const query = { fields: fields.join(','), ...(expand.length === 0 ? {} : { expand: expand.join(',') }) };
  const answer = await client.get(`${api}/issue/${id}`, query, {
    what: `${what}: issue ${id}`,
    accept: [401, 403, 404],
  });
  if (answer.status === 200) return scanIssue(answer.bytes, 0);
  if (answer.status !== 404) return { id, reason: 'this user may not see it any more' };
  const said = answer.bytes.toString('utf8', 0, 500);
  return { id, reason: /permission/i.test(said) ? 'deleted, or not visible to this user' : 'deleted' };
}
