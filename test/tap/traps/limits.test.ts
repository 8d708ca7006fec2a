import { describe, expect, it } from 'vitest';
import type { Fault } from '../../support/jira/http.ts';
import { startJira } from '../../support/jira/server.ts';
import { Site } from '../../support/jira/site.ts';
import type { RateLimit } from '../../support/jira/state.ts';
import { movingClock } from '../../support/moving-clock.ts';
import { runTap } from '../../support/run-tap.ts';
import { FLAVOURS, tapConfig } from '../../support/tap-config.ts';
import { allIds, idsOf, isBodies, isCensus, MINUTE, projectState, siteOf } from './setup.ts';

const LIMITED: readonly [string, Record<string, string>, number][] = [
  ['seconds', { 'Retry-After': '7' }, 7000],
  ['nothing', {}, 250],
  ['0', { 'Retry-After': '0' }, 250],
  [
    'an HTTP date',
    { 'Retry-After': 'Mon, 23 Nov 2026 10:00:42 GMT', Date: 'Mon, 23 Nov 2026 10:00:30 GMT' },
    12_000,
  ],
  [
    'a reset time',
    { 'X-RateLimit-Reset': '2026-11-23T10:01Z', Date: 'Mon, 23 Nov 2026 10:00:30 GMT' },
    30_000,
  ],
];

describe.each(FLAVOURS)('limits on %s', (flavour) => {
  it.each(LIMITED)('trap 35: a 429 whose Retry-After is %s is waited for', async (_, headers, least) => {
    const site = siteOf(5);
    let refused = 0;
    await using jira = await startJira({
      flavour,
      site,
      respond: (request) => (isCensus(request) && refused++ < 1 ? { status: 429, headers } : undefined),
    });
    const clock = movingClock();
    const run = await runTap(tapConfig(flavour, jira.url), { clock });
    expect(run.error).toBeUndefined();
    expect(idsOf(run)).toHaveLength(5);
    expect(Math.max(...clock.sleeps)).toBeGreaterThanOrEqual(least);
    expect(clock.sleeps.reduce((sum, ms) => sum + ms, 0)).toBeLessThan(2 * least + 1000);
  });

  it('trap 35: a user whose quota is zero is told at once', async () => {
    await using jira = await startJira({
      flavour,
      site: siteOf(5),
      respond: () => ({ status: 429, headers: { 'Retry-After': '9223372036854775807' } }),
    });
    const clock = movingClock();
    const run = await runTap(tapConfig(flavour, jira.url), { clock });
    expect(run.error).toMatchObject({ kind: 'transient', code: 'UNAVAILABLE' });
    expect(run.error!.message).toMatch(/rate of requests.*Retry-After: 9223372036854775807/);
    expect(jira.requests).toHaveLength(1);
    expect(clock.sleeps).toEqual([]);
  });

  it('trap 35: a web page instead of a JSON 429, and Retry-After: 0 on success, are what they are', async () => {
    let refused = 0;
    await using jira = await startJira({
      flavour,
      site: siteOf(5),
      respond: (request) => {
        if (isBodies(request) && refused++ === 0) return { status: 429, body: '<html>Too many</html>' };
        return {
          rewrite: (answer) => ({ ...answer, headers: { ...answer.headers, 'Retry-After': '0' } }),
        };
      },
    });
    const clock = movingClock();
    const run = await runTap(tapConfig(flavour, jira.url), { clock });
    expect(idsOf(run)).toHaveLength(5);
    expect(clock.sleeps).toHaveLength(1);
    for (const { headers } of jira.requests) expect(headers.accept).toBe('application/json');
  });

  it('trap 35: a limit that never ends uses up the budget, and the run ends', async () => {
    await using jira = await startJira({
      flavour,
      site: siteOf(5),
      respond: (request) =>
        isCensus(request) ? { status: 429, headers: { 'Retry-After': '60' } } : undefined,
    });
    const clock = movingClock();
    const run = await runTap(tapConfig(flavour, jira.url, { max_retry_seconds: 600 }), { clock });
    expect(run.error).toMatchObject({ kind: 'transient', code: 'UNAVAILABLE' });
    expect(clock.elapsed()).toBeGreaterThan(500_000);
    expect(clock.elapsed()).toBeLessThanOrEqual(700_000);
    expect(projectState(run)).toEqual({});
  });

  it.each([1, 3])('trap 36: the limit is not hit, with %s nodes that count for themselves', async (nodes) => {
    const clock = movingClock();
    const site = new Site({ now: clock.now, projects: ['ABC', 'DEF'] });
    for (let i = 0; i < 60; i++)
      site.create(i % 2 ? 'ABC' : 'DEF', {}, { created: clock.now() - i * MINUTE });
    const rateLimit: RateLimit =
      flavour === 'cloud'
        ? { kind: 'burst', limit: 10 }
        : { kind: 'bucket', limit: 12, fillRate: 3, intervalSeconds: 5 };
    await using jira = await startJira({
      flavour,
      site,
      nodes,
      rateLimit,
      onRequest: () => clock.advance(20),
    });
    const run = await runTap(tapConfig(flavour, jira.url, { page_size: 2 }), { clock });
    expect(run.error).toBeUndefined();
    expect(idsOf(run).toSorted()).toEqual(allIds(site));
    const refused = jira.requests.filter(({ status }) => status === 429).length;
    if (nodes === 1) expect(refused).toBe(0);
    else expect(refused).toBeLessThan(jira.requests.length / 3);
  });

  const OUTAGES: readonly [string, Fault][] = [
    ['maintenance (503, a web page)', { status: 503, body: '<html>Jira is down for maintenance</html>' }],
    ['a gateway (502)', { status: 502, body: '<html>bad gateway</html>' }],
    ['a gateway (504)', { status: 504, body: '' }],
    ['broken connections', { drop: true }],
    ['cut answers', { cut: 0.4 }],
  ];
  it.each(OUTAGES)('trap 37: %s for a while costs no issue', async (_, fault) => {
    const site = siteOf(40);
    const clock = movingClock();
    let began: number | undefined;
    await using jira = await startJira({
      flavour,
      site,
      respond: (request) => {
        if (isBodies(request)) began ??= clock.now();
        return began !== undefined && clock.now() < began + 60_000 ? fault : undefined;
      },
    });
    const run = await runTap(tapConfig(flavour, jira.url, { page_size: 8 }), { clock });
    expect(run.error).toBeUndefined();
    expect(run.tallies.get('ABC')).toMatchObject({ emitted: 40, gone: 0, unread: 0 });
    expect(idsOf(run)).toEqual(allIds(site));
  });

  it('trap 37: an outage longer than the budget ends the run, without a word about bad issues', async () => {
    const clock = movingClock();
    let down = false;
    await using jira = await startJira({
      flavour,
      site: siteOf(40),
      respond: (request) => {
        down ||= isBodies(request);
        return down ? { status: 502, body: '<html>bad gateway</html>' } : undefined;
      },
    });
    const run = await runTap(tapConfig(flavour, jira.url), { clock });
    expect(run.error).toMatchObject({ kind: 'transient' });
    expect(run.records).toEqual([]);
    expect(projectState(run)).toEqual({});
    expect(run.tallies.get('ABC')).toMatchObject({ unread: 0 });
  });

  it('trap 37: a login page in the middle of a run ends it, and the project keeps its state', async () => {
    const page = {
      status: 200,
      headers: { 'Content-Type': 'text/html' },
      body: '<!DOCTYPE html><form>Log in</form>',
    };
    await using jira = await startJira({
      flavour,
      site: siteOf(5),
      respond: (request) => (isBodies(request) ? page : undefined),
    });
    const run = await runTap(tapConfig(flavour, jira.url));
    expect(run.error).toMatchObject({ kind: 'config', code: 'NOT_JIRA' });
    expect(run.error!.message).toMatch(/a web page instead of JSON/);
    expect(projectState(run)).toEqual({});
    expect(jira.requests.filter(isBodies)).toHaveLength(1);
  });
});
