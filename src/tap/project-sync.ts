import { mapConcurrent, readAhead } from '../shared/async.ts';
import type { Clock } from '../shared/clock.ts';
import { systemError } from '../shared/errors.ts';
import type { Log } from '../shared/log.ts';
import { fetchBodies, type Bodies, type BodiesOptions } from './bodies.ts';
import type { Client } from './client.ts';
import { MINUTE_MS, type JqlTimes } from './jql-time.ts';
import { projectCondition } from './jql.ts';
import { emptyTally, type Progress, type Tally } from './progress.ts';
import { cloudSearch, dataCenterSearch, type Row, type Search, type SearchOptions } from './search.ts';
import { expectVisible, type Flavour, type Project } from './site.ts';
import { RecentVersions, type ProjectState } from './state.ts';
import type { SelectedStream } from './streams.ts';
import { walk } from './walk.ts';

/** The settings of a pass over a project, defaults filled in. */
export type SyncSettings = {
  readonly flavour: Flavour;
  readonly startDate: number | undefined;
  readonly jql: string | undefined;
  readonly fields: readonly string[];
  readonly roundMs: number;
  readonly overlapMs: number;
  readonly times: JqlTimes;
  readonly pageSize: number;
  readonly pagesPerCommit: number;
  readonly concurrency: number;
};

export type SyncContext = {
  readonly client: Client;
  readonly settings: SyncSettings;
  readonly clock: Clock;
  readonly log: Log;
  readonly progress: Progress;
  /** How many pages this pass may hold in memory, now that others run beside it. */
  readonly pagesAhead: () => number;
};

/** The records of a page of issues, by stream, in the order of the walk. */
export type StreamRecords = { readonly stream: SelectedStream; readonly records: Iterable<Uint8Array> };

/** What a page gave, and the state that covers it and everything before it, if there is one. */
export type Step = { readonly page: readonly StreamRecords[]; readonly state?: ProjectState };

/** What one pass reads: a project, for the streams that have come equally far in it. */
export type Pass = {
  /** The project's key, and the streams if the project takes several passes. */
  readonly label: string;
  readonly project: Project;
  readonly streams: readonly SelectedStream[];
  readonly state: ProjectState;
  /** The end of the bulk load that this pass goes on from, in the same run. */
  readonly follows?: ProjectState;
};

/** Index lag that is counted with even when no overlap is asked for. */
const LEAST_LAG_MS = 5 * MINUTE_MS;

/**
 * One pass over a project (several streams at once). With `lastIngest` it is incremental, and its last step
 * carries the new one: the server's time at the start, rounded down. Without, it is a bulk load in the order of
 * creation, of the issues that were not updated since it began: so an issue can leave its query but never come
 * back into it, whatever is edited or moved meanwhile. It yields a state to resume from every `pagesPerCommit`
 * pages, and goes on with an incremental pass over what was updated since.
 */
export async function* syncProject(
  context: SyncContext,
  pass: Pass,
  tally: Tally = emptyTally(),
): AsyncGenerator<Step> {
  const { project, streams, state } = pass;
  const { client, settings, log } = context;
  const { overlapMs, roundMs } = settings;
  const now = client.serverNow();
  const incremental = state.lastIngest !== undefined;
  // A bulk load ends at an instant that JQL can name, which may be an hour earlier where clocks are put back.
  const asOf = incremental ? now : settings.times.atMost(state.bulk?.asOf ?? now).ms;
  if (incremental && state.lastIngest > now)
    log.warning(
      `project ${project.key}: last_ingest_date lies in the future; it is set back to the server's time`,
    );

  const rounded = Math.floor(asOf / roundMs) * roundMs;
  const nextIngest = incremental && state.lastIngest <= asOf ? Math.max(rounded, state.lastIngest) : rounded;
  const recent = new RecentVersions(state.recent, nextIngest - overlapMs);
  const unread = new Set(pass.follows?.unread);
  // A last answer that shows nothing where something was to be expected may mean that the project has gone away.
  let shown = false;

  const rows = walk({
    search: countingSearch(context, pass, asOf, (count) => {
      shown = count > 0;
    }),
    times: settings.times,
    ...lowerBound(state, overlapMs),
    asOf: now,
    now: client.serverNow,
    settledBefore: incremental ? now - Math.max(overlapMs, LEAST_LAG_MS) : Infinity,
  });
  const what = `reading issues of project ${project.key}`;
  const bodies: BodiesOptions = { client, flavour: settings.flavour, what, ...fieldsFor(settings, streams) };
  const batches = batched(readAhead(rows), settings.pageSize, pass, tally);
  const pages = mapConcurrent(batches, context.pagesAhead, async (batch) => {
    const found = await fetchBodies(bodies, batch);
    const page = streams.map(async (stream) => ({
      stream,
      records: await stream.records(found.issues, bodies),
    }));
    return { batch, ...found, page: await Promise.all(page) };
  });

  let pagesRead = 0;
  for await (const { batch, page, issues, gone, unread: failed } of pages) {
    account(context, pass, tally, { issues, gone, unread: failed });
    for (const { id, updated } of issues) {
      if (updated !== undefined && isSettled(updated, client)) recent.add(id, updated);
    }
    for (const { id } of failed) unread.add(id);
    const createdFrom = batch.at(-1)?.at;
    const commit = !incremental && ++pagesRead % settings.pagesPerCommit === 0 && createdFrom !== undefined;
    yield {
      page,
      ...(commit
        ? { state: { bulk: { asOf, createdFrom }, recent: state.recent, unread: [...unread] } }
        : {}),
    };
  }
  // Also when there was nothing to fetch: what is unchanged counts.
  context.progress.counted(pass.label, tally);
  if (tally.named !== tally.emitted + tally.unchanged + tally.gone + tally.unread) {
    throw systemError(
      `project ${project.key}: the query named ${tally.named} issues, of which only ${JSON.stringify(tally)} are accounted for`,
    );
  }
  // Data Center refuses to search a project that is not there; Cloud shows nothing of it.
  const expected = settings.flavour === 'cloud' || !incremental || recent.size > 0 || tally.named > 0;
  if (!shown && expected) await expectVisible(client, settings.flavour, project.key);
  const end: ProjectState = {
    lastIngest: nextIngest,
    recent: recent.newest(),
    unread: [...unread],
  };
  yield { page: [], state: end };
  if (!incremental)
    yield* syncProject(context, { ...pass, state: { ...end, unread: [] }, follows: end }, tally);
}

/** What to ask for with the issues: the user's fields, and what the streams need beside them. */
function fieldsFor(
  settings: SyncSettings,
  streams: readonly SelectedStream[],
): { readonly fields: readonly string[]; readonly expand: readonly string[] } {
  const needed = settings.fields.includes('*all') ? [] : streams.flatMap((stream) => stream.fields);
  const expand =
    settings.flavour === 'datacenter' ? streams.flatMap((stream) => stream.dataCenterExpand) : [];
  return { fields: [...new Set([...settings.fields, ...needed])], expand };
}

function lowerBound(state: ProjectState, overlapMs: number): { readonly from?: number } {
  if (state.lastIngest !== undefined) return { from: state.lastIngest - overlapMs };
  return state.bulk?.createdFrom === undefined ? {} : { from: state.bulk.createdFrom };
}

/** The search of a pass; it tells the progress how many issues to expect as soon as an answer does. */
function countingSearch(
  { client, settings, progress }: SyncContext,
  { project, label, state }: Pass,
  asOf: number,
  onRows: (count: number) => void,
): Search {
  const incremental = state.lastIngest !== undefined;
  const options: SearchOptions = {
    client,
    times: settings.times,
    condition: projectCondition(
      project.key,
      settings.jql,
      settings.times,
      incremental ? {} : { since: settings.startDate, until: asOf },
    ),
    field: incremental ? 'updated' : 'created',
    what: `searching project ${project.key}`,
  };
  const search = settings.flavour === 'cloud' ? cloudSearch(options) : dataCenterSearch(options);
  let told = false;
  return async function* pages(window) {
    for await (const page of search(window)) {
      if (!told) progress.started(label, page.total ?? (page.last ? page.rows.length : undefined));
      told = true;
      onRows(page.rows.length);
      yield page;
    }
  };
}

/**
 * Regroups the rows of the walk into pages for the body requests, without those whose version has been emitted.
 * Issues that an earlier run could not read come first.
 */
async function* batched(
  blocks: AsyncGenerator<readonly Row[]>,
  size: number,
  { state, follows }: Pass,
  tally: Tally,
): AsyncGenerator<readonly Row[]> {
  let rows: Row[] = state.unread.map((id) => ({ id, at: undefined, updated: undefined }));
  tally.named += rows.length;
  for await (const block of blocks) {
    for (const row of block) {
      const known = row.updated !== undefined && state.recent.get(row.id) === row.updated;
      // What the bulk load of this very run emitted has been counted there.
      if (known && follows !== undefined) continue;
      tally.named++;
      if (known) tally.unchanged++;
      else rows.push(row);
      if (rows.length < size) continue;
      yield rows;
      rows = [];
    }
  }
  if (rows.length > 0) yield rows;
}

function account(
  { log, progress }: SyncContext,
  { project, label }: Pass,
  tally: Tally,
  { issues, gone, unread }: Bodies,
): void {
  tally.emitted += issues.length;
  tally.gone += gone.length;
  tally.unread += unread.length;
  for (const { id, reason } of gone)
    log.info(`project ${project.key}: issue ${id} is gone: ${reason}`, { stream: 'issues' });
  for (const { id, reason } of unread) {
    log.error(
      `project ${project.key}: issue ${id} cannot be read and will be asked for again by the next run: ${reason}`,
      { stream: 'issues' },
    );
  }
  progress.counted(label, tally);
}

/**
 * False for a version that may still change without showing it: where Jira keeps whole seconds only, a second
 * edit inside the second of the first one has the same `updated`.
 */
function isSettled(updated: number, client: Client): boolean {
  return updated % 1000 !== 0 || updated + 1000 <= client.serverNow();
}
