import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startJira, type Jira } from '../support/jira/server.ts';
import { Site } from '../support/jira/site.ts';
import { FLAVOURS } from '../support/tap-config.ts';
import { play, scenario } from './model.ts';
import { naiveReader } from './naive.ts';

const SEED = 20_261_123;

let jira: Jira;
beforeAll(async () => {
  jira = await startJira({ flavour: 'cloud', site: new Site() });
});
afterAll(() => jira.close());

describe.each(FLAVOURS)('the naive walk on %s', (flavour) => {
  it('reads a site on which nothing happens', async () => {
    const quiet = scenario.map((history) => ({ ...history, flavour, events: [], crashes: [0], faults: [] }));
    await fc.assert(
      fc.asyncProperty(quiet, async (history) => {
        expect(await play(jira, history, naiveReader)).toEqual([]);
      }),
      { numRuns: 30, seed: SEED },
    );
  });

  it('loses changes in the histories in which the tap loses none', async () => {
    const histories = fc.sample(
      scenario.map((history) => ({ ...history, flavour })),
      { numRuns: 60, seed: SEED },
    );
    let lossy = 0;
    for (const history of histories) {
      if ((await play(jira, history, naiveReader)).length === 0) continue;
      lossy++;
      expect(await play(jira, history)).toEqual([]);
    }
    expect(lossy).toBeGreaterThan(1);
  });

  it('loses changes even when the index is up to date and nothing breaks', async () => {
    const histories = fc.sample(
      scenario.map((history) => ({ ...history, flavour, lagMs: 0, crashes: [0], faults: [] })),
      { numRuns: 60, seed: SEED },
    );
    let lossy = 0;
    for (const history of histories) if ((await play(jira, history, naiveReader)).length > 0) lossy++;
    expect(lossy).toBeGreaterThan(0);
  });
});
