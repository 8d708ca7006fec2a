import { configError } from '../shared/errors.ts';
import { isObject, type JsonObject } from '../shared/json/value.ts';
import type { Log } from '../shared/log.ts';
import { json, type Client } from './client.ts';
import { parseJiraDate } from './jira-date.ts';

export type Flavour = 'cloud' | 'datacenter';

/** Which Jira answers, and who it thinks is asking. */
export type Site = {
  readonly flavour: Flavour;
  readonly version: string;
  readonly user: string;
  /** IANA name, from the user's profile. */
  readonly timeZone: string | undefined;
  /** Server clock minus this machine's, ms; undefined when the server does not tell its time. */
  readonly clockSkewMs: number | undefined;
};

/**
 * Makes sure who is asking before anything else is read: with wrong credentials many a Jira answers a search
 * with 200 and nothing in it. Then finds out which Jira it is. Throws `AUTH`, `CONNECT` or `NOT_JIRA`.
 */
export async function connect(client: Client, now: () => number): Promise<Site> {
  const login = await client.get('/rest/api/2/myself', {}, { what: 'logging in', accept: [404] });
  if (login.status === 404) {
    throw configError(
      `logging in: there is no Jira at ${client.baseUrl} (404); check base_url, context path included`,
      { code: 'NOT_JIRA' },
    );
  }
  const me = json(login);
  if (
    !isObject(me) ||
    (me['accountId'] === undefined && me['name'] === undefined && me['key'] === undefined)
  ) {
    throw configError(`logging in: ${client.baseUrl} does not say who the user is; check base_url`, {
      code: 'NOT_JIRA',
    });
  }
  const info = json(await client.get('/rest/api/2/serverInfo', {}, { what: 'asking for the kind of Jira' }));
  if (!isObject(info))
    throw configError(`${client.baseUrl} does not answer like Jira; check base_url`, { code: 'NOT_JIRA' });
  const serverTime = parseJiraDate(info['serverTime']);
  return {
    flavour: info['deploymentType'] === 'Cloud' ? 'cloud' : 'datacenter',
    version: typeof info['version'] === 'string' ? info['version'] : 'unknown',
    user:
      [me['displayName'], me['name'], me['accountId'], me['key']].find((name) => typeof name === 'string') ??
      'unknown',
    timeZone: typeof me['timeZone'] === 'string' ? me['timeZone'] : undefined,
    clockSkewMs: serverTime === undefined ? undefined : serverTime - now(),
  };
}

export type Project = { readonly id: string; readonly key: string };

/** A configured key that leads to no project, and why. */
export type UnknownProject = { readonly key: string; readonly error: Error };

/**
 * The projects to read: those configured, or all the user can browse. Every configured key is looked up, since a
 * search on Cloud answers a mistyped one with an empty list. Keys differ in case or are old: Jira's own is used.
 */
export async function resolveProjects(
  client: Client,
  flavour: Flavour,
  keys: readonly string[] | undefined,
  log: Log,
): Promise<{ readonly projects: readonly Project[]; readonly unknown: readonly UnknownProject[] }> {
  const visible = await listProjects(client, flavour);
  if (keys === undefined) {
    if (visible.length === 0)
      throw configError('the user can browse no project; check the permissions of the user', {
        code: 'FORBIDDEN',
      });
    return { projects: visible, unknown: [] };
  }
  const byKey = new Map(visible.map((project) => [project.key.toUpperCase(), project]));
  const projects = new Map<string, Project>();
  const unknown: UnknownProject[] = [];
  for (const key of new Set(keys.map((key) => key.trim()))) {
    const project = byKey.get(key.toUpperCase()) ?? (await lookUp(client, flavour, key));
    if (project === 'archived') {
      const error = configError(
        `project ${key}: is archived, so that its issues cannot be searched; restore it, or remove it from "projects"`,
        { code: 'UNKNOWN_PROJECT' },
      );
      unknown.push({ key, error });
    } else if (project === undefined) {
      const some = visible.slice(0, 10).map((project) => project.key);
      const list =
        some.length === 0 ? 'none' : `${some.join(', ')}${visible.length > some.length ? ', ...' : ''}`;
      const error = configError(
        `project ${key}: does not exist or this user may not browse it; correct "projects", or grant Browse Projects (visible: ${list})`,
        { code: 'UNKNOWN_PROJECT' },
      );
      unknown.push({ key, error });
    } else {
      if (project.key !== key) log.info(`project ${key} is called ${project.key} in Jira`);
      projects.set(project.key, project);
    }
  }
  return { projects: [...projects.values()], unknown };
}

async function lookUp(
  client: Client,
  flavour: Flavour,
  key: string,
): Promise<Project | 'archived' | undefined> {
  const answer = await client.get(
    `${api(flavour)}/project/${encodeURIComponent(key)}`,
    {},
    { what: `looking up project ${key}`, accept: [404] },
  );
  if (answer.status === 404) return undefined;
  const project = json(answer);
  return isObject(project) && project['archived'] === true ? 'archived' : projectOf(project);
}

/** Throws if a project that was visible at the start of a run is not any more: a search may answer with nothing. */
export async function expectVisible(client: Client, flavour: Flavour, key: string): Promise<void> {
  const found = await lookUp(client, flavour, key);
  if (typeof found === 'object') return;
  if (found === undefined && (await listProjects(client, flavour)).some((project) => project.key === key))
    return;
  throw configError(
    `project ${key}: ${found === 'archived' ? 'was archived' : 'cannot be browsed any more'} while it was read; restore it, or remove it from "projects"`,
    { code: 'UNKNOWN_PROJECT' },
  );
}

async function listProjects(client: Client, flavour: Flavour): Promise<readonly Project[]> {
  const what = 'listing the projects';
  if (flavour === 'datacenter') {
    const all = json(await client.get('/rest/api/2/project', {}, { what }));
    return Array.isArray(all) ? all.flatMap((value) => projectOf(value) ?? []) : [];
  }
  const found: Project[] = [];
  for (;;) {
    const query = { startAt: String(found.length), maxResults: '50' };
    const page = json(await client.get('/rest/api/3/project/search', query, { what }));
    const values: readonly unknown[] = isObject(page) && Array.isArray(page['values']) ? page['values'] : [];
    found.push(...values.flatMap((value) => projectOf(value) ?? []));
    if (values.length === 0 || !isObject(page) || page['isLast'] === true) return found;
  }
}

function projectOf(value: unknown): Project | undefined {
  const project: JsonObject = isObject(value) ? value : {};
  const { id, key } = project;
  return typeof key === 'string' && (typeof id === 'string' || typeof id === 'number')
    ? { id: String(id), key }
    : undefined;
}

function api(flavour: Flavour): string {
  return flavour === 'cloud' ? '/rest/api/3' : '/rest/api/2';
}
