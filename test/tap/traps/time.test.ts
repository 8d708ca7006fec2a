import { describe, expect, it } from 'vitest';
import { systemClock } from '../../../src/shared/clock.ts';
import { startJira } from '../../support/jira/server.ts';
import { DEFAULT_USER } from '../../support/jira/state.ts';
import { hurriedClock, runTap } from '../../support/run-tap.ts';
import { FLAVOURS, tapConfig } from '../../support/tap-config.ts';
import { idsOf, jqlOf, lakeOf, MINUTE, NOW, projectState, siteOf, stateFrom, truthOf } from './setup.ts';

const HOUR = 60 * MINUTE;
const inZone = (timeZone: string) => ({ users: [{ ...DEFAULT_USER, timeZone }] });
const JQL_TIMES = ['epoch_ms', 'user_time_zone'] as const;

describe.each(FLAVOURS)('time on %s', (flavour) => {
  it.each(JQL_TIMES.flatMap((how) => [['Asia/Kathmandu', how] as const, ['America/St_Johns', how] as const]))(
    "trap 15: the user's zone (%s) does not move windows written as %s, nor does a change of it",
    async (zone, how) => {
      const site = siteOf(12);
      await using jira = await startJira({ flavour, site, ...inZone(zone) });
      const config = tapConfig(flavour, jira.url, { jql_time: how, overlap_minutes: 0 });
      const bulk = await runTap(config);
      expect(idsOf(bulk)).toHaveLength(12);
      site.edit('10002', { summary: 'edited' });
      jira.use({ flavour, site, ...inZone('Australia/Lord_Howe') });
      const next = await runTap(config, { state: bulk.state });
      expect(next.error).toBeUndefined();
      expect(idsOf(next)).toEqual(['10002']);
    },
  );

  it.each(JQL_TIMES)('trap 16: an hour that happens twice is read whole (%s)', async (how) => {
    // Clocks in New York go back from 02:00 to 01:00 at 06:00Z; Jira takes "01:30" for the later one.
    const now = Date.parse('2024-11-03T07:10:00Z');
    const site = siteOf(0, 0, { now: () => now });
    for (let minute = 0; minute < 120; minute += 5)
      site.create('ABC', {}, { created: Date.parse('2024-11-03T05:00:00Z') + minute * MINUTE });
    await using jira = await startJira({ flavour, site, ...inZone('America/New_York') });
    const config = tapConfig(flavour, jira.url, { jql_time: how, overlap_minutes: 0 });
    const run = await runTap(config, { state: stateFrom('2024-11-03T05:30:00Z') });
    expect(run.error).toBeUndefined();
    const late = [...site.all()].filter(({ updated }) => updated >= Date.parse('2024-11-03T05:30:00Z'));
    for (const { id } of late) expect(idsOf(run)).toContain(id);
  });

  it.each([
    ['America/New_York', '2024-03-10T07:00:00Z'],
    ['Australia/Lord_Howe', '2024-10-05T15:30:00Z'],
    ['America/Sao_Paulo', '2018-11-04T03:00:00Z'],
  ])('trap 16: a wall time that does not exist is never written (%s)', async (zone, change) => {
    const start = Date.parse(change) - HOUR;
    const site = siteOf(0, 0, { now: () => start + 3 * HOUR });
    for (let minute = 0; minute < 120; minute += 5)
      site.create('ABC', {}, { created: start + minute * MINUTE });
    const few = flavour === 'cloud' ? { quirks: { pageRows: () => 3 } } : { maxResultsCap: 3 };
    await using jira = await startJira({ flavour, site, ...few, ...inZone(zone) });
    const config = tapConfig(flavour, jira.url, { jql_time: 'user_time_zone', overlap_minutes: 0 });
    const run = await runTap(config, { state: stateFrom(new Date(start).toISOString()) });
    expect(run.error).toBeUndefined();
    expect(new Set(idsOf(run)).size).toBe(24);
  });

  it.each(JQL_TIMES)('trap 17: times in JQL have neither seconds nor an offset (%s)', async (how) => {
    const site = siteOf(40, 7000);
    const few = flavour === 'cloud' ? { quirks: { pageRows: () => 3 } } : { maxResultsCap: 3 };
    await using jira = await startJira({ flavour, site, ...few });
    const bulk = await runTap(
      tapConfig(flavour, jira.url, { jql_time: how, start_date: '2020-01-01T01:02:03.5+05:45' }),
    );
    expect(idsOf(bulk)).toHaveLength(40);
    const literals = jqlOf(jira.requests).flatMap((jql) =>
      [...jql.matchAll(/(?:updated|created) (?:>=|<) ("[^"]*"|\S+)/g)].map((match) => match[1]),
    );
    expect(literals.length).toBeGreaterThan(10);
    for (const literal of literals)
      expect(literal).toMatch(how === 'epoch_ms' ? /^\d{12,13}$/ : /^"\d{4}-\d\d-\d\d \d\d:\d\d"$/);
  });

  it.each(JQL_TIMES)('trap 18: the last second of a minute is not left out (%s)', async (how) => {
    const site = siteOf(0);
    const minute = Math.floor((NOW - HOUR) / MINUTE) * MINUTE;
    // More in one minute than a page has, so that the minute is read as a window of its own.
    for (let i = 0; i < 12; i++) site.create('ABC', {}, { created: minute + i * 5454 });
    site.create('ABC', {}, { created: minute + MINUTE - 1 });
    site.create('ABC', {}, { created: minute + MINUTE });
    const few = flavour === 'cloud' ? { quirks: { pageRows: () => 4 } } : { maxResultsCap: 4 };
    await using jira = await startJira({ flavour, site, ...few });
    const run = await runTap(tapConfig(flavour, jira.url, { jql_time: how }));
    expect(idsOf(run)).toHaveLength(14);
    for (const jql of jqlOf(jira.requests)) expect(jql).not.toMatch(/<=| > /);
  });

  it('trap 19: versions of one answer with different offsets compare by instant', async () => {
    const site = siteOf(0, 0, { now: () => Date.parse('2026-11-01T12:00:00Z') });
    site.create('ABC', {}, { created: Date.parse('2026-11-01T06:30:00Z') }); // 01:30 -0500
    site.create('ABC', {}, { created: Date.parse('2026-11-01T07:10:00Z') }); // 01:10 -0600
    await using jira = await startJira({ flavour, site, ...inZone('America/Chicago') });
    const run = await runTap(tapConfig(flavour, jira.url));
    expect(run.records.map(({ record }) => record['updated'])).toEqual([
      '2026-11-01T06:30:00.000Z',
      '2026-11-01T07:10:00.000Z',
    ]);
    expect(run.records[0]!.text).toContain('"2026-11-01T01:30:00.000-05:00"');
    expect(run.records[1]!.text).toContain('"2026-11-01T01:10:00.000-06:00"');
  });

  it.each(['stale', 'dirty'] as const)(
    'trap 20: what the index shows late is read later (%s)',
    async (lag) => {
      let now = NOW;
      const site = siteOf(10, MINUTE, { now: () => now, lag });
      await using jira = await startJira({ flavour, site });
      const config = tapConfig(flavour, jira.url, { overlap_minutes: 10 });
      const bulk = await runTap(config);
      site.indexDelay = () => 4 * MINUTE;
      site.edit('10001', { summary: 'shown late' });
      now += MINUTE;
      site.indexDelay = () => 0;
      site.edit('10002', { summary: 'shown at once' });
      const second = await runTap(config, { state: bulk.state });
      expect(idsOf(second)).toContain('10002');
      now += 5 * MINUTE;
      const third = await runTap(config, { state: second.state });
      expect(idsOf(third)).toContain('10001');
      expect(idsOf(third)).not.toContain('10002');
      expect(lakeOf(bulk, second, third)).toEqual(truthOf(site));
    },
  );

  it('trap 20: an issue that a search shows, then not, then again is not lost', async () => {
    let now = NOW;
    const site = siteOf(10, MINUTE, { now: () => now });
    await using jira = await startJira({ flavour, site });
    const config = tapConfig(flavour, jira.url, { overlap_minutes: 30 });
    const bulk = await runTap(config);
    site.edit('10004', { summary: 'flaps' });
    site.hide('10004');
    now += MINUTE;
    const second = await runTap(config, { state: bulk.state });
    expect(second.error).toBeUndefined();
    expect(idsOf(second)).not.toContain('10004');
    site.show('10004');
    now += MINUTE;
    expect(idsOf(await runTap(config, { state: second.state }))).toEqual(['10004']);
  });

  it.each([-3, 3])("trap 21: windows follow the server's clock, %s hours from ours", async (hours) => {
    const now = Math.floor(Date.now() / 1000) * 1000 + hours * HOUR;
    const site = siteOf(0, 0, { now: () => now });
    site.create('ABC', {}, { created: now - MINUTE });
    await using jira = await startJira({ flavour, site });
    const clock = { ...hurriedClock, now: systemClock.now };
    const run = await runTap(tapConfig(flavour, jira.url), { clock });
    const until = Date.parse(String(projectState(run)['last_ingest_date']));
    expect(until).toBeLessThanOrEqual(now);
    expect(until).toBeGreaterThan(now - 2 * MINUTE);
    for (const jql of jqlOf(jira.requests)) expect(jql).not.toMatch(/-\d+[hmd]|now\(\)/);
  });

  it('trap 22: an update in the future is read once and hides no other', async () => {
    let now = NOW;
    const site = siteOf(10, MINUTE, { now: () => now });
    site.setUpdated('10003', NOW + 400 * 24 * HOUR);
    await using jira = await startJira({ flavour, site });
    const config = tapConfig(flavour, jira.url);
    const bulk = await runTap(config);
    expect(idsOf(bulk)).toHaveLength(10);
    expect(Date.parse(String(projectState(bulk)['last_ingest_date']))).toBeLessThanOrEqual(now);
    now += HOUR;
    site.edit('10005', { summary: 'edited' });
    const second = await runTap(config, { state: bulk.state });
    expect(idsOf(second)).toEqual(['10005']);
  });

  it('trap 22: an update that moves back, inside the overlap, is read', async () => {
    let now = NOW;
    const site = siteOf(10, MINUTE, { now: () => now });
    await using jira = await startJira({ flavour, site });
    const config = tapConfig(flavour, jira.url, { overlap_minutes: 60 });
    const bulk = await runTap(config);
    now += MINUTE;
    site.setUpdated('10010', site.get('10010')!.updated - 10 * MINUTE);
    expect(idsOf(await runTap(config, { state: bulk.state }))).toEqual(['10010']);
  });

  it('trap 23: a history that is younger than the update it made is read with it', async () => {
    const site = siteOf(3);
    site.edit('10002', { summary: 'edited' });
    await using jira = await startJira({ flavour, site });
    const run = await runTap(tapConfig(flavour, jira.url), { streams: ['issues', 'issue_changelogs'] });
    const history = run.records.find(({ stream }) => stream === 'issue_changelogs');
    expect(history!.record['issue_id']).toBe('10002');
    expect(Date.parse(String(history!.record['created']))).toBeGreaterThan(site.get('10002')!.updated);
  });

  it('trap 24: an issue that is edited all the time is read by every run, and every run ends', async () => {
    let now = NOW;
    const site = siteOf(20, MINUTE, { now: () => now });
    const few = flavour === 'cloud' ? { quirks: { pageRows: () => 4 } } : { maxResultsCap: 4 };
    await using jira = await startJira({
      flavour,
      site,
      ...few,
      onRequest: () => {
        now += 20_000;
        site.edit('10001', { summary: 'again' });
      },
    });
    let state = {};
    for (let i = 0; i < 4; i++) {
      const before = new Date(site.get('10001')!.updated).toISOString();
      const run = await runTap(tapConfig(flavour, jira.url), { state });
      expect(run.error).toBeUndefined();
      expect(lakeOf(run).get('10001')! >= before).toBe(true);
      state = run.state;
    }
  });

  it('trap 25: what does not move `updated` comes with the next change that does', async () => {
    let now = NOW;
    const site = siteOf(5, MINUTE, { now: () => now });
    await using jira = await startJira({ flavour, site });
    const config = tapConfig(flavour, jira.url);
    const bulk = await runTap(config);
    now += MINUTE;
    site.edit('10001', { votes: { votes: 7 } }, { silent: true });
    const second = await runTap(config, { state: bulk.state });
    expect(idsOf(second)).toEqual([]);
    now += MINUTE;
    site.edit('10001', { summary: 'edited' });
    const third = await runTap(config, { state: second.state });
    expect(third.records[0]!.record['fields']).toMatchObject({ votes: { votes: 7 }, summary: 'edited' });
  });
});
