import { CreateBucketCommand, GetObjectCommand, paginateListObjectsV2, S3Client } from '@aws-sdk/client-s3';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { basename, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { gunzipSync } from 'node:zlib';

/** A bucket of a real S3 server. */
export type Bucket = {
  /** The settings with which target-s3 writes to it. */
  readonly config: Readonly<Record<string, string>>;
  /** Every line of the gzipped objects below a prefix. */
  readonly rows: (prefix: string) => Promise<string[]>;
  readonly [Symbol.asyncDispose]: () => Promise<void>;
};

const NAME = 'lake';
const ACCESS_KEY = 'test-access-key';
const SECRET_KEY = 'test-secret-key';
const LONGEST_START_MS = 20_000;

/** What the programs that serve S3 want to be told. */
const ARGUMENTS: Readonly<Record<string, (port: string, data: string) => readonly string[]>> = {
  minio: (port, data) => ['server', '--quiet', '--address', `127.0.0.1:${port}`, data],
  moto_server: (port) => ['-H', '127.0.0.1', '-p', port],
  versitygw: (port, data) => ['--quiet', '--port', `127.0.0.1:${port}`, 'posix', data],
};

/** Starts an S3 server (a program of `ARGUMENTS`) that keeps its data in `folder`, and makes a bucket. */
export async function openBucket(program: string, folder: string): Promise<Bucket> {
  const data = join(folder, 's3-data');
  await mkdir(data);
  const port = String(await freePort());
  const address = `127.0.0.1:${port}`;
  const args = Object.entries(ARGUMENTS).find(([name]) => basename(program).startsWith(name))![1](port, data);
  const credentials = {
    ROOT_ACCESS_KEY: ACCESS_KEY,
    ROOT_SECRET_KEY: SECRET_KEY,
    MINIO_ROOT_USER: ACCESS_KEY,
    MINIO_ROOT_PASSWORD: SECRET_KEY,
    MINIO_BROWSER: 'off',
  };
  const server = spawn(program, args, { env: { ...process.env, ...credentials }, stdio: 'ignore' });
  const client = new S3Client({
    endpoint: `http://${address}`,
    region: 'us-east-1',
    forcePathStyle: true,
    credentials: { accessKeyId: ACCESS_KEY, secretAccessKey: SECRET_KEY },
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
  });
  const close = async (): Promise<void> => {
    client.destroy();
    if (server.exitCode !== null || server.signalCode !== null) return;
    server.kill();
    await once(server, 'exit');
  };
  try {
    await createBucket(client);
  } catch (error) {
    await close();
    throw error;
  }
  const rows = async (prefix: string): Promise<string[]> => {
    const found: string[] = [];
    for await (const page of paginateListObjectsV2({ client }, { Bucket: NAME, Prefix: prefix }))
      for (const { Key } of page.Contents ?? []) {
        const object = await client.send(new GetObjectCommand({ Bucket: NAME, Key }));
        const text = gunzipSync(await object.Body!.transformToByteArray()).toString();
        found.push(...text.split('\n').filter((line) => line !== ''));
      }
    return found;
  };
  return {
    config: {
      s3_bucket: NAME,
      aws_endpoint_url: `http://${address}`,
      aws_access_key_id: ACCESS_KEY,
      aws_secret_access_key: SECRET_KEY,
    },
    rows,
    [Symbol.asyncDispose]: close,
  };
}

/** Makes the bucket, as soon as the server answers. */
async function createBucket(client: S3Client): Promise<void> {
  const end = Date.now() + LONGEST_START_MS;
  for (;;) {
    try {
      await client.send(new CreateBucketCommand({ Bucket: NAME }));
      return;
    } catch (error) {
      if (Date.now() > end) throw error;
      await sleep(100);
    }
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
