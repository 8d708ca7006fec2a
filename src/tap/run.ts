import type { Clock } from '../shared/clock.ts';
import { configError } from '../shared/errors.ts';
import type { JsonObject } from '../shared/json/value.ts';
import type { Log } from '../shared/log.ts';
import type { Message } from '../protocol/message.ts';
import type { Config } from './config.ts';
import type { CredentialStore } from './credential-store.ts';
import { epochTimes, MINUTE_MS, zoneTimes, type JqlTimes } from './jql-time.ts';
import { openClient } from './open-client.ts';
import type { Progress } from './progress.ts';
import type { SyncSettings } from './project-sync.ts';
import { connect, resolveProjects, type Site } from './site.ts';
import type { SelectedStream } from './streams.ts';
import { sync } from './sync.ts';

export type RunOptions = {
  readonly config: Config;
  /** Where renewed credentials go; without it none are renewed. */
  readonly store?: CredentialStore;
  readonly streams: readonly SelectedStream[];
  readonly state: JsonObject;
  readonly stateSource: string;
  readonly clock: Clock;
  readonly log: Log;
  readonly progress: Progress;
  readonly signal: AbortSignal;
};

const DEFAULT_OVERLAP_MINUTES = { cloud: 720, datacenter: 5 } as const;
const CLOUD_PAGE_SIZE = 100;

/** Connects to Jira and yields the messages of one run; see `sync` for their order and for failures. */
export async function* run(options: RunOptions): AsyncGenerator<Message> {
  const { config, clock, log } = options;
  const { client, close } = await openClient(options);
  try {
    const site = await connect(client, clock.now);
    log.info(
      `${site.flavour === 'cloud' ? 'Jira Cloud' : `Jira ${site.version}`} at ${client.baseUrl} as ${site.user}`,
    );
    const { projects, unknown } = await resolveProjects(client, site.flavour, config.projects, log);
    const context = { client, settings: settingsFor(config, site), clock, log, progress: options.progress };
    const { streams, state, stateSource } = options;
    yield* sync({ context, projects, unknown, streams, state, stateSource });
  } finally {
    await close();
  }
}

/** The settings of a run with the defaults that depend on the kind of Jira. */
export function settingsFor(config: Config, site: Site): SyncSettings {
  const { flavour } = site;
  return {
    flavour,
    startDate: config.start_date === undefined ? undefined : Date.parse(config.start_date),
    jql: config.jql,
    fields: [...new Set([...config.fields, 'updated', 'created'])],
    roundMs: config.round_to === 'hour' ? 60 * MINUTE_MS : MINUTE_MS,
    overlapMs: (config.overlap_minutes ?? DEFAULT_OVERLAP_MINUTES[flavour]) * MINUTE_MS,
    times: timesFor(config, site),
    pageSize: flavour === 'cloud' ? Math.min(config.page_size, CLOUD_PAGE_SIZE) : config.page_size,
    pagesPerCommit: config.pages_per_commit,
    concurrency: config.concurrency,
  };
}

function timesFor(config: Config, site: Site): JqlTimes {
  if (config.jql_time === 'epoch_ms') return epochTimes;
  if (site.timeZone === undefined) {
    throw configError(
      'jql_time: Jira does not tell the time zone of this user; set one in the profile, or use epoch_ms',
      { code: 'CONFIG' },
    );
  }
  try {
    return zoneTimes(site.timeZone);
  } catch (cause) {
    throw configError(
      `jql_time: this program does not know the user's time zone ${site.timeZone}; use epoch_ms`,
      { code: 'CONFIG', cause },
    );
  }
}
