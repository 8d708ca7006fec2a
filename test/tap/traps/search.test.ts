import { describe, expect, it } from 'vitest';
import type { Fault } from '../../support/jira/http.ts';
import { startJira } from '../../support/jira/server.ts';
import type { JiraOptions } from '../../support/jira/state.ts';
import { runTap } from '../../support/run-tap.ts';
import { FLAVOURS, tapConfig } from '../../support/tap-config.ts';
import {
  allIds,
  askedIds,
  idsOf,
  isBodies,
  isCensus,
  jqlOf,
  lakeOf,
  NOW,
  projectState,
  siteOf,
  stateFrom,
  truthOf,
} from './setup.ts';

/** Pages of so many rows, in the way of the flavour. */
const rowsPerPage = (flavour: (typeof FLAVOURS)[number], rows: number): Partial<JiraOptions> =>
  flavour === 'cloud' ? { quirks: { pageRows: (asked) => Math.min(asked, rows) } } : { maxResultsCap: rows };

describe.each(FLAVOURS)('searches on %s', (flavour) => {
  it('trap 01: a page size that the server cuts is followed by the rows that came', async () => {
    const site = siteOf(23, 100);
    await using jira = await startJira({ flavour, site, ...rowsPerPage(flavour, 3) });
    const run = await runTap(tapConfig(flavour, jira.url, { overlap_minutes: 0 }));
    expect(run.error).toBeUndefined();
    expect(idsOf(run).toSorted()).toEqual(allIds(site));
  });

  it('trap 02: only a missing token or an empty page ends a window, not a short page', async () => {
    const site = siteOf(23, 100);
    const quirks = { pageRows: () => 2, emptyPageEvery: 2, omitIsLast: true, nullToken: true };
    const withheld = (body: string): string => {
      const page = JSON.parse(body) as { issues: { id: string }[]; startAt: number };
      // Rows that this user may not see are counted by the server, and missing from its pages.
      return JSON.stringify({ ...page, issues: page.issues.filter(({ id }) => id !== '10003') });
    };
    await using jira = await startJira({
      flavour,
      site,
      ...(flavour === 'cloud'
        ? { quirks }
        : {
            maxResultsCap: 4,
            respond: (request) =>
              isCensus(request)
                ? { rewrite: (answer) => ({ ...answer, body: withheld(String(answer.body)) }) }
                : undefined,
          }),
    });
    const run = await runTap(tapConfig(flavour, jira.url, { overlap_minutes: 0 }));
    expect(run.error).toBeUndefined();
    const expected = allIds(site).filter((id) => flavour === 'cloud' || id !== '10003');
    expect(idsOf(run).toSorted()).toEqual(expected);
  });

  it('trap 05: a total that drifts or lies does not end a walk early', async () => {
    const totals = [(total: number) => total + 7, () => 0, (total: number) => Math.floor(total / 2)];
    for (const lyingTotal of totals) {
      const site = siteOf(23, 100);
      await using jira = await startJira({ flavour, site, maxResultsCap: 5, quirks: { lyingTotal } });
      const run = await runTap(tapConfig(flavour, jira.url, { overlap_minutes: 0 }));
      expect(run.error).toBeUndefined();
      expect(idsOf(run).toSorted()).toEqual(allIds(site));
    }
  });

  it('trap 06: an issue edited between two pages makes no other one be skipped', async () => {
    let now = NOW;
    const site = siteOf(40, 45_000, { now: () => now });
    const first = truthOf(site);
    let step = 0;
    let editing = false;
    await using jira = await startJira({
      flavour,
      site,
      ...rowsPerPage(flavour, 5),
      onRequest: () => {
        now += 1000;
        if (editing) site.edit(String(10_001 + (step++ % 20)), { summary: `edit ${step}` });
      },
    });
    const bulk = await runTap(tapConfig(flavour, jira.url, { overlap_minutes: 0 }));
    expect(lakeOf(bulk)).toEqual(first);
    for (const { id } of site.all()) site.edit(id, { summary: 'all' });
    const asked = truthOf(site);
    editing = true;
    const run = await runTap(tapConfig(flavour, jira.url, { overlap_minutes: 0 }), { state: bulk.state });
    expect(run.error).toBeUndefined();
    const lake = lakeOf(bulk, run);
    for (const [id, updated] of asked) expect(lake.get(id)! >= updated, id).toBe(true);
    editing = false;
    expect(
      lakeOf(
        bulk,
        run,
        await runTap(tapConfig(flavour, jira.url, { overlap_minutes: 0 }), { state: run.state }),
      ),
    ).toEqual(truthOf(site));
  });

  it('trap 07: an issue deleted or hidden between two pages makes no other one be skipped', async () => {
    const site = siteOf(60, 100);
    let victim = 10_001;
    await using jira = await startJira({
      flavour,
      site,
      ...rowsPerPage(flavour, 7),
      onRequest: (request) => {
        if (!isCensus(request) || victim > 10_012) return;
        if (victim % 2 === 0) site.hide(String(victim));
        else site.remove(String(victim));
        victim++;
      },
    });
    const run = await runTap(tapConfig(flavour, jira.url, { overlap_minutes: 0 }));
    expect(run.error).toBeUndefined();
    const emitted = new Set(idsOf(run));
    for (const id of truthOf(site).keys()) expect(emitted.has(id), id).toBe(true);
    const { named, emitted: count, gone, unchanged, unread } = run.tallies.get('ABC')!;
    expect(named).toBe(count + gone + unchanged + unread);
  });

  it.each([
    ['a minute', 100],
    ['a millisecond', 0],
  ])('trap 08: more issues than a page share %s', async (_, apart) => {
    const site = siteOf(150, apart);
    await using jira = await startJira({ flavour, site, ...rowsPerPage(flavour, 7) });
    const config = tapConfig(flavour, jira.url, { overlap_minutes: 60 });
    const bulk = await runTap(config);
    expect(idsOf(bulk).toSorted()).toEqual(allIds(site));
    expect(idsOf(bulk)).toHaveLength(150);
    const again = await runTap(config, { state: bulk.state });
    expect(again.records).toEqual([]);
    expect(again.tallies.get('ABC')).toMatchObject({ named: 150, unchanged: 150 });
  });

  it('trap 09: what is needed of a row is asked for by name', async () => {
    await using jira = await startJira({ flavour, site: siteOf(5) });
    const run = await runTap(tapConfig(flavour, jira.url, { overlap_minutes: 0 }));
    for (const { body } of jira.requests.filter(isCensus))
      expect((JSON.parse(body) as { fields: string[] }).fields).toContain('updated');
    for (const { body } of jira.requests.filter(isBodies))
      expect((JSON.parse(body) as { fields: string[] }).fields).toEqual(['*all', 'updated', 'created']);
    expect(run.records[0]!.record).toMatchObject({ key: 'ABC-1', updated: expect.any(String) });
  });

  it.each([
    ['trap 10: no endpoint is used that this Jira does not have', 410],
    ['trap 11: no body has a member that this Jira does not know, and no POST a query', 400],
    ['trap 12: no query is without bounds', 400],
  ])('%s', async (_, mistake) => {
    const site = siteOf(30, 20_000);
    await using jira = await startJira({ flavour, site, ...rowsPerPage(flavour, 4) });
    const config = tapConfig(flavour, jira.url, { jql: 'summary ~ issue OR labels is EMPTY' });
    const bulk = await runTap(config);
    await runTap(config, { state: bulk.state });
    expect(idsOf(bulk)).toHaveLength(30);
    const statuses = jira.requests.map(({ status }) => status);
    expect(statuses).not.toContain(mistake);
    expect(new Set(statuses)).toEqual(new Set([200]));
    expect(jira.requests.filter(({ method, path }) => method === 'POST' && path.includes('?'))).toEqual([]);
    for (const jql of jqlOf(jira.requests))
      expect(jql).toMatch(/^(project = "ABC" AND \(summary ~ issue OR labels is EMPTY\)|id in \([\d,]+\)$)/);
  });

  it('trap 13: a mistyped project is an error, and the others are read', async () => {
    await using jira = await startJira({ flavour, site: siteOf(3) });
    const run = await runTap(tapConfig(flavour, jira.url, { projects: ['ABD', 'ABC'] }));
    expect(idsOf(run)).toHaveLength(3);
    expect(run.error).toMatchObject({ kind: 'config', code: 'PROJECTS_FAILED' });
    expect(run.error!.message).toContain('1 of 2 projects failed (ABD)');
    expect(run.logged.join('\n')).toMatch(/project ABD: does not exist.*visible: ABC/);
    expect(projectState(run, 'ABD')).toEqual({});
  });

  it.each([
    ['before its first page of a bulk load', 1, {}],
    ['in the middle of a bulk load', 3, {}],
    ['in the middle of what was updated', 3, { state: stateFrom('2026-01-01T00:00:00Z') }],
  ])('trap 13: a project that is lost %s keeps its state', async (_, when, options) => {
    const site = siteOf(30);
    let census = 0;
    await using jira = await startJira({
      flavour,
      site,
      ...rowsPerPage(flavour, 5),
      onRequest: (request) => {
        if (isCensus(request) && ++census === when) site.projects.delete('ABC');
      },
    });
    const run = await runTap(tapConfig(flavour, jira.url, { overlap_minutes: 0 }), options);
    expect(run.error).toMatchObject({ code: 'PROJECTS_FAILED' });
    expect(projectState(run)).toEqual('state' in options ? { last_ingest_date: '2026-01-01T00:00:00Z' } : {});
  });

  const HEAVY: readonly [string, Fault][] = [
    ['500', { status: 500, body: { errorMessages: ['Duplicate key'] } }],
    ['502', { status: 502, body: '<html>bad gateway</html>' }],
    ['504', { status: 504, body: '<html>gateway timeout</html>' }],
    ['a body cut by the connection', { cut: 0.5 }],
    ['a body cut inside a good answer', { truncate: 0.7 }],
    ['no answer', { hang: true }],
    ['an endless answer', { slow: { bytes: 1, ms: 5 } }],
  ];
  it.each(HEAVY)('trap 14: a page too heavy (%s) is fetched in parts', async (_, fault) => {
    const site = siteOf(12);
    await using jira = await startJira({
      flavour,
      site,
      gzip: 'cut' in fault,
      respond: (request) => (isBodies(request) && askedIds(request).length > 4 ? fault : undefined),
    });
    const run = await runTap(
      tapConfig(flavour, jira.url, { request_timeout_seconds: 0.15, overlap_minutes: 0 }),
    );
    expect(run.error).toBeUndefined();
    expect(idsOf(run)).toEqual(allIds(site));
    expect(jira.requests.filter(isBodies).length).toBeLessThan(15);
  });
});
