import { describe, expect, it } from 'vitest';
import { Stopped } from '../../src/shared/program.ts';
import { startJira } from '../support/jira/server.ts';
import { runTap } from '../support/run-tap.ts';
import { FLAVOURS, tapConfig } from '../support/tap-config.ts';
import { idsOf, isCensus, lakeOf, MINUTE, NOW, projectState, siteOf, truthOf } from './traps/setup.ts';

/** A site of three projects. */
function threeProjects(now: () => number = () => NOW) {
  const site = siteOf(6, MINUTE, { now });
  for (const key of ['DEF', 'XYZ']) {
    site.addProject(key);
    for (let i = 0; i < 6; i++) site.create(key, {}, { created: NOW - (20 + i) * MINUTE });
  }
  return site;
}

describe.each(FLAVOURS)('a run on %s', (flavour) => {
  it.each([500, 400, 403])(
    'whose one project fails (%s) finishes the others, and that one keeps its state',
    async (status) => {
      let now = NOW;
      const site = threeProjects(() => now);
      let broken = false;
      await using jira = await startJira({
        flavour,
        site,
        respond: (request) =>
          broken && isCensus(request) && request.body.includes('DEF')
            ? { status, body: { errorMessages: ['no'] } }
            : undefined,
      });
      const config = tapConfig(flavour, jira.url, { overlap_minutes: 0 });
      const bulk = await runTap(config);
      expect(idsOf(bulk)).toHaveLength(18);
      now += 10 * MINUTE;
      for (const { id } of site.all()) site.edit(id, { summary: 'edited' });
      now += MINUTE;
      broken = true;
      const run = await runTap(config, { state: bulk.state });
      expect(idsOf(run)).toHaveLength(12);
      expect(run.error).toMatchObject({
        code: 'PROJECTS_FAILED',
        kind: status === 500 ? 'transient' : 'config',
      });
      expect(run.error!.message).toBe('1 of 3 projects failed (DEF); the others are complete');
      expect(
        run.logged.filter((line) => line.startsWith('project DEF failed and keeps its state')),
      ).toHaveLength(1);
      expect(projectState(run, 'DEF')).toEqual(projectState(bulk, 'DEF'));
      for (const key of ['ABC', 'XYZ'])
        expect(projectState(run, key)['last_ingest_date']).toBe('2026-11-23T10:11:00Z');
      broken = false;
      const healed = await runTap(config, { state: run.state });
      expect(healed.error).toBeUndefined();
      expect(lakeOf(bulk, run, healed)).toEqual(truthOf(site));
    },
  );

  it.each([1, 3, 9, 17])(
    'that is stopped after %s messages ends with a STATE that covers what it emitted',
    async (stopAfter) => {
      const site = threeProjects();
      await using jira = await startJira({ flavour, site });
      const config = tapConfig(flavour, jira.url, {
        page_size: 2,
        pages_per_commit: 1,
        concurrency: 1,
        overlap_minutes: 0,
      });
      const run = await runTap(config, { stopAfter });
      expect(run.error).toBeInstanceOf(Stopped);
      expect(run.messages).toContain('state');
      const rest = await runTap(config, { state: run.state });
      expect(rest.error).toBeUndefined();
      expect(lakeOf(run, rest)).toEqual(truthOf(site));
      if (stopAfter > 6) expect(rest.records.length).toBeLessThan(18);
    },
  );

  it('writes a resumable STATE after every so many pages of a bulk load', async () => {
    const site = siteOf(40);
    await using jira = await startJira({ flavour, site });
    const config = tapConfig(flavour, jira.url, { page_size: 3, pages_per_commit: 2, overlap_minutes: 0 });
    const run = await runTap(config, { crashAfter: 20 });
    expect(projectState(run)).toMatchObject({
      bulk: { as_of: expect.any(String), created_from: expect.any(String) },
    });
    const rest = await runTap(config, { state: run.state });
    expect(lakeOf(run, rest)).toEqual(truthOf(site));
    expect(rest.records.length).toBeLessThan(40);
  });

  it('emits schemas first, and no record without a STATE after it', async () => {
    await using jira = await startJira({ flavour, site: threeProjects() });
    const run = await runTap(tapConfig(flavour, jira.url), { streams: ['issues', 'issue_comments'] });
    expect(run.messages.slice(0, 2)).toEqual(['schema', 'schema']);
    expect(run.messages.lastIndexOf('schema')).toBe(1);
    expect(run.messages.at(-1)).toBe('state');
  });

  it('without any project to see is an error', async () => {
    const site = siteOf(0);
    site.projects.clear();
    await using jira = await startJira({ flavour, site });
    const run = await runTap(tapConfig(flavour, jira.url));
    expect(run.error).toMatchObject({ kind: 'config', code: 'FORBIDDEN' });
  });
});
