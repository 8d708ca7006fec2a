import { describe, expect, it } from 'vitest';
import { startJira } from '../../support/jira/server.ts';
import { wiki } from '../../support/jira/values.ts';
import { runTap } from '../../support/run-tap.ts';
import { FLAVOURS, tapConfig } from '../../support/tap-config.ts';
import { CARGO, DATES, LIFTED } from './cargo.ts';
import {
  idsOf,
  isBodies,
  isCensus,
  lakeOf,
  MINUTE,
  NOW,
  projectState,
  siteOf,
  stateFrom,
  truthOf,
} from './setup.ts';

describe.each(FLAVOURS)('data of %s', (flavour) => {
  it.each(CARGO)('%s leave as they came', async (_, members) => {
    const site = siteOf(0);
    site.addRaw('ABC', `{"id":"77","key":"ABC-7","fields":{${members},${DATES}}}`);
    await using jira = await startJira({ flavour, site });
    const run = await runTap(tapConfig(flavour, jira.url));
    const fields = `${members},${DATES}`.replaceAll('+0545"', '+05:45"');
    expect(run.records.map(({ text }) => text)).toEqual([
      `{${LIFTED},"id":"77","key":"ABC-7","fields":{${fields}}}`,
    ]);
  });

  it('trap 47: a description of ten megabytes leaves as it came', async () => {
    const site = siteOf(0);
    const text = 'long é😀\\u0000 '.repeat(650_000);
    site.addRaw('ABC', `{"id":"77","key":"ABC-7","fields":{"description":"${text}",${DATES}}}`);
    await using jira = await startJira({ flavour, site });
    const run = await runTap(tapConfig(flavour, jira.url));
    expect(run.records).toHaveLength(1);
    expect(run.records[0]!.text.includes(text)).toBe(true);
  });

  it('trap 39: a field that goes away between two pages is absent in the later ones only', async () => {
    const site = siteOf(6);
    for (const { id } of site.all()) site.edit(id, { customfield_9: 'here' });
    let pages = 0;
    await using jira = await startJira({
      flavour,
      site,
      onRequest: (request) => {
        if (isBodies(request) && ++pages === 2)
          for (const { id } of site.all()) site.edit(id, { customfield_9: undefined }, { silent: true });
      },
    });
    const run = await runTap(tapConfig(flavour, jira.url, { page_size: 3, concurrency: 1 }));
    const has = run.records.map(({ record }) => Object.hasOwn(record['fields'] as object, 'customfield_9'));
    expect(has).toEqual([true, true, true, false, false, false]);
  });

  it('trap 40: children beyond what an issue embeds are fetched; those others may not see are not missed', async () => {
    const site = siteOf(1);
    for (let i = 0; i < 105; i++)
      site.comment('10001', { body: `c${i}`, ...(i % 10 === 0 ? { visibleTo: ['bruno'] } : {}) });
    for (let i = 0; i < 21; i++) site.worklog('10001');
    for (let i = 0; i < 101; i++) site.edit('10001', { summary: `s${i}` });
    await using jira = await startJira({ flavour, site });
    const streams = ['issue_comments', 'issue_worklogs', 'issue_changelogs'];
    const run = await runTap(tapConfig(flavour, jira.url), { streams });
    expect(run.error).toBeUndefined();
    expect(streams.map((stream) => new Set(idsOf(run, stream)).size)).toEqual([94, 21, 101]);
  });

  it('trap 41: a moved issue is one row, under its new key, whichever project is read first', async () => {
    let now = NOW;
    const site = siteOf(4, MINUTE, { now: () => now });
    site.addProject('XYZ');
    await using jira = await startJira({ flavour, site });
    const bulk = await runTap(tapConfig(flavour, jira.url));
    now += MINUTE;
    site.move('10002', 'XYZ');
    const next = await runTap(tapConfig(flavour, jira.url), { state: bulk.state });
    expect(next.records.map(({ record }) => [record['id'], record['key']])).toEqual([['10002', 'XYZ-1']]);
    expect(lakeOf(bulk, next)).toEqual(truthOf(site));
  });

  it('trap 41: a renamed project is read whole again, since the keys of its issues are new', async () => {
    const site = siteOf(4);
    await using jira = await startJira({ flavour, site });
    const config = tapConfig(flavour, jira.url, { projects: ['ABC'] });
    const bulk = await runTap(config);
    site.renameProject('ABC', 'NEW');
    const next = await runTap(config, { state: bulk.state });
    expect(next.error).toBeUndefined();
    expect(next.records.map(({ record }) => record['key'])).toEqual(['NEW-1', 'NEW-2', 'NEW-3', 'NEW-4']);
    expect(projectState(next, 'NEW')).toHaveProperty('last_ingest_date');
  });

  it('trap 42: ids are text, however long', async () => {
    const site = siteOf(0);
    site.create('ABC', {}, { id: '9007199254740993', created: NOW - MINUTE });
    site.create('ABC', {}, { id: '9007199254740992', created: NOW - MINUTE });
    await using jira = await startJira({ flavour, site });
    const run = await runTap(tapConfig(flavour, jira.url));
    expect(idsOf(run).toSorted()).toEqual(['9007199254740992', '9007199254740993']);
    const again = await runTap(tapConfig(flavour, jira.url), { state: run.state });
    expect(again.records).toEqual([]);
  });

  it("trap 43: rich text is the flavour's own", async () => {
    const site = siteOf(0);
    site.create('ABC', { description: wiki('h1. Title') }, { created: NOW - MINUTE });
    await using jira = await startJira({ flavour, site });
    const [record] = (await runTap(tapConfig(flavour, jira.url))).records;
    const { description } = record!.record['fields'] as { description: unknown };
    if (flavour === 'cloud') expect(description).toMatchObject({ type: 'doc', version: 1 });
    else expect(description).toBe('h1. Title');
  });

  it('trap 44: a history and a comment by nobody have no author', async () => {
    const site = siteOf(1);
    const nobody = { author: undefined } as unknown as { author: string };
    site.comment('10001', nobody);
    site.history('10001', nobody);
    await using jira = await startJira({ flavour, site });
    const streams = ['issue_comments', 'issue_changelogs'];
    const run = await runTap(tapConfig(flavour, jira.url), { streams });
    expect(run.records).toHaveLength(2);
    for (const { record } of run.records) expect(record).not.toHaveProperty('author');
  });

  it.each(['listed', 'configured'])(
    'trap 48: an archived project (%s) keeps its state until it is back',
    async (how) => {
      let now = NOW;
      const site = siteOf(4, MINUTE, { now: () => now });
      site.addProject('XYZ');
      await using jira = await startJira({ flavour, site });
      const keys = how === 'listed' ? {} : { projects: ['ABC', 'XYZ'] };
      const config = tapConfig(flavour, jira.url, { overlap_minutes: 0, ...keys });
      const bulk = await runTap(config);
      now += MINUTE;
      site.edit('10003', { summary: 'just before' });
      now += MINUTE;
      site.archiveProject('ABC');
      now += 60 * MINUTE;
      const away = await runTap(config, { state: bulk.state });
      if (how === 'configured') {
        expect(away.error).toMatchObject({ kind: 'config', code: 'PROJECTS_FAILED' });
        expect(away.logged.join('\n')).toMatch(/project ABC: is archived.*restore it/);
      }
      expect(projectState(away)).toEqual(projectState(bulk));
      site.archiveProject('ABC', false);
      expect(idsOf(await runTap(config, { state: away.state }))).toEqual(['10003']);
    },
  );

  it.each(['AND', 'TO', 'A_B1', 'R2D2', 'EMPTY'])(
    'trap 50: the project key %s, also in lower case',
    async (key) => {
      const site = siteOf(0);
      site.addProject(key);
      site.create(key, {}, { created: NOW - MINUTE });
      site.comment('10001');
      await using jira = await startJira({ flavour, site });
      const config = tapConfig(flavour, jira.url, { projects: [key.toLowerCase(), key] });
      const run = await runTap(config, { streams: ['issues', 'issue_comments'] });
      expect(run.error).toBeUndefined();
      expect(run.records.map(({ record }) => record['key'] ?? record['issue_key'])).toEqual([
        `${key}-1`,
        `${key}-1`,
      ]);
      expect(run.records[1]!.record['project_key']).toBe(key);
      expect(projectState(run, key)).toHaveProperty('last_ingest_date');
    },
  );

  it.each(['', '/', '//'])('trap 51: an address with a context path and "%s" at its end', async (end) => {
    await using jira = await startJira({ flavour, site: siteOf(3), contextPath: '/a/jira' });
    const run = await runTap(tapConfig(flavour, `${jira.url}${end}`));
    expect(idsOf(run)).toHaveLength(3);
    for (const { path } of jira.requests) expect(path).toMatch(/^\/a\/jira\/rest\/api\//);
  });

  it('trap 52: links to another host, as behind a proxy, are not followed', async () => {
    const site = siteOf(60);
    for (let i = 0; i < 60; i++) site.addProject(`P${i}`);
    for (let i = 0; i < 130; i++) site.comment('10001');
    await using jira = await startJira({ flavour, site, baseUrl: 'http://127.0.0.1:1/elsewhere' });
    const run = await runTap(tapConfig(flavour, jira.url), { streams: ['issues', 'issue_comments'] });
    expect(run.error).toBeUndefined();
    expect(idsOf(run)).toHaveLength(60);
    expect(idsOf(run, 'issue_comments')).toHaveLength(130);
  });

  it('trap 53: ids that are silently missing from the bodies are accounted for, with a reason', async () => {
    const site = siteOf(30);
    let bodies = 0;
    await using jira = await startJira({
      flavour,
      site,
      onRequest: (request) => {
        if (!isBodies(request) || bodies++ > 0) return;
        site.remove('10003');
        site.hide('10007');
      },
    });
    const run = await runTap(tapConfig(flavour, jira.url, { overlap_minutes: 0 }), {
      state: stateFrom('2026-01-01T00:00:00Z'),
    });
    expect(run.error).toBeUndefined();
    expect(run.tallies.get('ABC')).toEqual({ named: 30, emitted: 28, unchanged: 0, gone: 2, unread: 0 });
    expect(run.logged.join('\n')).toMatch(/issue 10003 is gone: deleted/);
    expect(run.logged.join('\n')).toMatch(/issue 10007 is gone: /);
  });

  it('trap 53: a node that lags behind the one that named an issue is asked again', async () => {
    const site = siteOf(5);
    let bodies = 0;
    await using jira = await startJira({
      flavour,
      site,
      onRequest: (request) => {
        if (!isBodies(request) && !isCensus(request)) return;
        if (isBodies(request) && bodies++ === 0) site.hide('10002');
        else site.show('10002');
      },
    });
    const run = await runTap(tapConfig(flavour, jira.url));
    expect(idsOf(run)).toHaveLength(5);
  });
});

describe('the bulk changelog of Cloud', () => {
  it.each([
    ['milliseconds', 1],
    ['seconds', 1000],
  ])('trap 54: times that are %s become date-times', async (_, unit) => {
    const site = siteOf(1);
    site.edit('10001', { summary: 'edited' });
    const inUnit = (body: string): string =>
      body.replaceAll(/"created":(\d+)/g, (_, ms: string) => `"created":${Math.floor(Number(ms) / unit)}`);
    await using jira = await startJira({
      flavour: 'cloud',
      site,
      quirks: { numericChangelogDates: true },
      respond: ({ path }) =>
        path.endsWith('/changelog/bulkfetch')
          ? { rewrite: (answer) => ({ ...answer, body: inUnit(String(answer.body)) }) }
          : undefined,
    });
    const run = await runTap(tapConfig('cloud', jira.url), { streams: ['issue_changelogs'] });
    const made = Math.floor((site.get('10001')!.updated + 3) / unit) * unit;
    expect(run.records[0]!.record['created']).toBe(new Date(made).toISOString());
  });
});
