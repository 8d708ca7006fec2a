import { describe, expect, it } from 'vitest';
import { startJira } from '../support/jira/server.ts';
import type { JiraOptions } from '../support/jira/state.ts';
import { runTap } from '../support/run-tap.ts';
import { FLAVOURS, tapConfig } from '../support/tap-config.ts';
import { allIds, idsOf, lakeOf, MINUTE, NOW, siteOf, truthOf } from './traps/setup.ts';

const pages = (flavour: (typeof FLAVOURS)[number], rows: number): Partial<JiraOptions> =>
  flavour === 'cloud' ? { quirks: { pageRows: (asked) => Math.min(asked, rows) } } : { maxResultsCap: rows };

describe.each(FLAVOURS)('much at once on %s', (flavour) => {
  it('issues made faster than they are read: the run ends, and the next one has them', async () => {
    let now = NOW;
    const site = siteOf(20, 20_000, { now: () => now });
    await using jira = await startJira({
      flavour,
      site,
      ...pages(flavour, 3),
      onRequest: () => {
        for (let i = 0; i < 5; i++) {
          now += 1000;
          site.create('ABC');
        }
      },
    });
    const config = tapConfig(flavour, jira.url, { overlap_minutes: 5 });
    const before = truthOf(site);
    const run = await runTap(config);
    expect(run.error).toBeUndefined();
    for (const [id, updated] of before) expect(lakeOf(run).get(id), id).toBe(updated);
    expect(jira.requests.length).toBeLessThan(1000);
    jira.use({ flavour, site });
    now += MINUTE;
    const quiet = await runTap({ ...config, base_url: jira.url }, { state: run.state });
    expect(lakeOf(run, quiet)).toEqual(truthOf(site));
  });

  it.each([
    ['3,000 issues that share one minute', 3000, 19, 500],
    ['300 issues that share one millisecond', 300, 0, 70],
  ])('%s are read completely, in bulk and again', async (_, count, apart, rows) => {
    let now = NOW;
    const site = siteOf(count, apart, { now: () => now });
    await using jira = await startJira({ flavour, site, ...pages(flavour, rows) });
    const config = tapConfig(flavour, jira.url, { overlap_minutes: 30, fields: ['summary'] });
    const bulk = await runTap(config);
    expect(bulk.error).toBeUndefined();
    expect(idsOf(bulk)).toHaveLength(count);
    expect(new Set(idsOf(bulk)).size).toBe(count);
    // A bulk change: all of them, in one minute again.
    now += 5 * MINUTE;
    for (const { id } of site.all()) site.edit(id, { summary: 'changed in bulk' });
    now += MINUTE;
    const run = await runTap(config, { state: bulk.state });
    expect(run.error).toBeUndefined();
    expect(idsOf(run).toSorted()).toEqual(allIds(site));
    expect(lakeOf(bulk, run)).toEqual(truthOf(site));
  });

  it.each([
    ['an issue edited before every request', 1, 20],
    ['a site edited faster than one page per edit', 25, 10],
  ])('%s: every run ends, and nothing is lost', async (_, edits, rows) => {
    let now = NOW;
    const site = siteOf(200, 20_000, { now: () => now });
    let next = 0;
    await using jira = await startJira({
      flavour,
      site,
      ...pages(flavour, rows),
      onRequest: () => {
        for (let i = 0; i < edits; i++) {
          now += 40;
          const id = edits === 1 ? '10001' : String(10_001 + (next++ % 200));
          site.edit(id, { summary: `edit ${now}` });
        }
      },
    });
    const config = tapConfig(flavour, jira.url, { page_size: 20, overlap_minutes: 5 });
    let state = {};
    const runs = [];
    for (let i = 0; i < 3; i++) {
      const before = truthOf(site);
      const run = await runTap(config, { state });
      runs.push(run);
      expect(run.error).toBeUndefined();
      const lake = lakeOf(...runs);
      // A site that is faster than its reader may move an issue on, again and again, until the next run.
      if (edits === 1)
        for (const [id, updated] of before) expect((lake.get(id) ?? '') >= updated, id).toBe(true);
      state = run.state;
    }
    expect(jira.requests.length).toBeLessThan(600);
    jira.use({ flavour, site, ...pages(flavour, rows) });
    now += MINUTE;
    const quiet = await runTap({ ...config, base_url: jira.url }, { state });
    expect(lakeOf(...runs, quiet)).toEqual(truthOf(site));
  });
});
