import { Site, type SiteOptions } from '../../support/jira/site.ts';
import type { RecordedRequest } from '../../support/jira/server.ts';
import type { TapRun } from '../../support/run-tap.ts';

export const MINUTE = 60_000;

/** The server's present in most tests. */
export const NOW = Date.parse('2026-11-23T10:00:30.123Z');

/** A site of one project with issues so many milliseconds apart, the last one so long before `NOW`. */
export function siteOf(count: number, apart = MINUTE, options: SiteOptions = {}): Site {
  const site = new Site({ now: () => NOW, projects: ['ABC'], ...options });
  for (let i = 0; i < count; i++)
    site.create('ABC', { summary: `issue ${i}` }, { created: NOW - 10 * MINUTE - (count - i) * apart });
  return site;
}

/** The ids of the issues that a run emitted, in the order in which they came. */
export function idsOf(run: TapRun, stream = 'issues'): string[] {
  return run.records.filter((item) => item.stream === stream).map(({ record }) => String(record['id']));
}

/** The ids of all issues of a site, sorted. */
export function allIds(site: Site): string[] {
  return [...site.all()].map(({ id }) => id).toSorted();
}

/** The newest version that some runs emitted of each issue: what a lake holds. */
export function lakeOf(...runs: readonly TapRun[]): Map<string, string> {
  const lake = new Map<string, string>();
  for (const { stream, record } of runs.flatMap(({ records }) => records)) {
    const { id, updated } = record as { readonly id: string; readonly updated: string };
    if (stream === 'issues' && (lake.get(id) ?? '') <= updated) lake.set(id, updated);
  }
  return lake;
}

/** What Jira has: the same for each issue that can be seen. */
export function truthOf(site: Site): Map<string, string> {
  const visible = [...site.all()].filter(({ id }) => !site.hidden.has(id));
  return new Map(visible.map(({ id, updated }) => [id, new Date(updated).toISOString()]));
}

/** The JQL of every search among some requests. */
export function jqlOf(requests: readonly RecordedRequest[]): string[] {
  return requests.flatMap(({ path, body }) =>
    /\/search(\/jql)?$/.test(path) ? [(JSON.parse(body) as { jql: string }).jql] : [],
  );
}

/** True for a request that names issues, false for one that fetches their bodies. */
export function isCensus({ path, body }: { readonly path: string; readonly body: string }): boolean {
  return /\/search(\/jql)?$/.test(path) && !body.includes('id in (');
}

/** True for a request that fetches the bodies of several issues. */
export function isBodies({ path, body }: { readonly path: string; readonly body: string }): boolean {
  return path.endsWith('/issue/bulkfetch') || (path.endsWith('/search') && body.includes('id in ('));
}

/** The ids that a request for bodies asks for. */
export function askedIds({ path, body }: { readonly path: string; readonly body: string }): string[] {
  const parsed = JSON.parse(body) as { jql?: string; issueIdsOrKeys?: string[] };
  if (path.endsWith('/bulkfetch')) return parsed.issueIdsOrKeys ?? [];
  return /id in \(([\d,]*)\)/.exec(parsed.jql ?? '')?.[1]?.split(',') ?? [];
}

/** A project's part of the state of a stream. */
export function projectState(run: TapRun, key = 'ABC', stream = 'issues'): Record<string, unknown> {
  const { bookmarks } = run.state as unknown as {
    bookmarks?: Record<string, { projects: Record<string, Record<string, unknown>> }>;
  };
  return bookmarks?.[stream]?.projects[key] ?? {};
}

/** A state as a person would write it. */
export function stateFrom(
  lastIngestDate: string,
  key = 'ABC',
): { bookmarks: object } & Record<string, never> {
  return { bookmarks: { issues: { projects: { [key]: { last_ingest_date: lastIngestDate } } } } } as never;
}
