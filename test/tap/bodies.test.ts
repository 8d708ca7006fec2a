import { describe, expect, it } from 'vitest';
import type { Fault } from '../support/jira/http.ts';
import { startJira } from '../support/jira/server.ts';
import { movingClock } from '../support/moving-clock.ts';
import { runTap, type TapRun } from '../support/run-tap.ts';
import { FLAVOURS, tapConfig } from '../support/tap-config.ts';
import { allIds, askedIds, idsOf, isBodies, NOW, projectState, siteOf, stateFrom } from './traps/setup.ts';

const INCREMENTAL = { state: stateFrom('2026-01-01T00:00:00Z') };
const BAD = '10006';
const FAULTS: readonly [string, Fault][] = [
  ['500', { status: 500, body: { errorMessages: ['boom'] } }],
  ['502', { status: 502, body: '<html></html>' }],
  ['504', { status: 504, body: '<html></html>' }],
  ['a cut body', { cut: 0.5 }],
  ['a truncated body', { truncate: 0.5 }],
  ['no answer in time', { hang: true }],
];

/** Every issue that was named is accounted for. */
function expectBalance(run: TapRun): void {
  for (const { named, emitted, unchanged, gone, unread } of run.tallies.values())
    expect(named).toBe(emitted + unchanged + gone + unread);
}

describe.each(FLAVOURS)('bodies on %s', (flavour) => {
  it.each(FAULTS)(
    'one issue that is too heavy (%s) is found, reported, and asked for again',
    async (_, fault) => {
      const site = siteOf(16);
      let broken = true;
      await using jira = await startJira({
        flavour,
        site,
        respond: (request) =>
          broken && isBodies(request) && askedIds(request).includes(BAD) ? fault : undefined,
      });
      const config = tapConfig(flavour, jira.url, { request_timeout_seconds: 0.12, overlap_minutes: 0 });
      const run = await runTap(config, INCREMENTAL);
      expect(idsOf(run)).toEqual(allIds(site).filter((id) => id !== BAD));
      expect(run.tallies.get('ABC')).toEqual({ named: 16, emitted: 15, unchanged: 0, gone: 0, unread: 1 });
      expect(run.error).toMatchObject({ kind: 'transient', code: 'PROJECTS_FAILED' });
      expect(run.logged.join('\n')).toMatch(
        /issue 10006 cannot be read and will be asked for again by the next run: /,
      );
      expect(projectState(run)).toMatchObject({ last_ingest_date: '2026-11-23T10:00:00Z', unread: [BAD] });
      const requests = jira.requests.filter(isBodies).length;
      expect(requests).toBeLessThan(20);

      const again = await runTap(config, { state: run.state });
      expect(again.error).toMatchObject({ code: 'PROJECTS_FAILED' });
      expect(projectState(again)).toMatchObject({ unread: [BAD] });
      broken = false;
      const healed = await runTap(config, { state: again.state });
      expect(healed.error).toBeUndefined();
      expect(idsOf(healed)).toEqual([BAD]);
      expect(projectState(healed)).not.toHaveProperty('unread');
      for (const each of [run, again, healed]) expectBalance(each);
    },
  );

  it('an unread issue that is deleted meanwhile is gone', async () => {
    const site = siteOf(4);
    const state = stateFrom('2026-11-23T10:00:00Z') as unknown as {
      bookmarks: { issues: { projects: { ABC: { unread?: string[] } } } };
    };
    state.bookmarks.issues.projects.ABC.unread = ['10002', '99999'];
    site.remove('10002');
    await using jira = await startJira({ flavour, site });
    const config = tapConfig(flavour, jira.url, { overlap_minutes: 0 });
    const run = await runTap(config, { state });
    expect(run.error).toBeUndefined();
    expect(run.tallies.get('ABC')).toEqual({ named: 2, emitted: 0, unchanged: 0, gone: 2, unread: 0 });
    expect(projectState(run)).not.toHaveProperty('unread');
  });

  it('that come in the order of the search, whatever the order of the answers', async () => {
    const site = siteOf(40);
    await using jira = await startJira({
      flavour,
      site,
      respond: (request) => (isBodies(request) ? { delay: (request.number * 7) % 20 } : undefined),
    });
    const run = await runTap(tapConfig(flavour, jira.url, { page_size: 3 }));
    expect(idsOf(run)).toEqual(allIds(site));
  });

  it('of many issues that are gone are looked up one by one for a few only', async () => {
    const site = siteOf(60);
    let bodies = 0;
    await using jira = await startJira({
      flavour,
      site,
      onRequest: (request) => {
        if (isBodies(request) && bodies++ === 0)
          for (let id = 10_001; id <= 10_050; id++) site.hide(String(id));
      },
    });
    const run = await runTap(tapConfig(flavour, jira.url, { overlap_minutes: 0 }), INCREMENTAL);
    expect(run.error).toBeUndefined();
    expect(run.tallies.get('ABC')).toMatchObject({ named: 60, emitted: 10, gone: 50 });
    expect(jira.requests.filter(({ path }) => /\/issue\/\d+\?/.test(path)).length).toBeLessThanOrEqual(20);
    expectBalance(run);
  });

  it('that cannot even be looked up are unread', async () => {
    const site = siteOf(6);
    let bodies = 0;
    await using jira = await startJira({
      flavour,
      site,
      onRequest: (request) => {
        if (isBodies(request) && bodies++ === 0) site.hide('10003');
      },
      respond: ({ path }) => (/\/issue\/10003\?/.test(path) ? { status: 500, body: '{}' } : undefined),
    });
    const run = await runTap(tapConfig(flavour, jira.url, { overlap_minutes: 0 }), INCREMENTAL);
    expect(run.tallies.get('ABC')).toEqual({ named: 6, emitted: 5, unchanged: 0, gone: 0, unread: 1 });
    expect(projectState(run)).toMatchObject({ unread: ['10003'] });
    expectBalance(run);
  });

  it('that are older than what the search said are asked for once more, and if that fails are unread', async () => {
    const site = siteOf(6);
    site.edit('10002', { summary: 'new' });
    const old = new Date(NOW - 86_400_000).toISOString().replace('Z', '+0000');
    let bodies = 0;
    await using jira = await startJira({
      flavour,
      site,
      respond: (request) => {
        if (!isBodies(request)) return undefined;
        if (bodies++ > 0) return { status: 500, body: '{}' };
        const stale = (text: string): string =>
          text.replaceAll(/"updated":"2026-11-23T10:00:30[^"]*"/g, `"updated":"${old}"`);
        return { rewrite: (answer) => ({ ...answer, body: stale(String(answer.body)) }) };
      },
    });
    const clock = movingClock(NOW);
    const run = await runTap(tapConfig(flavour, jira.url, { overlap_minutes: 0 }), { ...INCREMENTAL, clock });
    expect(bodies).toBeGreaterThan(1);
    expect(run.tallies.get('ABC')).toEqual({ named: 6, emitted: 5, unchanged: 0, gone: 0, unread: 1 });
    expect(projectState(run)).toMatchObject({ unread: ['10002'] });
  });
});
