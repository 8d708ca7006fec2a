import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from './free-port.ts';

/** The AWS API on this machine. */
export type Aws = {
  /** What the AWS SDK reads from the environment. */
  readonly env: Readonly<Record<string, string>>;
  /** Asks a service that speaks JSON, such as `call('ssm', 'AmazonSSM.GetParameter', {...})`. */
  readonly call: <T = unknown>(service: string, target: string, body: object) => Promise<T>;
  /** Makes a user with one policy; returns what the AWS SDK needs to be that user. */
  readonly user: (policy: object) => Promise<Readonly<Record<string, string>>>;
  /** From the next request on, what no policy allows is refused. */
  readonly enforce: () => Promise<void>;
  /** Allows everything again. */
  readonly relax: () => Promise<void>;
  /** Forgets everything. */
  readonly reset: () => Promise<void>;
  readonly [Symbol.asyncDispose]: () => Promise<void>;
};

const LONGEST_START_MS = 30_000;
const EVERYTHING = 1_000_000;

/** Starts moto's server (`program`) on a free port. */
export async function startMoto(program: string): Promise<Aws> {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const server = spawn(program, ['-H', '127.0.0.1', '-p', String(port)], {
    env: { ...process.env, INITIAL_NO_AUTH_ACTION_COUNT: String(EVERYTHING) },
    stdio: 'ignore',
  });
  const post = async (path: string, headers: Record<string, string>, body: string): Promise<string> => {
    const response = await fetch(`${url}${path}`, { method: 'POST', headers, body });
    const text = await response.text();
    if (!response.ok) throw new Error(`${path} ${body.slice(0, 80)}: ${response.status} ${text}`);
    return text;
  };
  const signedFor = (service: string): string =>
    `AWS4-HMAC-SHA256 Credential=admin/20260101/us-east-1/${service}/aws4_request, SignedHeaders=host, Signature=0`;
  let users = 0;
  await untilReady(url);
  return {
    env: {
      AWS_ENDPOINT_URL: url,
      AWS_REGION: 'us-east-1',
      AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true',
      AWS_ACCESS_KEY_ID: 'test-access-key',
      AWS_SECRET_ACCESS_KEY: 'test-secret-key-hush',
    },
    call: async <T>(service: string, target: string, body: object) => {
      const headers = {
        authorization: signedFor(service),
        'content-type': 'application/x-amz-json-1.1',
        'x-amz-target': target,
      };
      return JSON.parse(await post('/', headers, JSON.stringify(body))) as T;
    },
    user: async (policy) => {
      const UserName = `user-${users++}`;
      const headers = {
        authorization: signedFor('iam'),
        'content-type': 'application/x-www-form-urlencoded',
      };
      const iam = (form: Readonly<Record<string, string>>): Promise<string> =>
        post('/', headers, new URLSearchParams({ ...form, UserName, Version: '2010-05-08' }).toString());
      await iam({ Action: 'CreateUser' });
      await iam({ Action: 'PutUserPolicy', PolicyName: 'p', PolicyDocument: JSON.stringify(policy) });
      const answer = await iam({ Action: 'CreateAccessKey' });
      const valueOf = (name: string): string => new RegExp(`<${name}>([^<]*)<`).exec(answer)![1]!;
      return {
        AWS_ACCESS_KEY_ID: valueOf('AccessKeyId'),
        AWS_SECRET_ACCESS_KEY: valueOf('SecretAccessKey'),
      };
    },
    enforce: async () => void (await post('/moto-api/reset-auth', {}, '0')),
    relax: async () => void (await post('/moto-api/reset-auth', {}, String(EVERYTHING))),
    reset: async () => void (await post('/moto-api/reset', {}, '')),
    [Symbol.asyncDispose]: async () => {
      if (server.exitCode !== null || server.signalCode !== null) return;
      server.kill();
      await once(server, 'exit');
    },
  };
}

async function untilReady(url: string): Promise<void> {
  const end = Date.now() + LONGEST_START_MS;
  for (;;) {
    try {
      await fetch(`${url}/moto-api/`);
      return;
    } catch (error) {
      if (Date.now() > end) throw error;
      await sleep(100);
    }
  }
}
