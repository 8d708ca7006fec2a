import { describe, expect, it } from 'vitest';
import { startJira } from '../../support/jira/server.ts';
import { runTap } from '../../support/run-tap.ts';
import { tapConfig } from '../../support/tap-config.ts';
import { allIds, idsOf, isCensus, NOW, projectState, siteOf } from './setup.ts';

const sixRows = { quirks: { pageRows: (asked: number) => Math.min(asked, 6) } };

describe("Cloud's page tokens", () => {
  it('trap 03: a token that repeats once begins the chain anew', async () => {
    const site = siteOf(30, 100);
    let census = 0;
    let token: string | undefined;
    await using jira = await startJira({
      flavour: 'cloud',
      site,
      ...sixRows,
      respond: (request) => {
        if (!isCensus(request) || !request.body.includes('nextPageToken') || ++census !== 3) return undefined;
        token = (JSON.parse(request.body) as { nextPageToken: string }).nextPageToken;
        const repeat = (body: string): string =>
          JSON.stringify({ ...(JSON.parse(body) as object), nextPageToken: token });
        return { rewrite: (answer) => ({ ...answer, body: repeat(String(answer.body)) }) };
      },
    });
    const run = await runTap(tapConfig('cloud', jira.url, { overlap_minutes: 0 }));
    expect(token).toBeDefined();
    expect(run.error).toBeUndefined();
    expect(idsOf(run).toSorted()).toEqual(allIds(site));
  });

  it('trap 03: tokens that always repeat end the run, and the project keeps its state', async () => {
    const site = siteOf(30, 100);
    await using jira = await startJira({
      flavour: 'cloud',
      site,
      quirks: { repeatToken: true, pageRows: () => 4 },
    });
    const run = await runTap(tapConfig('cloud', jira.url, { overlap_minutes: 0 }));
    expect(run.error).toMatchObject({ kind: 'transient', code: 'PROJECTS_FAILED' });
    expect(run.logged.join('\n')).toContain("Jira's page tokens lead in a circle");
    expect(projectState(run)).not.toHaveProperty('last_ingest_date');
    expect(jira.requests.length).toBeLessThan(40);
  });

  it('trap 04: an expired token begins the chain anew', async () => {
    let now = NOW;
    const site = siteOf(30, 100, { now: () => now });
    let expired = 0;
    let tokens = 0;
    await using jira = await startJira({
      flavour: 'cloud',
      site,
      ...sixRows,
      onRequest: (request) => {
        if (!isCensus(request)) return;
        tokens = request.body.includes('nextPageToken') ? tokens + 1 : 0;
        // Twice at the same place, so that two passes would agree on what they have not read.
        if (tokens === 2 && expired < 2) {
          expired++;
          now += 8 * 86_400_000;
        }
      },
    });
    const run = await runTap(tapConfig('cloud', jira.url, { overlap_minutes: 0 }));
    expect(jira.requests.filter(({ status }) => status === 400)).toHaveLength(2);
    expect(run.error).toBeUndefined();
    expect(idsOf(run).toSorted()).toEqual(allIds(site));
  });
});
