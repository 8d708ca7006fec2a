import { mergeConcurrent } from '../shared/async.ts';
import { ConnectorError, describe, toConnectorError, worstKind } from '../shared/errors.ts';
import type { JsonObject } from '../shared/json/value.ts';
import { Stopped } from '../shared/program.ts';
import type { Message } from '../protocol/message.ts';
import { SITE_CODES } from './jira-errors.ts';
import { emptyTally, type Tally } from './progress.ts';
import { syncProject, type Pass, type Step, type SyncContext } from './project-sync.ts';
import type { Project, UnknownProject } from './site.ts';
import { bookmarkOf, parseBookmark, renderBookmark, withBookmark, type ProjectState } from './state.ts';
import type { SelectedStream, StreamName } from './streams.ts';

export type SyncOptions = {
  readonly context: Omit<SyncContext, 'pagesAhead'>;
  readonly projects: readonly Project[];
  readonly unknown: readonly UnknownProject[];
  readonly streams: readonly SelectedStream[];
  /** The Singer state to begin with, and what it is called in errors. */
  readonly state: JsonObject;
  readonly stateSource: string;
};

const NEW_PROJECT: ProjectState = { recent: new Map(), unread: [] };
/** One page being emitted and one on its way, so that a pass does not stand still. */
const LEAST_PAGES_AHEAD = 2;
const LONGEST_SILENCE_MS = 10_000;

/**
 * Reads the projects, several at a time, and yields what a target needs: schemas, records, and states that cover
 * every record before them. A project that fails keeps its state while the others finish; then an error names
 * the failed ones. An error that concerns the whole site (login, host, limits), or a signal, ends the run at once.
 */
export async function* sync(options: SyncOptions): AsyncGenerator<Message> {
  const { projects, streams } = options;
  const { clock, log, settings } = options.context;
  for (const { name, schema, keyProperties, replicationKey } of streams) {
    yield {
      type: 'schema',
      stream: name,
      schema,
      keyProperties,
      ...(replicationKey === undefined ? {} : { bookmarkProperties: [replicationKey] }),
    };
  }
  const bookmarks = new Map(
    streams.map(({ name }) => {
      const bookmark = parseBookmark(
        bookmarkOf(options.state, name),
        `${options.stateSource}: bookmarks.${name}`,
      );
      // A key written by hand may differ in case from the one Jira gives.
      const keyOf = (key: string): string =>
        projects.find((project) => project.key.toUpperCase() === key.toUpperCase())?.key ?? key;
      return [name, new Map([...bookmark.projects].map(([key, state]) => [keyOf(key), state]))] as const;
    }),
  );
  const failed = new Map<string, Error>();
  for (const { key, error } of options.unknown) {
    failed.set(key, error);
    log.error(describe(error));
    options.context.progress.failed?.(
      streams.map(({ name }) => name),
      toConnectorError(error),
    );
  }
  const currentState = (): Message => {
    lastState = clock.elapsed();
    pendingState = false;
    let state = options.state;
    for (const [name, states] of bookmarks)
      state = withBookmark(state, name, renderBookmark({ projects: states }));
    return { type: 'state', state: Buffer.from(JSON.stringify(state)) };
  };
  let lastState = clock.elapsed();
  let pendingState = true;
  let uncovered = 0;
  const emitted = new Map(streams.map(({ name }) => [name, 0]));

  const passes = projects.flatMap((project) => passesOver(project, streams, bookmarks));
  let active = 0;
  const context: SyncContext = {
    ...options.context,
    pagesAhead: () => Math.max(LEAST_PAGES_AHEAD, Math.ceil(settings.concurrency / Math.max(1, active))),
  };
  const running = passes.map(
    (pass) =>
      async function* counted() {
        active++;
        yield* guarded(context, pass, failed);
        active--;
      },
  );
  try {
    for await (const { pass, page, state } of mergeConcurrent(running, settings.concurrency)) {
      const timeExtracted = new Date(clock.now()).toISOString();
      for (const { stream, records } of page) {
        for (const record of records) {
          uncovered++;
          emitted.set(stream.name, emitted.get(stream.name)! + 1);
          yield { type: 'record', stream: stream.name, record, timeExtracted };
        }
      }
      if (state === undefined) continue;
      for (const { name } of pass.streams) bookmarks.get(name)!.set(pass.project.key, state);
      pendingState = true;
      if (uncovered === 0 && clock.elapsed() - lastState < LONGEST_SILENCE_MS) continue;
      uncovered = 0;
      yield currentState();
    }
  } catch (error) {
    if (pendingState) yield currentState();
    throw error;
  }
  if (pendingState) yield currentState();
  options.context.progress.emitted?.(emitted);
  if (failed.size > 0) throw failure(failed, projects.length + options.unknown.length);
}

type Bookmarks = ReadonlyMap<StreamName, Map<string, ProjectState>>;

/**
 * The passes that a project takes: streams that have come equally far share one. A stream selected for the first
 * time is loaded whole by a pass of its own.
 */
function passesOver(project: Project, streams: readonly SelectedStream[], bookmarks: Bookmarks): Pass[] {
  const passes = new Map<string, { project: Project; streams: SelectedStream[]; state: ProjectState }>();
  for (const stream of streams) {
    const state = bookmarks.get(stream.name)!.get(project.key) ?? NEW_PROJECT;
    const position = JSON.stringify([state.lastIngest, state.bulk, state.unread]);
    const pass = passes.get(position);
    if (pass === undefined) passes.set(position, { project, streams: [stream], state });
    else {
      pass.streams.push(stream);
      pass.state = { ...pass.state, recent: knownToBoth(pass.state.recent, state.recent) };
    }
  }
  const label = ({ streams }: { readonly streams: readonly SelectedStream[] }): string =>
    passes.size === 1 ? project.key : `${project.key} (${streams.map(({ name }) => name).join(', ')})`;
  return [...passes.values()].map((pass) => ({ ...pass, label: label(pass) }));
}

/** Versions that both have emitted; usually the same ones. */
function knownToBoth(
  a: ReadonlyMap<string, number>,
  b: ReadonlyMap<string, number>,
): ReadonlyMap<string, number> {
  return new Map([...a].filter(([id, updated]) => b.get(id) === updated));
}

type PassStep = Step & { readonly pass: Pass };

/** A pass whose failure is kept for the end of the run, unless it concerns every project. */
async function* guarded(
  context: SyncContext,
  pass: Pass,
  failed: Map<string, Error>,
): AsyncGenerator<PassStep> {
  const { project, label } = pass;
  const { clock, log, progress } = context;
  const started = clock.elapsed();
  let tally: Readonly<Tally> = emptyTally();
  const watching: SyncContext = {
    ...context,
    progress: {
      ...progress,
      counted: (key, counts) => {
        tally = counts;
        progress.counted(key, counts);
      },
    },
  };
  const seconds = (): number => (clock.elapsed() - started) / 1000;
  const fail = (error: ConnectorError): void => {
    failed.set(project.key, error);
    progress.failed?.(
      pass.streams.map(({ name }) => name),
      error,
    );
  };
  try {
    for await (const step of syncProject(watching, pass)) yield { ...step, pass };
    if (tally.unread > 0) fail(unreadIssues(project, tally.unread));
    progress.finished(label, tally, seconds());
  } catch (thrown) {
    if (thrown instanceof Stopped) throw thrown;
    const error = toConnectorError(thrown);
    progress.finished(label, tally, seconds(), error);
    if (SITE_CODES.has(error.code ?? '')) throw error;
    fail(error);
    log.error(`project ${project.key} failed and keeps its state: ${describe(error)}`, { stream: 'issues' });
  }
}

function unreadIssues({ key }: Project, count: number): ConnectorError {
  return new ConnectorError(
    'transient',
    `project ${key}: ${count} issues cannot be read; the next run asks for them again`,
    { code: 'UNREAD' },
  );
}

function failure(failed: ReadonlyMap<string, Error>, total: number): ConnectorError {
  return new ConnectorError(
    worstKind([...failed.values()].map(toConnectorError)),
    `${failed.size} of ${total} projects failed (${[...failed.keys()].join(', ')})${failed.size === total ? '' : '; the others are complete'}`,
    {
      code: 'PROJECTS_FAILED',
    },
  );
}
