import { errorMessages, joinJson, json } from './http.ts';
import type { Answer } from './http.ts';
import { dataOf } from './model.ts';
import type { Issue } from './model.ts';
import { queryNumber, readBody, readNumber, readTexts, refuse } from './parameters.ts';
import { canRead, writeComment, writeHistory, writeWorklog } from './render.ts';
import { selectionOf } from './selection.ts';
import type { Exchange } from './state.ts';

const visible = ({ state, sees }: Exchange, idOrKey: string): Issue | undefined => {
  const issue = state.site.get(idOrKey);
  if (issue === undefined || state.site.hidden.has(issue.id) || !sees(issue.projectKey)) return undefined;
  return issue;
};

const existing = (exchange: Exchange, idOrKey: string): Issue => {
  const issue = visible(exchange, idOrKey);
  if (issue !== undefined) return issue;
  const { state, user } = exchange;
  if (state.flavour === 'datacenter' && user === undefined)
    return refuse(
      errorMessages(401, 'You do not have the permission to see the specified issue.', 'Login Required'),
    );
  if (state.flavour === 'datacenter') return refuse(errorMessages(404, 'Issue Does Not Exist'));
  return refuse(errorMessages(404, 'Issue does not exist or you do not have permission to see it.'));
};

/** One issue, by id or key. */
export const getIssue = (exchange: Exchange, idOrKey: string): Answer => {
  const { query } = exchange.request;
  const issue = existing(exchange, idOrKey);
  const expand = query.getAll('expand').flatMap((names) => names.split(','));
  const selection = selectionOf(query.getAll('fields'), '*all');
  return json(exchange.state.writeIssue(issue, exchange.view, selection, expand.includes('changelog')));
};

const page = (from: number, max: number, parts: readonly string[]): readonly string[] =>
  parts.slice(from, from + max);

/** An issue's comments: all of them on Data Center, at most 100 a page on Cloud. */
export const getComments = (exchange: Exchange, idOrKey: string): Answer => {
  const { request, view, state } = exchange;
  const order = request.query.get('orderBy') ?? 'created';
  if (state.flavour === 'cloud' && !/^[+ -]?created$/.test(order))
    return errorMessages(400, `The orderBy parameter is invalid: ${order}`);
  const issue = existing(exchange, idOrKey);
  const all = dataOf(issue).comments.filter((comment) => canRead(comment, view));
  if (order.startsWith('-')) all.reverse();
  const startAt = Math.max(0, queryNumber(request, 'startAt', 0));
  const cloud = state.flavour === 'cloud';
  const asked = queryNumber(request, 'maxResults', cloud ? 100 : 1_048_576);
  const max = cloud ? Math.min(100, Math.max(1, asked)) : asked;
  const comments = all.slice(startAt, startAt + max).map((comment) => writeComment(issue, comment, view));
  const head = `{"startAt":${startAt},"maxResults":${max},"total":${all.length},"comments":[`;
  return json(joinJson(head, comments, ']}'));
};

/** An issue's work log: all of it on Data Center, at most 5,000 entries a page on Cloud. */
export const getWorklogs = (exchange: Exchange, idOrKey: string): Answer => {
  const { request, view, state } = exchange;
  const issue = existing(exchange, idOrKey);
  const since = queryNumber(request, 'startedAfter', Number.NEGATIVE_INFINITY);
  const all = dataOf(issue).worklogs.filter((worklog) => worklog.started >= since);
  const texts = all.map((worklog) => writeWorklog(issue, worklog, view));
  const cloud = state.flavour === 'cloud';
  const startAt = cloud ? Math.max(0, queryNumber(request, 'startAt', 0)) : 0;
  const max = cloud ? Math.min(5000, Math.max(1, queryNumber(request, 'maxResults', 5000))) : texts.length;
  const head = `{"startAt":${startAt},"maxResults":${max},"total":${texts.length},"worklogs":[`;
  return json(joinJson(head, page(startAt, max, texts), ']}'));
};

/** Cloud: an issue's history, oldest first, at most 100 entries a page. */
export const getChangelog = (exchange: Exchange, idOrKey: string): Answer => {
  const { request, view } = exchange;
  const issue = existing(exchange, idOrKey);
  const texts = dataOf(issue).histories.map((history) => writeHistory(history, view));
  const startAt = Math.max(0, queryNumber(request, 'startAt', 0));
  const max = Math.min(100, Math.max(1, queryNumber(request, 'maxResults', 100)));
  const last = startAt + max >= texts.length;
  const self = `${view.base}/rest/api/${view.api}/issue/${idOrKey}/changelog?maxResults=${max}&startAt=`;
  const links = `"self":"${self}${startAt}"${last ? '' : `,"nextPage":"${self}${startAt + max}"`}`;
  const numbers = `"maxResults":${max},"startAt":${startAt},"total":${texts.length},"isLast":${last}`;
  return json(joinJson(`{${links},${numbers},"values":[`, page(startAt, max, texts), ']}'));
};

/** The issues a bulk request names, once each, in ascending order of id; what cannot be seen is left out. */
const named = (exchange: Exchange, idsOrKeys: readonly string[], most: number): Issue[] => {
  if (idsOrKeys.length === 0) refuse(errorMessages(400, 'The issueIdsOrKeys parameter must not be empty.'));
  if (idsOrKeys.length > most)
    refuse(errorMessages(400, `The issueIdsOrKeys parameter must not have more than ${most} entries.`));
  const found = idsOrKeys.map((name) => visible(exchange, name)).filter((issue) => issue !== undefined);
  return [...new Set(found)].sort((a, b) => Number(a.id) - Number(b.id));
};

const BULK_ISSUES = ['issueIdsOrKeys', 'fields', 'expand', 'fieldsByKeys', 'properties'];

/** Cloud: up to 100 issues by id or key, from the database. */
export const bulkFetchIssues = (exchange: Exchange): Answer => {
  const body = readBody(exchange.request, BULK_ISSUES);
  const issues = named(exchange, readTexts(body['issueIdsOrKeys']), 100);
  const selection = selectionOf(readTexts(body['fields']), '*navigable');
  const changelog = readTexts(body['expand']).includes('changelog');
  const texts = issues.map((issue) => exchange.state.writeIssue(issue, exchange.view, selection, changelog));
  return json(joinJson('{"expand":"schema,names","issues":[', texts, '],"issueErrors":[]}'));
};

const BULK_CHANGELOG = ['issueIdsOrKeys', 'fieldIds', 'maxResults', 'nextPageToken'];

/** Cloud: the histories of up to 1,000 issues, oldest first; a page may end in the middle of an issue. */
export const bulkFetchChangelogs = (exchange: Exchange): Answer => {
  const { request, view, state } = exchange;
  const body = readBody(request, BULK_CHANGELOG);
  const issues = named(exchange, readTexts(body['issueIdsOrKeys']), 1000);
  const fields = readTexts(body['fieldIds']);
  const max = Math.min(10_000, Math.max(1, readNumber(body['maxResults'], 1000)));
  const token = body['nextPageToken'];
  const offset = typeof token === 'string' ? Number(Buffer.from(token, 'base64url').toString()) : 0;
  if (!Number.isInteger(offset)) return errorMessages(400, 'The provided nextPageToken is invalid.');
  const rows = issues.flatMap((issue) =>
    dataOf(issue)
      .histories.filter(
        ({ items }) => fields.length === 0 || items.some(({ field }) => fields.includes(field)),
      )
      .map((history) => ({ issue, history })),
  );
  const shown = rows.slice(offset, offset + max);
  const numeric = state.quirks.numericChangelogDates === true;
  const byIssue = new Map<string, string[]>();
  for (const { issue, history } of shown) {
    const texts = byIssue.get(issue.id) ?? [];
    byIssue.set(issue.id, texts);
    texts.push(writeHistory(history, view, numeric));
  }
  const logs = [...byIssue].map(
    ([id, texts]) => `{"issueId":"${id}","changeHistories":[${texts.join(',')}]}`,
  );
  const next = offset + shown.length;
  const more =
    next < rows.length ? `,"nextPageToken":"${Buffer.from(String(next)).toString('base64url')}"` : '';
  return json(joinJson('{"issueChangeLogs":[', logs, `]${more}}`));
};
