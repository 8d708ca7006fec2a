import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../src/shared/json/value.ts';
import {
  bookmarkOf,
  MAX_RECENT,
  parseBookmark,
  RecentVersions,
  renderBookmark,
  rfc3339,
  withBookmark,
  type ProjectState,
} from '../../src/tap/state.ts';
import { startJira } from '../support/jira/server.ts';
import { runTap } from '../support/run-tap.ts';
import { FLAVOURS, tapConfig } from '../support/tap-config.ts';
import { idsOf, MINUTE, NOW, projectState, siteOf, stateFrom } from './traps/setup.ts';

const instant = fc.integer({ min: 0, max: Date.UTC(9999, 0) });
const project: fc.Arbitrary<ProjectState> = fc
  .record({
    lastIngest: fc.option(instant, { nil: undefined }),
    bulk: fc.option(fc.record({ asOf: instant, createdFrom: fc.option(instant, { nil: undefined }) }), {
      nil: undefined,
    }),
    recent: fc.dictionary(fc.nat().map(String), instant).map((pairs) => new Map(Object.entries(pairs))),
    unread: fc.array(fc.nat().map(String)),
  })
  .map((state) => withoutUndefined(state));

function withoutUndefined(value: object): ProjectState {
  const strip = (object: object): object =>
    Object.fromEntries(
      Object.entries(object)
        .filter(([, member]) => member !== undefined)
        .map(([name, member]) => [name, name === 'bulk' ? strip(member as object) : (member as unknown)]),
    );
  return strip(value) as ProjectState;
}

describe('a bookmark', () => {
  it('is read back as it was written', () => {
    const key = fc.constantFrom('ABC', 'A_B1', 'TO', 'constructor');
    fc.assert(
      fc.property(fc.dictionary(key, project), (projects) => {
        const state = { projects: new Map(Object.entries(projects)) };
        const text = JSON.stringify(renderBookmark(state));
        expect(parseBookmark(JSON.parse(text) as JsonObject, 's')).toEqual(state);
      }),
    );
  });

  it.each<[string, unknown]>([
    ['nothing', undefined],
    ['an empty object', {}],
    ['no projects yet', { projects: {} }],
  ])('that is %s is the beginning', (_, value) => {
    expect(parseBookmark(value as JsonObject, 's').projects.size).toBe(0);
  });

  it.each<[string, unknown, RegExp]>([
    ['of another tap', { projects: 5 }, /s: the state is not one of tap-jira: projects: /],
    [
      'with a wrong date',
      { projects: { A: { last_ingest_date: 'yesterday' } } },
      /projects\.A\.last_ingest_date: must be an RFC 3339/,
    ],
    [
      'with a date without zone',
      { projects: { A: { last_ingest_date: '2026-01-01T00:00:00' } } },
      /RFC 3339/,
    ],
    ['with broken pairs', { projects: { A: { recent: { 1: 'x' } } } }, /projects\.A\.recent\.1/],
  ])('%s is refused by its place', (_, value, expected) => {
    expect(() => parseBookmark(value as JsonObject, 's')).toThrow(expected);
  });

  it('leaves the rest of a state alone', () => {
    const state = { version: 1, bookmarks: { other: { a: 1 }, issues: { old: true } } };
    expect(withBookmark(state, 'issues', { projects: {} })).toEqual({
      version: 1,
      bookmarks: { other: { a: 1 }, issues: { projects: {} } },
    });
    expect(bookmarkOf(state, 'other')).toEqual({ a: 1 });
    expect(bookmarkOf({ bookmarks: 5 }, 'issues')).toBeUndefined();
    expect([rfc3339(0), rfc3339(1)]).toEqual(['1970-01-01T00:00:00Z', '1970-01-01T00:00:00.001Z']);
  });
});

describe('versions that are remembered', () => {
  it('stay bounded: of 40,000 the newest are kept', () => {
    const recent = new RecentVersions(new Map(), 0);
    for (let i = 0; i < 40_000; i++) recent.add(String(i), (i * 7919) % 40_000);
    const kept = [...recent.newest().values()].toSorted((a, b) => a - b);
    expect(kept).toEqual(Array.from({ length: MAX_RECENT }, (_, i) => 40_000 - MAX_RECENT + i));
  });

  it('before the overlap are forgotten', () => {
    const recent = new RecentVersions(
      new Map([
        ['a', 5],
        ['b', 50],
      ]),
      10,
    );
    recent.add('c', 9);
    recent.add('b', 60);
    expect(recent.newest()).toEqual(new Map([['b', 60]]));
  });
});

describe.each(FLAVOURS)('a state on %s', (flavour) => {
  it('that was written by hand works, and is kept whole', async () => {
    const site = siteOf(10);
    await using jira = await startJira({ flavour, site });
    const from = new Date(NOW - 14 * MINUTE).toISOString().replace(/\.\d+Z/, '+00:00');
    const state = { ...stateFrom(from), other: 1 } as unknown as JsonObject;
    const run = await runTap(tapConfig(flavour, jira.url, { overlap_minutes: 0 }), { state });
    expect(run.error).toBeUndefined();
    expect(idsOf(run)).toEqual(['10007', '10008', '10009', '10010']);
    expect(run.state).toMatchObject({ other: 1 });
    expect(projectState(run)['last_ingest_date']).toBe('2026-11-23T10:00:00Z');
  });

  it('emits again what was dropped of its pairs, and nothing else', async () => {
    const site = siteOf(30, 1000);
    await using jira = await startJira({ flavour, site });
    const config = tapConfig(flavour, jira.url, { overlap_minutes: 60 });
    const bulk = await runTap(config);
    const recent = { ...(projectState(bulk)['recent'] as Record<string, number>) };
    expect(Object.keys(recent)).toHaveLength(30);
    delete recent['10001'];
    delete recent['10002'];
    const state = structuredClone(bulk.state) as unknown as {
      bookmarks: { issues: { projects: { ABC: { recent: object } } } };
    };
    state.bookmarks.issues.projects.ABC.recent = recent;
    const run = await runTap(config, { state: state as unknown as JsonObject });
    expect(idsOf(run)).toEqual(['10001', '10002']);
  });

  it('from the future is set back, with a warning', async () => {
    let now = NOW;
    const site = siteOf(3, MINUTE, { now: () => now });
    await using jira = await startJira({ flavour, site });
    const config = tapConfig(flavour, jira.url);
    const run = await runTap(config, { state: stateFrom('2030-01-01T00:00:00Z') });
    expect(run.logged.join('\n')).toContain('last_ingest_date lies in the future');
    expect(projectState(run)['last_ingest_date']).toBe('2026-11-23T10:00:00Z');
    now += MINUTE;
    site.edit('10001', { summary: 'edited' });
    expect(idsOf(await runTap(config, { state: run.state }))).toContain('10001');
  });

  it('is that of the last whole hour when asked for', async () => {
    await using jira = await startJira({
      flavour,
      site: siteOf(3, MINUTE, { now: () => NOW + 40 * MINUTE }),
    });
    const run = await runTap(tapConfig(flavour, jira.url, { round_to: 'hour' }));
    expect(projectState(run)['last_ingest_date']).toBe('2026-11-23T10:00:00Z');
  });
});
