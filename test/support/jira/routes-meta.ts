import { accountOf, loginRequired } from './auth.ts';
import { errorMessages, json } from './http.ts';
import type { Answer } from './http.ts';
import type { Project } from './model.ts';
import { queryNumber } from './parameters.ts';
import type { Exchange } from './state.ts';
import { formatInstant } from './time-zone.ts';

/** What the server says of itself, to anybody. */
export const serverInfo = ({ state, now }: Exchange): Answer => {
  const cloud = state.flavour === 'cloud';
  const version = state.options.version ?? (cloud ? '1001.0.0-SNAPSHOT' : '10.3.2');
  const zone = state.zoneOf(undefined);
  return json({
    baseUrl: state.base,
    version,
    versionNumbers: version.split('.').map((part) => Number.parseInt(part, 10)),
    deploymentType: cloud ? 'Cloud' : 'Server',
    buildNumber: cloud ? 100_290 : 10_030_002,
    buildDate: '2026-09-01T00:00:00.000+0000',
    serverTime: formatInstant(now, zone),
    ...(cloud && { serverTimeZone: zone }),
    scmInfo: '1f51473f5c7b75c1a69a0090f4832cdc5053702a',
    serverTitle: 'Jira',
  });
};

/** Who is logged in; refused when nobody is. */
export const myself = ({ state, request, user, view }: Exchange): Answer => {
  if (user === undefined) return loginRequired(state, request);
  const person = state.site.people.get(user.name);
  const common = {
    emailAddress: user.email ?? person?.email ?? '',
    displayName: user.displayName ?? person?.displayName ?? user.name,
    active: true,
    timeZone: view.zone,
    locale: 'en_US',
  };
  const self = `${view.base}/rest/api/${view.api}/user?`;
  if (state.flavour === 'datacenter') {
    const key = person?.key ?? user.name;
    return json({ self: `${self}username=${user.name}`, key, name: user.name, ...common });
  }
  const accountId = accountOf(state, user);
  return json({ self: `${self}accountId=${accountId}`, accountId, accountType: 'atlassian', ...common });
};

const projectJson = ({ view }: Exchange, { id, key, name, archived }: Project): object => ({
  expand: 'description,lead,issueTypes,url,projectKeys,permissions,insight',
  self: `${view.base}/rest/api/${view.api}/project/${id}`,
  id,
  key,
  name,
  projectTypeKey: 'software',
  ...(view.flavour === 'cloud' && { simplified: false, style: 'classic', isPrivate: false, properties: {} }),
  ...(archived && { archived }),
});

const listed = ({ state, sees }: Exchange): Project[] =>
  [...state.site.projects.values()]
    .filter((project) => !project.archived && sees(project.key))
    .sort((a, b) => (a.key < b.key ? -1 : 1));

/** Every project that the user may browse. */
export const listProjects = (exchange: Exchange): Answer =>
  json(listed(exchange).map((project) => projectJson(exchange, project)));

/** The same in pages. */
export const searchProjects = (exchange: Exchange): Answer => {
  const { request, view } = exchange;
  const keys = request.query.getAll('keys');
  const query = (request.query.get('query') ?? '').toLowerCase();
  const all = listed(exchange).filter(
    ({ key, name }) =>
      (keys.length === 0 || keys.includes(key)) && `${key}\n${name}`.toLowerCase().includes(query),
  );
  const startAt = Math.max(0, queryNumber(request, 'startAt', 0));
  const maxResults = Math.min(50, Math.max(1, queryNumber(request, 'maxResults', 50)));
  const isLast = startAt + maxResults >= all.length;
  const self = `${view.base}/rest/api/${view.api}/project/search?maxResults=${maxResults}&startAt=`;
  const values = all.slice(startAt, startAt + maxResults).map((project) => projectJson(exchange, project));
  const next = isLast ? {} : { nextPage: `${self}${startAt + maxResults}` };
  return json({ self: `${self}${startAt}`, ...next, maxResults, startAt, total: all.length, isLast, values });
};

/** One project, by id or by present or former key. */
export const getProject = (exchange: Exchange, idOrKey: string): Answer => {
  const project = exchange.state.site.findProject(idOrKey);
  if (project === undefined || !exchange.sees(project.key))
    return errorMessages(404, `No project could be found with key '${idOrKey}'.`);
  return json(projectJson(exchange, project));
};

/** The fields that issues have, with their names. */
export const listFields = ({ state }: Exchange): Answer =>
  json(
    [...state.site.fieldNames].map(([id, name]) => ({
      id,
      ...(state.flavour === 'cloud' && { key: id }),
      name,
      custom: id.startsWith('customfield_'),
      orderable: true,
      navigable: true,
      searchable: true,
      clauseNames: [id.replace(/^customfield_(\d+)$/, 'cf[$1]')],
      schema: {
        type: 'string',
        ...(id.startsWith('customfield_') ? { customId: Number(id.slice(12)) } : { system: id }),
      },
    })),
  );
