import fc from 'fast-check';
import type { JsonObject } from '../../src/shared/json/value.ts';
import { DEFAULT_USER } from '../support/jira/state.ts';
import type { JiraOptions } from '../support/jira/state.ts';
import type { Jira } from '../support/jira/server.ts';
import { Site } from '../support/jira/site.ts';
import { runTap, type TapRun } from '../support/run-tap.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const MOST_ISSUES = 40;

/** Something that happens to the site between two requests. `pick` chooses an issue. */
export type Event = {
  readonly kind: 'edit' | 'create' | 'move' | 'remove' | 'hide' | 'burst' | 'pause';
  readonly pick: number;
  readonly advanceMs: number;
  readonly delayed: boolean;
};

/** A history of one small site and of the runs that read it. */
export type Scenario = {
  readonly flavour: 'cloud' | 'datacenter';
  readonly zone: string;
  readonly jqlTime: 'epoch_ms' | 'user_time_zone';
  readonly start: number;
  /** Milliseconds between the creations of the first issues. */
  readonly gaps: readonly number[];
  readonly searchRows: number;
  readonly pageSize: number;
  readonly pagesPerCommit: number;
  readonly lag: 'stale' | 'dirty';
  readonly lagMs: number;
  readonly overlapMinutes: number;
  readonly events: readonly Event[];
  /** After how many messages each run crashes; 0: it does not. */
  readonly crashes: readonly number[];
  readonly faults: readonly number[];
};

const ZONES = [
  'Asia/Kathmandu',
  'America/St_Johns',
  'Australia/Lord_Howe',
  'America/Sao_Paulo',
  'Etc/GMT+8',
  'Pacific/Kiritimati',
  'UTC',
  'America/New_York',
];

/** Instants around which clocks are put forward or back somewhere in `ZONES`, and one quiet day. */
const STARTS = [
  '2024-11-03T04:00:00Z',
  '2024-03-10T05:00:00Z',
  '2024-04-06T13:00:00Z',
  '2024-10-05T14:00:00Z',
  '2018-11-04T01:00:00Z',
  '2018-02-17T23:00:00Z',
  '2025-06-01T12:00:00Z',
].map((text) => Date.parse(text));

const event: fc.Arbitrary<Event> = fc.record({
  kind: fc.constantFrom('edit', 'edit', 'edit', 'edit', 'create', 'move', 'remove', 'hide', 'burst', 'pause'),
  pick: fc.nat(),
  advanceMs: fc.oneof(
    fc.constantFrom(1, 7),
    fc.integer({ min: 0, max: 5000 }),
    fc.integer({ min: 0, max: 10 * MINUTE }),
  ),
  delayed: fc.boolean(),
});

export const scenario: fc.Arbitrary<Scenario> = fc.record({
  flavour: fc.constantFrom('cloud', 'datacenter'),
  zone: fc.constantFrom(...ZONES),
  jqlTime: fc.constantFrom('epoch_ms', 'user_time_zone'),
  start: fc.constantFrom(...STARTS),
  gaps: fc.array(
    fc.oneof(
      fc.constant(0),
      fc.constant(1),
      fc.integer({ min: 0, max: 20_000 }),
      fc.integer({ min: 0, max: 2 * HOUR }),
    ),
    { minLength: 1, maxLength: 25 },
  ),
  searchRows: fc.integer({ min: 1, max: 9 }),
  pageSize: fc.integer({ min: 1, max: 7 }),
  pagesPerCommit: fc.integer({ min: 1, max: 3 }),
  lag: fc.constantFrom('stale', 'dirty'),
  lagMs: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 4 * MINUTE })),
  overlapMinutes: fc.integer({ min: 5, max: 30 }),
  events: fc.array(event, { maxLength: 25 }),
  crashes: fc.array(fc.integer({ min: 0, max: 30 }), { minLength: 1, maxLength: 4 }),
  faults: fc.array(fc.integer({ min: 0, max: 60 }), { maxLength: 3 }),
});

/** What reads the site: the tap, or something to compare it with. */
export type Reader = (
  config: JsonObject,
  options: { readonly state?: JsonObject; readonly crashAfter?: number },
) => Promise<TapRun>;

/**
 * Lets the history happen: the events between the requests of several runs, some of which crash and are run again
 * from their last STATE, then a quiet run after the index has caught up. Returns what is wrong in the lake: for
 * every issue that can still be seen, the newest version emitted has to be the one Jira has.
 */
export async function play(
  jira: Jira,
  scenario: Scenario,
  read: Reader = runTap,
): Promise<readonly string[]> {
  const { flavour } = scenario;
  let now = scenario.start;
  let delayed = false;
  const site = new Site({
    now: () => now,
    projects: ['AND', 'B2'],
    lag: scenario.lag,
    indexDelay: () => (delayed ? scenario.lagMs : 0),
  });
  for (const [i, gap] of scenario.gaps.entries()) {
    now += gap;
    site.create(i % 3 === 2 ? 'B2' : 'AND', { summary: `issue ${i}` });
  }
  let quiet = false;
  let step = 0;
  let requests = 0;
  jira.use({
    ...server(scenario, site),
    onRequest: () => {
      now += 1;
      if (!quiet && scenario.events.length > 0)
        apply(site, scenario.events[step++ % scenario.events.length]!, (ms, isDelayed) => {
          now += ms;
          delayed = isDelayed;
        });
    },
    respond: () => (scenario.faults.includes(++requests) ? faultOf(requests) : undefined),
  });
  const config: JsonObject = {
    base_url: jira.url,
    credentials:
      flavour === 'cloud'
        ? { auth_type: 'api_token', email: DEFAULT_USER.email!, api_token: DEFAULT_USER.apiToken! }
        : { auth_type: 'personal_access_token', token: DEFAULT_USER.token! },
    projects: ['AND', 'B2'],
    jql_time: scenario.jqlTime,
    overlap_minutes: scenario.overlapMinutes,
    page_size: scenario.pageSize,
    pages_per_commit: scenario.pagesPerCommit,
    concurrency: 3,
  };
  const lake = new Map<string, string>();
  let state: JsonObject = {};
  const keep = (run: TapRun): void => {
    state = run.state;
    for (const { record } of run.records) {
      const { id, updated } = record as { id: string; updated: string };
      if ((lake.get(id) ?? '') <= updated) lake.set(id, updated);
    }
  };
  for (const crash of scenario.crashes) {
    const run = await read(config, { state, ...(crash === 0 ? {} : { crashAfter: crash }) });
    keep(run);
    if (run.error !== undefined) return [`a run failed: ${run.error.message}`];
  }
  quiet = true;
  now += scenario.lagMs + MINUTE;
  site.reindex();
  const last = await read(config, { state });
  keep(last);
  if (last.error !== undefined) return [`the quiet run failed: ${last.error.message}`];
  return [...site.all()]
    .filter(({ id }) => !site.hidden.has(id))
    .filter(({ id, updated }) => lake.get(id) !== new Date(updated).toISOString())
    .map(
      ({ id, key, updated }) =>
        `${key} (${id}): Jira has ${new Date(updated).toISOString()}, the lake ${lake.get(id) ?? 'nothing'}`,
    );
}

function server({ flavour, zone, searchRows }: Scenario, site: Site): JiraOptions {
  return {
    flavour,
    site,
    record: false,
    users: [{ ...DEFAULT_USER, timeZone: zone }],
    ...(flavour === 'cloud'
      ? { quirks: { pageRows: (asked) => Math.min(asked, searchRows), emptyPageEvery: 5 } }
      : { maxResultsCap: searchRows }),
  };
}

function faultOf(n: number): ReturnType<NonNullable<JiraOptions['respond']>> {
  const faults = [
    { status: 503, headers: { 'Retry-After': '1' } },
    { drop: true },
    { status: 502, body: '<html></html>' },
    { truncate: 0.5 },
    { cut: 0.5 },
  ] as const;
  return faults[n % faults.length];
}

function apply(
  site: Site,
  { kind, pick, advanceMs, delayed }: Event,
  advance: (ms: number, delayed: boolean) => void,
): void {
  advance(advanceMs, delayed);
  const ids = [...site.all()].map(({ id }) => id);
  const id = ids[pick % Math.max(1, ids.length)];
  // A site that grew with every request would make long histories of no new kind.
  if ((kind === 'create' && ids.length < MOST_ISSUES) || id === undefined) {
    site.create(pick % 2 === 0 ? 'AND' : 'B2');
    return;
  }
  const issue = site.get(id)!;
  switch (kind) {
    case 'edit':
      site.edit(id, { summary: `edited ${pick}` });
      break;
    case 'move':
      site.move(id, issue.projectKey === 'AND' ? 'B2' : 'AND');
      break;
    case 'remove':
      if (ids.length > 3) site.remove(id);
      break;
    case 'hide':
      if (ids.length > 3) site.hide(id);
      break;
    case 'burst':
      for (let i = 0; i < 10; i++) site.edit(ids[(pick + i) % ids.length]!, { summary: `burst ${pick}` });
      break;
    case 'create':
    case 'pause':
      break;
    default:
      kind satisfies never;
  }
}
