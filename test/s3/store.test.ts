import { randomBytes } from 'node:crypto';
import { basename } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../src/shared/clock.ts';
import { parseConfig } from '../../src/shared/config.ts';
import type { JsonObject } from '../../src/shared/json/value.ts';
import { Config } from '../../src/target/config.ts';
import { openStore } from '../../src/target/stores/open-store.ts';
import type { Store } from '../../src/target/stores/store.ts';
import { startFaultProxy, type Fault, type FaultProxy, type Seen } from '../support/fault-proxy.ts';
import { Scratch } from '../support/programs.ts';
import { openBucket, type Bucket } from '../support/s3-bucket.ts';
import { storeContract } from '../support/store-contract.ts';

const SERVER = process.env['S3_SERVER_BIN'];
/** Takes every key for good, and answers for crc64nvme with another sum. */
const IS_MOTO = SERVER !== undefined && basename(SERVER).startsWith('moto');
const SLOW_DOWN = '<Error><Code>SlowDown</Code><Message>Reduce your request rate.</Message></Error>';
const INTERNAL =
  '<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>InternalError</Code><Message>We encountered an internal error.</Message></Error>';

describe.skipIf(SERVER === undefined)('a bucket (S3_SERVER_BIN names the server)', () => {
  let scratch: Scratch;
  let bucket: Bucket;
  let proxy: FaultProxy;
  let prefix = 0;
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
    prefix++;
    proxy.decide = () => ({ kind: 'none' });
    proxy.seen.length = 0;
  });

  const open = (settings: JsonObject = {}): Promise<Store> =>
    openStore(
      parseConfig(Config, { ...bucket.config, ...settings }, () => 'test'),
      {},
      systemClock,
    );
  const proxied = (settings: JsonObject = {}): Promise<Store> =>
    open({ aws_endpoint_url: proxy.url, ...settings });

  /** Keys of a store begin anew in each test. */
  const below = (store: Store, start: string): Store => ({
    ...store,
    create: (key, contentType) => store.create(start + key, contentType),
    replace: (key, bytes) => store.replace(start + key, bytes),
    get: (key) => store.get(start + key),
    remove: (key) => store.remove(start + key),
    list: async function* (under) {
      for await (const object of store.list(start + under))
        yield { ...object, key: object.key.slice(start.length) };
    },
  });

  storeContract(async () => below(await open(), `contract${prefix}/`));

  const checksums = ['default', 'when_required', 'sha256', ...(IS_MOTO ? [] : ['crc64nvme'])];
  it.each(checksums)('takes checksum %s', async (checksum) => {
    const store = await open({ checksum });
    await store.create(`sum${prefix}/small`, 'text/plain').finish(Buffer.from('x'));
    const upload = store.create(`sum${prefix}/large`, 'text/plain');
    await upload.write(randomBytes(store.partBytes));
    await upload.finish(Buffer.from('rest'));
    expect((await store.get(`sum${prefix}/large`))?.length).toBe(store.partBytes + 4);
  });

  const keys = [
    ['a wrong key', { aws_secret_access_key: 'wrong-secret' }, 'STORE_CREDENTIALS'],
    ['an unknown key', { aws_access_key_id: 'nobody' }, 'STORE_CREDENTIALS'],
  ] as const;
  it.each([
    ...(IS_MOTO ? [] : keys),
    ['an unknown bucket', { s3_bucket: 'no-such-bucket' }, 'STORE_NO_BUCKET'],
    ['an address where nobody listens', { aws_endpoint_url: 'http://127.0.0.1:1' }, 'STORE_UNREACHABLE'],
  ] as const)('explains %s', async (_, settings, code) => {
    const store = await open(settings);
    const failure = store.replace('a', Buffer.from('x'));
    await expect(failure).rejects.toMatchObject({ code });
    await expect(failure).rejects.toThrow(/s3:PutObject on s3:\/\//);
  });

  const isPut = ({ method, query }: Seen): boolean => method === 'PUT' && !query.includes('partNumber');
  const isPart = ({ query }: Seen): boolean => query.includes('partNumber');
  const isComplete = ({ method, query }: Seen): boolean => method === 'POST' && query.includes('uploadId=');
  const isBegin = ({ method, query }: Seen): boolean => method === 'POST' && query.includes('uploads');

  const once = (which: (seen: Seen) => boolean, fault: Fault, times = 1): void => {
    let left = times;
    proxy.decide = (seen) => (which(seen) && left-- > 0 ? fault : { kind: 'none' });
  };

  const FAULTS: readonly (readonly [string, Fault])[] = [
    ['503 SlowDown', { kind: 'answer', status: 503, body: SLOW_DOWN }],
    ['500', { kind: 'answer', status: 500, body: INTERNAL }],
    ['a cut connection', { kind: 'cut before' }],
    ['a lost answer', { kind: 'cut after' }],
    ['an answer of 500 although it was done', { kind: 'answer after', status: 500, body: INTERNAL }],
    ['a request that arrives twice', { kind: 'twice' }],
  ];

  it.each(FAULTS)('writes a small object once in spite of %s', async (_, fault) => {
    const store = await proxied();
    once(isPut, fault);
    await store.create(`fault${prefix}/a`, 'text/plain').finish(Buffer.from('hello'));
    expect(Buffer.from((await store.get(`fault${prefix}/a`))!).toString()).toBe('hello');
  });

  it.each(
    FAULTS.flatMap(([name, fault]) =>
      (
        [
          ['begin', isBegin],
          ['part', isPart],
          ['complete', isComplete],
        ] as const
      ).map(([step, which]) => [step, name, which, fault] as const),
    ),
  )('writes a large object once when its %s meets %s', async (_step, _name, which, fault) => {
    const store = await proxied();
    once(which, fault);
    const part = randomBytes(store.partBytes);
    const upload = store.create(`fault${prefix}/a`, 'text/plain');
    await upload.write(part);
    await upload.finish(Buffer.from('rest'));
    const found = Buffer.from((await store.get(`fault${prefix}/a`))!);
    expect(found.equals(Buffer.concat([part, Buffer.from('rest')]))).toBe(true);
  });

  it('takes 200 with an error inside for a failure, and tries again', async () => {
    const store = await proxied();
    once(isComplete, { kind: 'answer', status: 200, body: INTERNAL });
    const upload = store.create(`fault${prefix}/a`, 'text/plain');
    await upload.write(randomBytes(store.partBytes));
    await upload.finish(Buffer.from('rest'));
    expect((await store.get(`fault${prefix}/a`))?.length).toBe(store.partBytes + 4);
  });

  it('tries again after 409', async () => {
    const store = await proxied();
    const body = '<Error><Code>ConditionalRequestConflict</Code><Message>Conflict.</Message></Error>';
    once(isPut, { kind: 'answer', status: 409, body }, 2);
    await store.create(`fault${prefix}/a`, 'text/plain').finish(Buffer.from('hello'));
    expect((await store.get(`fault${prefix}/a`))?.length).toBe(5);
  });

  it('does without conditions where the store does not know them', async () => {
    const store = await proxied();
    const body = '<Error><Code>NotImplemented</Code><Message>If-None-Match.</Message></Error>';
    once(isPut, { kind: 'answer', status: 501, body });
    await store.create(`fault${prefix}/a`, 'text/plain').finish(Buffer.from('hello'));
    expect((await store.get(`fault${prefix}/a`))?.length).toBe(5);
  });

  it('says which action is not allowed', async () => {
    const store = await proxied();
    const body = '<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>';
    once(isBegin, { kind: 'answer', status: 403, body });
    const upload = store.create(`fault${prefix}/a`, 'text/plain');
    await upload.write(randomBytes(store.partBytes));
    await expect(upload.finish(Buffer.from('rest'))).rejects.toThrow(
      /403 AccessDenied.*allow s3:PutObject on arn:aws:s3:::lake/,
    );
    await upload.abort();
  });

  it('leaves no parts behind when an upload fails', async () => {
    const store = await proxied();
    const body = '<Error><Code>InvalidRequest</Code><Message>No.</Message></Error>';
    once(isPart, { kind: 'answer', status: 400, body }, 99);
    const upload = store.create(`fault${prefix}/a`, 'text/plain');
    await upload.write(randomBytes(store.partBytes));
    await expect(upload.finish(Buffer.from('rest'))).rejects.toMatchObject({ code: 'STORE_REFUSED' });
    await upload.abort();
    expect(proxy.seen.at(-1)).toMatchObject({ method: 'DELETE' });
  });
});
