import { basename } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startFaultProxy, type FaultProxy, type Seen } from '../support/fault-proxy.ts';
import { Scratch } from '../support/programs.ts';
import { openBucket, type Bucket } from '../support/s3-bucket.ts';
import { runTargetProgram } from '../support/target-process.ts';
import { recordLine, schemaLine, stateLine } from '../support/target-run.ts';

const SERVER = process.env['S3_SERVER_BIN'];
const ROLE = 'arn:aws:iam::123456789012:role/lake-writer';
const INPUT = schemaLine('a') + recordLine('a', { id: 1 }) + stateLine(1);

/** Credentials as STS gives them, which end in so many seconds. */
function assumed(seconds: number): string {
  const end = new Date(Date.now() + seconds * 1000).toISOString();
  return `<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult><Credentials>
    <AccessKeyId>ASIASHORTLIVED</AccessKeyId><SecretAccessKey>short</SecretAccessKey>
    <SessionToken>short-token</SessionToken><Expiration>${end}</Expiration>
  </Credentials></AssumeRoleResult></AssumeRoleResponse>`;
}

describe.skipIf(SERVER === undefined || !basename(SERVER).startsWith('moto'))(
  'a role (S3_SERVER_BIN names moto, which has an STS)',
  () => {
    let scratch: Scratch;
    let bucket: Bucket;
    let proxy: FaultProxy;
    beforeAll(async () => {
      scratch = await Scratch.open();
      bucket = await openBucket(SERVER!, scratch.path);
      proxy = await startFaultProxy(bucket.config['aws_endpoint_url']!);
    });
    afterAll(async () => {
      await proxy[Symbol.asyncDispose]();
      await bucket[Symbol.asyncDispose]();
      await scratch[Symbol.asyncDispose]();
    });
    beforeEach(() => {
      proxy.seen.length = 0;
      proxy.decide = () => ({ kind: 'none' });
    });

    const isSts = ({ method, path, query }: Seen): boolean =>
      method === 'POST' && path === '/' && query === '';
    const run = async (settings: object): ReturnType<typeof runTargetProgram> => {
      const name = await scratch.write('t.json', {
        ...bucket.config,
        aws_endpoint_url: proxy.url,
        aws_region: 'eu-north-1',
        role_arn: ROLE,
        ...settings,
      });
      const env = { AWS_ENDPOINT_URL_STS: proxy.url };
      return runTargetProgram(['-c', name], INPUT, { cwd: scratch.path, env });
    };
    const writes = (): Seen[] => proxy.seen.filter(({ method }) => method === 'PUT');

    it('is taken with the external id, once, and what it gives signs every request', async () => {
      const { code, stdout, stderr } = await run({ external_id: 'between us', s3_key_prefix: 'role' });
      expect(stderr).not.toContain(bucket.config['aws_secret_access_key']);
      expect([code, stdout]).toEqual([0, '1\n']);
      expect(proxy.seen.filter(isSts)).toHaveLength(1);
      expect(writes().length).toBeGreaterThan(1);
      for (const { headers } of writes()) expect(headers['x-amz-security-token']).toMatch(/.+/);
      expect(await bucket.rows('role/a/')).toEqual(['{"id":1}']);
    });

    it('is taken again before its credentials end', async () => {
      proxy.decide = (seen) =>
        isSts(seen) ? { kind: 'answer', status: 200, body: assumed(30) } : { kind: 'none' };
      expect(await run({ s3_key_prefix: 'short' })).toMatchObject({ code: 0, stdout: '1\n' });
      expect(proxy.seen.filter(isSts).length).toBeGreaterThan(1);
      for (const { headers } of writes()) expect(headers['x-amz-security-token']).toBe('short-token');
    });

    it('that is refused ends the run with advice', async () => {
      const body =
        '<ErrorResponse><Error><Type>Sender</Type><Code>AccessDenied</Code><Message>not you</Message></Error></ErrorResponse>';
      proxy.decide = (seen) => (isSts(seen) ? { kind: 'answer', status: 403, body } : { kind: 'none' });
      const { code, stdout, stderr } = await run({ s3_key_prefix: 'refused' });
      expect([code, stdout]).toEqual([1, '']);
      expect(stderr).toMatch(/role_arn|sts:AssumeRole/);
    });
  },
);
