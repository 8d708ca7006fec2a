import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startJira, type Jira } from '../support/jira/server.ts';
import { Site } from '../support/jira/site.ts';
import { Scratch, shell } from '../support/programs.ts';
import { openBucket, type Bucket } from '../support/s3-bucket.ts';
import { expectSamples, sampleSites, serve } from '../support/samples.ts';
import { tapConfig } from '../support/tap-config.ts';

const SERVER = process.env['S3_SERVER_BIN'];

describe.skipIf(SERVER === undefined || sampleSites.length === 0)(
  'issues of real sites (S3_SERVER_BIN, ../shared/jira-samples)',
  () => {
    let jira: Jira;
    let scratch: Scratch;
    let bucket: Bucket;
    beforeAll(async () => {
      jira = await startJira({ flavour: 'cloud', site: new Site() });
      scratch = await Scratch.open();
      bucket = await openBucket(SERVER!, scratch.path);
    });
    afterAll(async () => {
      await bucket[Symbol.asyncDispose]();
      await scratch[Symbol.asyncDispose]();
      await jira.close();
    });

    it.each(sampleSites)('$name arrive in a bucket', async ({ name, samples }) => {
      jira.use({ flavour: 'cloud', site: serve(samples, 'compact') });
      const prefix = name.replace(' ', '-');
      await scratch.write('tap.json', tapConfig('cloud', jira.url));
      await scratch.write('target.json', { ...bucket.config, s3_key_prefix: prefix });
      const line = 'set -o pipefail; tap-jira -c tap.json | target-s3 -c target.json';
      const { code, stderr } = await shell(line, { cwd: scratch.path });
      expect(code, stderr).toBe(0);
      expectSamples(await bucket.rows(`${prefix}/issues/`), samples);
    });
  },
);
