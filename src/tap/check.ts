import type { Clock } from '../shared/clock.ts';
import { describe, toConnectorError, type ErrorKind } from '../shared/errors.ts';
import { allowanceOf } from '../shared/http/pace.ts';
import type { Log } from '../shared/log.ts';
import { fetchBodies } from './bodies.ts';
import type { Client } from './client.ts';
import type { Config } from './config.ts';
import { projectCondition } from './jql.ts';
import { settingsFor } from './run.ts';
import { cloudSearch, dataCenterSearch, type Row, type SearchOptions } from './search.ts';
import { connect, resolveProjects, type Project, type Site } from './site.ts';
import type { SelectedStream } from './streams.ts';

/** One thing that was looked at. A warning does not keep a run from working. */
export type Finding = {
  readonly verdict: 'ok' | 'warning' | 'failed';
  readonly about: string;
  readonly text: string;
  /** Who has to act on a failure. */
  readonly kind?: ErrorKind;
};

export type CheckOptions = {
  readonly client: Client;
  readonly config: Config;
  readonly streams: readonly SelectedStream[];
  readonly clock: Clock;
  readonly log: Log;
};

const WORRYING_SKEW_MS = 60_000;
const OAUTH_WINDOW_MS = 5 * 60_000;

/**
 * Looks at everything a run needs, from the address to each project and stream, and yields what it finds. What
 * is wrong is a finding that says what to do; nothing is thrown but a signal's reason.
 */
export async function* check(options: CheckOptions): AsyncGenerator<Finding> {
  const { client, config, clock, log } = options;
  const started = clock.elapsed();
  let site: Site;
  try {
    site = await connect(client, clock.now);
  } catch (error) {
    yield failed('login', error);
    return;
  }
  const kind = site.flavour === 'cloud' ? 'Jira Cloud' : `Jira Data Center ${site.version}`;
  yield ok(
    'address',
    `${client.baseUrl} is ${kind}, ${Math.round(clock.elapsed() - started)} ms for two requests`,
  );
  yield ok('login', `logged in as ${site.user}`);
  yield clockFinding(site.clockSkewMs);
  yield ok(
    'time zone',
    site.timeZone === undefined
      ? 'Jira does not tell it; JQL uses instants'
      : `${site.timeZone}; JQL uses ${config.jql_time}`,
  );

  let projects: readonly Project[] = [];
  try {
    const resolved = await resolveProjects(client, site.flavour, config.projects, log);
    projects = resolved.projects;
    if (config.projects === undefined) yield ok('projects', `${projects.length} can be browsed`);
    for (const { error } of resolved.unknown) yield failed('project', error);
  } catch (error) {
    yield failed('projects', error);
  }
  let sample: Row | undefined;
  for (const project of config.projects === undefined ? projects.slice(0, 1) : projects) {
    try {
      const rows = await firstRows(options, site, project);
      sample ??= rows[0];
      yield ok(
        'project',
        `${project.key} can be searched${rows.length === 0 ? ', and has no such issue' : ''}`,
      );
    } catch (error) {
      yield failed(`project ${project.key}`, error);
    }
  }
  if (sample !== undefined) yield* streamFindings(options, site, sample);
  yield await rateFinding(options);
}

async function firstRows(
  { client, config }: CheckOptions,
  site: Site,
  project: Project,
): Promise<readonly Row[]> {
  const { times, startDate } = settingsFor(config, site);
  const search: SearchOptions = {
    client,
    times,
    condition: projectCondition(project.key, config.jql, times, { since: startDate }),
    field: 'updated',
    what: `searching project ${project.key}`,
  };
  for await (const { rows } of site.flavour === 'cloud'
    ? cloudSearch(search)({})
    : dataCenterSearch(search)({}))
    return rows;
  return [];
}

async function* streamFindings(
  { client, config, streams }: CheckOptions,
  site: Site,
  row: Row,
): AsyncGenerator<Finding> {
  const { flavour } = site;
  const { fields } = settingsFor(config, site);
  for (const stream of streams) {
    const expand = flavour === 'datacenter' ? stream.dataCenterExpand : [];
    const context = {
      client,
      flavour,
      what: `reading stream ${stream.name}`,
      fields: [...fields, ...stream.fields],
      expand,
    };
    try {
      const { issues } = await fetchBodies(context, [row]);
      const records = await stream.records(issues, context);
      yield ok('stream', `${stream.name} can be read (${[...records].length} records of issue ${row.id})`);
    } catch (error) {
      yield failed(`stream ${stream.name}`, error);
    }
  }
}

function clockFinding(skewMs: number | undefined): Finding {
  if (skewMs === undefined) return ok('clock', 'Jira does not tell its time');
  const seconds = Math.round(Math.abs(skewMs) / 1000);
  const text = `Jira's clock is ${seconds} s ${skewMs < 0 ? 'behind' : 'ahead of'} this machine's`;
  if (seconds * 1000 < WORRYING_SKEW_MS) return ok('clock', text);
  const advice = seconds * 1000 < OAUTH_WINDOW_MS ? '' : '; OAuth 1.0a refuses more than 5 minutes';
  return {
    verdict: 'warning',
    about: 'clock',
    text: `${text}; windows follow Jira's clock, yet set one of them right${advice}`,
  };
}

async function rateFinding({ client, clock }: CheckOptions): Promise<Finding> {
  try {
    const { headers } = await client.get('/rest/api/2/myself', {}, { what: 'looking at the rate limit' });
    const allowance = allowanceOf(headers, clock.now());
    if (allowance === undefined) return ok('rate limit', 'none announced');
    return ok(
      'rate limit',
      `${allowance.remaining} of ${allowance.limit} requests left, one more every ${Math.round(allowance.refillMs)} ms`,
    );
  } catch (error) {
    return failed('rate limit', error);
  }
}

function ok(about: string, text: string): Finding {
  return { verdict: 'ok', about, text };
}

function failed(about: string, error: unknown): Finding {
  const { kind } = toConnectorError(error);
  return { verdict: 'failed', about, text: describe(error), kind };
}
