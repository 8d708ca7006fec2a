import { errorMessages, joinJson, json } from './http.ts';
import type { Answer, JiraRequest } from './http.ts';
import { compileJql } from './jql.ts';
import type { Compiled } from './jql.ts';
import { JqlSyntaxError, parseJql } from './jql-parse.ts';
import type { Query } from './jql-parse.ts';
import type { Issue } from './model.ts';
import { invalidPayload, queryNumber, readBody, readNumber, readTexts, refuse } from './parameters.ts';
import { search } from './search.ts';
import type { Found } from './search.ts';
import { selectionOf } from './selection.ts';
import type { Selection } from './selection.ts';
import type { Exchange } from './state.ts';

const contextOf = ({ state, user, view, now, sees }: Exchange) => ({
  site: state.site,
  flavour: state.flavour,
  zone: view.zone,
  now,
  known: user !== undefined,
  sees,
});

const find = (exchange: Exchange, compiled: Compiled): Found => {
  const { site } = exchange.state;
  site.index.settle(exchange.now);
  return search(site, compiled, exchange.sees, exchange.request.number);
};

/** The rows as searches show them, rendered. */
const renderRows = (
  { state, view }: Exchange,
  rows: readonly Issue[],
  selection: Selection,
  changelog: boolean,
): (string | Buffer)[] => {
  const issues = rows.map((row) => state.site.shown(row)).filter((issue) => issue !== undefined);
  return issues.map((issue) => state.writeIssue(issue, view, selection, changelog));
};

type DataCenterSearch = {
  jql: string;
  startAt: number;
  maxResults: number;
  validate: boolean;
  fields: readonly string[];
  expand: readonly string[];
};

const dataCenterSearch = (request: JiraRequest): DataCenterSearch => {
  if (request.method === 'GET') {
    const { query } = request;
    return {
      jql: query.get('jql') ?? '',
      startAt: queryNumber(request, 'startAt', 0),
      maxResults: queryNumber(request, 'maxResults', 50),
      validate: query.get('validateQuery') !== 'false',
      fields: query.getAll('fields'),
      expand: query.getAll('expand').flatMap((names) => names.split(',')),
    };
  }
  const body = readBody(request, undefined);
  return {
    jql: typeof body['jql'] === 'string' ? body['jql'] : '',
    startAt: readNumber(body['startAt'], 0),
    maxResults: readNumber(body['maxResults'], 50),
    validate: body['validateQuery'] !== false && body['validateQuery'] !== 'false',
    fields: readTexts(body['fields']),
    expand: readTexts(body['expand']),
  };
};

const parse = (jql: string): Query => {
  try {
    return parseJql(jql);
  } catch (error) {
    if (error instanceof JqlSyntaxError) return refuse(errorMessages(400, error.message));
    throw error;
  }
};

/** Data Center's offset search. */
export const searchDataCenter = (exchange: Exchange): Answer => {
  const { state, request } = exchange;
  const asked = dataCenterSearch(request);
  const cap = state.options.maxResultsCap ?? 1000;
  const maxResults = asked.maxResults < 0 ? cap : Math.min(asked.maxResults, cap);
  const startAt = Math.max(0, asked.startAt);
  const compiled = compileJql(parse(asked.jql), contextOf(exchange));
  const refused = compiled.errors.length > 0;
  if (refused && asked.validate) return errorMessages(400, ...compiled.errors);
  const found = find(exchange, compiled);
  const total = state.quirks.lyingTotal?.(found.total) ?? found.total;
  const selection = selectionOf(asked.fields, '*navigable');
  const rows = found.slice(startAt, maxResults);
  const issues = renderRows(exchange, rows, selection, asked.expand.includes('changelog'));
  const warnings = refused ? `,"warningMessages":${JSON.stringify(compiled.errors)}` : '';
  const head = `{"expand":"schema,names","startAt":${startAt},"maxResults":${maxResults},"total":${total}`;
  return json(joinJson(`${head},"issues":[`, issues, `]${warnings}}`));
};

/** What Cloud says at the former address of its search. */
export const searchIsGone = (): Answer =>
  errorMessages(
    410,
    'The requested API has been removed. Please migrate to the /rest/api/3/search/jql API. A full migration guideline is available at https://developer.atlassian.com/changelog/#CHANGE-2046',
  );

type CloudSearch = {
  jql: string;
  token: string | undefined;
  maxResults: number;
  fields: readonly string[];
  expand: string;
};

const BEAN = [
  'jql',
  'nextPageToken',
  'maxResults',
  'fields',
  'expand',
  'properties',
  'fieldsByKeys',
  'reconcileIssues',
];

const text = (value: unknown): string => {
  if (value === undefined || value === null) return '';
  return typeof value === 'string' ? value : invalidPayload();
};

const cloudSearch = (request: JiraRequest): CloudSearch => {
  if (request.method === 'GET') {
    const { query } = request;
    return {
      jql: query.get('jql') ?? '',
      token: query.get('nextPageToken') ?? undefined,
      maxResults: queryNumber(request, 'maxResults', 50),
      fields: query.getAll('fields'),
      expand: query.getAll('expand').join(','),
    };
  }
  // Reads only the body: parameters in the address are ignored.
  const body = readBody(request, BEAN);
  if (typeof body['maxResults'] === 'boolean') invalidPayload();
  return {
    jql: text(body['jql']),
    token: text(body['nextPageToken']) || undefined,
    maxResults: readNumber(body['maxResults'], 50),
    fields: readTexts(body['fields']),
    expand: text(body['expand']),
  };
};

type Token = { readonly offset: number; readonly jql: string; readonly at: number; readonly empty: number };

const hash = (jql: string): string => {
  let sum = 0x811c9dc5;
  for (let at = 0; at < jql.length; at += 1) sum = Math.imul(sum ^ jql.charCodeAt(at), 0x01000193);
  return `${jql.length}.${(sum >>> 0).toString(36)}`;
};

const writeToken = (token: Token): string => Buffer.from(JSON.stringify(token)).toString('base64url');

const readToken = (text: string, jql: string, now: number, lifetime: number): Token => {
  try {
    const token = JSON.parse(Buffer.from(text, 'base64url').toString()) as Token;
    if (token.jql === hash(jql) && now - token.at <= lifetime && token.offset >= 0) return token;
  } catch {
    // Falls through to the refusal: it is not one of ours.
  }
  return refuse(errorMessages(400, 'The provided nextPageToken is invalid or has expired.'));
};

const NOTHING: Found = { total: 0, slice: () => [] };

/** Cloud refuses less than Data Center: what it cannot resolve matches nothing. */
const findCloud = (exchange: Exchange, jql: string): Found => {
  const unbounded = 'Unbounded JQL queries are not allowed here. Add a search restriction to the query.';
  // Bare words are a text search.
  if (/^\s*\w+(\s+\w+)*\s*$/.test(jql) && !/\border\s+by\b|\b(is|in)\b\s*(not\s+)?(empty|null|\()/i.test(jql))
    return NOTHING;
  const query = parse(jql);
  if (query.where === undefined) return refuse(errorMessages(400, unbounded));
  if (query.order.length > 7) return refuse(errorMessages(400, 'The maximum number of sort fields is 7.'));
  const compiled = compileJql(query, contextOf(exchange));
  if (compiled.errors.length > 0) return refuse(errorMessages(400, ...compiled.errors));
  return find(exchange, compiled);
};

/** Cloud's token search. */
export const searchCloud = (exchange: Exchange): Answer => {
  const { state, request, now } = exchange;
  const { quirks } = state;
  const asked = cloudSearch(request);
  const lifetime = quirks.tokenLifetimeMs ?? 7 * 86_400_000;
  const token = asked.token === undefined ? undefined : readToken(asked.token, asked.jql, now, lifetime);
  if (asked.maxResults < 1 || asked.maxResults > 5000)
    return errorMessages(400, 'The maxResults parameter must be between 1 and 5,000.');
  const found = findCloud(exchange, asked.jql);
  const selection = selectionOf(asked.fields, 'id', true);
  const changelog = asked.expand.split(',').includes('changelog');
  const light = selection.light && !changelog;
  const most = light ? asked.maxResults : Math.min(asked.maxResults, quirks.heavyPageRows ?? 100);
  state.pages += 1;
  const offset = token?.offset ?? 0;
  const every = quirks.emptyPageEvery ?? 0;
  const empty = every > 0 && state.pages % every === 0 && offset < found.total;
  const count = empty ? 0 : (quirks.pageRows?.(most, state.pages) ?? most);
  const rows = found.slice(offset, count);
  const next = offset + rows.length;
  const last = next >= found.total && !empty;
  const jql = hash(asked.jql);
  const fresh = writeToken({ offset: next, jql, at: now, empty: state.pages });
  const repeated = quirks.repeatToken === true ? asked.token : undefined;
  const nextToken = last ? (quirks.nullToken === true ? null : undefined) : (repeated ?? fresh);
  const tail =
    (nextToken === undefined ? '' : `,"nextPageToken":${JSON.stringify(nextToken)}`) +
    (quirks.omitIsLast === true ? '' : `,"isLast":${last}`);
  return json(joinJson('{"issues":[', renderRows(exchange, rows, selection, changelog), `]${tail}}`));
};

/** Cloud's estimate of how many issues a query names. */
export const approximateCount = (exchange: Exchange): Answer => {
  const body = readBody(exchange.request, ['jql']);
  return json({ count: findCloud(exchange, text(body['jql'])).total });
};
