import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Scratch, type Ended } from '../support/programs.ts';
import { openBucket, type Bucket } from '../support/s3-bucket.ts';
import { runTargetProgram } from '../support/target-process.ts';
import { recordLine, schemaLine, stateLine } from '../support/target-run.ts';

const SERVER = process.env['S3_SERVER_BIN'];

describe.skipIf(SERVER === undefined)('a profile (S3_SERVER_BIN names the server)', () => {
  let scratch: Scratch;
  let bucket: Bucket;
  beforeAll(async () => {
    scratch = await Scratch.open();
    bucket = await openBucket(SERVER!, scratch.path);
    const { aws_access_key_id: id, aws_secret_access_key: secret } = bucket.config;
    const profiles = `[lake]\naws_access_key_id = ${id}\naws_secret_access_key = ${secret}\n`;
    await scratch.write('credentials', profiles);
  });
  afterAll(async () => {
    await bucket[Symbol.asyncDispose]();
    await scratch[Symbol.asyncDispose]();
  });

  const run = async (profile: string): Promise<Ended> => {
    const { s3_bucket, aws_endpoint_url } = bucket.config;
    await scratch.write('t.json', { s3_bucket, aws_endpoint_url, aws_profile: profile });
    const env = {
      AWS_SHARED_CREDENTIALS_FILE: scratch.at('credentials'),
      AWS_CONFIG_FILE: scratch.at('none'),
      AWS_EC2_METADATA_DISABLED: 'true',
    };
    const input = schemaLine('a') + recordLine('a', { id: 1 }) + stateLine(1);
    return runTargetProgram(['-c', 't.json'], input, { cwd: scratch.path, env });
  };

  it('gives the keys', async () => {
    expect(await run('lake')).toMatchObject({ code: 0, stdout: '1\n' });
    expect(await bucket.rows('a/')).toEqual(['{"id":1}']);
  });

  it('that is nowhere ends the run with advice', async () => {
    const { code, stdout, stderr } = await run('laek');
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr).toMatch(/CRITICAL STORE_CREDENTIALS: .*aws_profile/);
  });
});
