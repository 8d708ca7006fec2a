import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startJira, type Jira } from './support/jira/server.ts';
import { Site } from './support/jira/site.ts';
import { rowsOf, Scratch, shell } from './support/programs.ts';
import { BUNDLES, expectSamples, sampleSites, serve } from './support/samples.ts';
import { tapConfig } from './support/tap-config.ts';

describe.skipIf(sampleSites.length === 0)('issues of real sites (../shared/jira-samples)', () => {
  let jira: Jira;
  beforeAll(async () => {
    jira = await startJira({ flavour: 'cloud', site: new Site() });
  });
  afterAll(() => jira.close());

  it('are there', () => {
    expect(sampleSites.flatMap(({ samples }) => samples).length).toBeGreaterThan(80);
    expect(new Set(sampleSites.map(({ name }) => name.split(' ')[0])).size).toBe(BUNDLES.length);
  });

  describe.each(sampleSites)('$name', ({ samples }) => {
    it.each([
      ['datacenter', 'as written'],
      ['cloud', 'compact'],
    ] as const)('arrive in a folder as %s served them, %s', async (flavour, spacing) => {
      await using scratch = await Scratch.open();
      jira.use({ flavour, site: serve(samples, spacing) });
      await scratch.write('tap.json', tapConfig(flavour, jira.url));
      await scratch.write('target.json', { local_path: 'lake' });
      const line = 'set -o pipefail; tap-jira -c tap.json | target-s3 -c target.json';
      const { code, stderr } = await shell(line, { cwd: scratch.path });
      expect(code, stderr).toBe(0);
      expectSamples(await rowsOf(scratch.at('lake'), 'issues'), samples);
    });
  });
});
