import { problem } from './http.ts';
import type { Answer } from './http.ts';
import { html, json } from './http.ts';
import { Refusal } from './parameters.ts';
import {
  bulkFetchChangelogs,
  bulkFetchIssues,
  getChangelog,
  getComments,
  getIssue,
  getWorklogs,
} from './routes-issue.ts';
import { getProject, listFields, listProjects, myself, searchProjects, serverInfo } from './routes-meta.ts';
import { approximateCount, searchCloud, searchDataCenter, searchIsGone } from './routes-search.ts';
import type { Exchange } from './state.ts';

const READ = ['GET'];
const WRITE = ['POST'];
const BOTH = ['GET', 'POST'];

type Route = {
  readonly methods: readonly string[];
  readonly only?: 'datacenter' | 'cloud';
  readonly answer: (exchange: Exchange) => Answer;
};

const FIXED: Readonly<Record<string, Route>> = {
  serverInfo: { methods: READ, answer: serverInfo },
  myself: { methods: READ, answer: myself },
  field: { methods: READ, answer: listFields },
  project: { methods: READ, answer: listProjects },
  'project/search': { methods: READ, only: 'cloud', answer: searchProjects },
  'search/jql': { methods: BOTH, only: 'cloud', answer: searchCloud },
  'search/approximate-count': { methods: WRITE, only: 'cloud', answer: approximateCount },
  'issue/bulkfetch': { methods: WRITE, only: 'cloud', answer: bulkFetchIssues },
  'changelog/bulkfetch': { methods: WRITE, only: 'cloud', answer: bulkFetchChangelogs },
};

const missing = ({ state, request }: Exchange): Answer => {
  if (state.flavour === 'datacenter')
    return json({ message: 'null for uri: ' + state.base + request.route, 'status-code': 404 }, 404);
  const detail = `No endpoint ${request.method} ${request.route}.`;
  return problem(404, 'Not Found', detail, request.route);
};

const itemRoute = (exchange: Exchange, path: string): Answer => {
  const [kind, name = '', child, rest] = path.split('/').map(decodeURIComponent);
  const { state, request } = exchange;
  if (request.method !== 'GET' || rest !== undefined || name === '') return missing(exchange);
  if (kind === 'project' && child === undefined) return getProject(exchange, name);
  if (kind !== 'issue') return missing(exchange);
  switch (child) {
    case undefined:
      return getIssue(exchange, name);
    case 'comment':
      return getComments(exchange, name);
    case 'worklog':
      return getWorklogs(exchange, name);
    case 'changelog':
      return state.flavour === 'cloud' ? getChangelog(exchange, name) : missing(exchange);
    default:
      return missing(exchange);
  }
};

/** Answers a request whose sender is known. */
export const route = (exchange: Exchange): Answer => {
  const { state, request } = exchange;
  if (request.route === '/_edge/tenant_info')
    return json({ cloudId: state.options.cloudId ?? '11111111-2222' });
  const match = /^\/rest\/api\/(2|3|latest)\/(.+?)\/?$/.exec(request.route);
  if (match === null || (state.flavour === 'datacenter' && match[1] === '3'))
    return match === null ? html(404, 'Not Found', 'Oops, you&#39;ve found a dead link.') : missing(exchange);
  const path = match[2] ?? '';
  try {
    if (path === 'search' && BOTH.includes(request.method))
      return state.flavour === 'cloud' ? searchIsGone() : searchDataCenter(exchange);
    const fixed = Object.hasOwn(FIXED, path) ? FIXED[path] : undefined;
    if (fixed === undefined || (fixed.only ?? state.flavour) !== state.flavour)
      return fixed === undefined ? itemRoute(exchange, path) : missing(exchange);
    if (fixed.methods.includes(request.method)) return fixed.answer(exchange);
    const detail = `Method '${request.method}' is not supported.`;
    return problem(405, 'Method Not Allowed', detail, request.route);
  } catch (error) {
    if (error instanceof Refusal) return error.answer;
    throw error;
  }
};
