import { generateKeyPairSync } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Atlassian, CLIENT } from '../support/atlassian.ts';
import type { JiraRequest } from '../support/jira/http.ts';
import { startJira } from '../support/jira/server.ts';
import { startMoto, type Aws } from '../support/moto.ts';
import {
  recordsOf,
  rowsOf,
  runTapProgram,
  Scratch,
  shell,
  startTap,
  type Ended,
} from '../support/programs.ts';
import { siteOf } from '../tap/traps/setup.ts';
import { logIn } from './log-in.ts';

const SERVER = process.env['MOTO_SERVER_BIN'];

/** Where a refresh token can be kept, and the reference to it. */
const PLACES = [
  ['a parameter of its own', 'ssm:/jira/refresh-token', undefined],
  ['a parameter with JSON', 'ssm:/jira/login#refresh_token', 'refresh_token'],
  ['a secret of its own', 'secretsmanager:jira/refresh-token', undefined],
  ['a secret with JSON', 'secretsmanager:jira/login#refresh_token', 'refresh_token'],
] as const;

describe.skipIf(SERVER === undefined)('credentials that AWS keeps (MOTO_SERVER_BIN names moto)', () => {
  let scratch: Scratch;
  let aws: Aws;
  let atlassian: Atlassian;
  let onRequest: ((request: JiraRequest) => void) | undefined;
  beforeAll(async () => {
    aws = await startMoto(SERVER!);
  });
  afterAll(() => aws[Symbol.asyncDispose]());
  beforeEach(async () => {
    await aws.reset();
    onRequest = undefined;
    scratch = await Scratch.open();
    atlassian = await Atlassian.start({ site: siteOf(3), onRequest: (request) => onRequest?.(request) });
  });
  afterEach(async () => {
    await atlassian[Symbol.asyncDispose]();
    await scratch[Symbol.asyncDispose]();
  });

  const nameIn = (reference: string): string => /^\w+:([^#]+)/.exec(reference)![1]!;
  const create = async (reference: string, text: string): Promise<void> => {
    const Name = nameIn(reference);
    if (reference.startsWith('ssm:'))
      await aws.call('ssm', 'AmazonSSM.PutParameter', { Name, Value: text, Type: 'SecureString' });
    else await aws.call('secretsmanager', 'secretsmanager.CreateSecret', { Name, SecretString: text });
  };
  const read = async (reference: string): Promise<string> => {
    const Name = nameIn(reference);
    if (!reference.startsWith('ssm:'))
      return (
        await aws.call<{ SecretString: string }>('secretsmanager', 'secretsmanager.GetSecretValue', {
          SecretId: Name,
        })
      ).SecretString;
    const { Parameter } = await aws.call<{ Parameter: { Value: string } }>('ssm', 'AmazonSSM.GetParameter', {
      Name,
      WithDecryption: true,
    });
    return Parameter.Value;
  };
  const writeConfig = (refresh_token: string, more: object = {}): Promise<string> =>
    scratch.write('tap.json', atlassian.config({ refresh_token, ...more }));
  const expectWhole = ({ code, stdout, stderr }: Ended): void => {
    expect(code, stderr).toBe(0);
    expect(stdout + stderr).not.toMatch(/hush/);
    expect(recordsOf(stdout)).toHaveLength(3);
  };

  it.each(PLACES)(
    'a refresh token in %s is replaced there, by two processes at once as well',
    async (_, reference, key) => {
      const wrapped = (token: string): string =>
        key === undefined ? token : `{ "other": 9007199254740993,\n  "${key}": "${token}" }`;
      await create(reference, wrapped(atlassian.login()));
      const path = await writeConfig(reference);
      expectWhole(await runTapProgram(['--config', path], { env: aws.env }));
      const newest = [...atlassian.refreshTokens.keys()].at(-1)!;
      expect(await read(reference)).toBe(wrapped(newest));

      const both = [1, 2].map(() => startTap(['--config', path], { env: aws.env }));
      for (const { ended } of both) expectWhole(await ended);

      const victim = startTap(['--config', path], { env: aws.env });
      onRequest = ({ path: asked }) => {
        if (asked === '/oauth/token') setTimeout(() => victim.child.kill('SIGKILL'), 3);
      };
      await victim.ended;
      onRequest = undefined;
      expectWhole(await runTapProgram(['--config', path], { env: aws.env }));
    },
  );

  it('a login whose parts are in several places is put together', async () => {
    await create('secretsmanager:jira/app', JSON.stringify({ id: CLIENT.id, secret: CLIENT.secret }));
    await create('ssm:/jira/refresh-token', atlassian.login());
    const path = await writeConfig('ssm:/jira/refresh-token', {
      client_id: 'secretsmanager:jira/app#id',
      client_secret: 'secretsmanager:jira/app#secret',
    });
    expectWhole(await runTapProgram(['--config', path], { env: aws.env }));
  });

  it('tokens are asked for only if the next one may be written', async () => {
    for (const [reference, action] of [
      ['ssm:/jira/refresh-token', 'ssm:PutParameter'],
      ['secretsmanager:jira/refresh-token', 'secretsmanager:PutSecretValue'],
    ] as const) {
      await create(reference, atlassian.login());
      const path = await writeConfig(reference);
      const Action = ['ssm:GetParameter', 'ssm:GetParameterHistory', 'secretsmanager:GetSecretValue'];
      const Statement = [{ Effect: 'Allow', Action, Resource: '*' }];
      const user = await aws.user({ Version: '2012-10-17', Statement });
      await aws.enforce();
      const { code, stderr } = await runTapProgram(['--config', path], { env: { ...aws.env, ...user } });
      await aws.relax();
      expect(code).toBe(1);
      expect(stderr).toMatch(
        new RegExp(`SECRETS: credentials\\.refresh_token: ${action} on .*; allow ${action} for`),
      );
    }
    expect(atlassian.asked).toBe(0);
  });

  it('a configuration of the environment keeps its token in AWS', async () => {
    await create('ssm:/jira/refresh-token', atlassian.login());
    const { base_url, gateway_url, credentials } = atlassian.config({
      refresh_token: 'ssm:/jira/refresh-token',
    });
    const env = {
      ...aws.env,
      TAP_JIRA_BASE_URL: base_url,
      TAP_JIRA_GATEWAY_URL: gateway_url,
      TAP_JIRA_CREDENTIALS: JSON.stringify(credentials),
    };
    expectWhole(await runTapProgram(['--config=ENV'], { env }));
    expect(await read('ssm:/jira/refresh-token')).toBe([...atlassian.refreshTokens.keys()].at(-1));
  });

  it('OAuth 1.0a with everything in one secret', async () => {
    const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const site = siteOf(3);
    site.now = Date.now;
    await using jira = await startJira({ flavour: 'datacenter', site });
    jira.oauth.link('OauthKey', publicKey.export({ type: 'spki', format: 'pem' }).toString());
    const private_key = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
    await create('secretsmanager:jira', JSON.stringify({ private_key, access_token: 'none' }));
    const path = await scratch.write('tap.json', {
      base_url: jira.url,
      credentials: {
        auth_type: 'oauth1',
        private_key: 'secretsmanager:jira#private_key',
        access_token: 'secretsmanager:jira#access_token',
      },
    });
    expect(await logIn(path, aws.env)).toMatchObject({ code: 0, stderr: '' });
    const kept = JSON.parse(await read('secretsmanager:jira')) as Record<string, string>;
    expect(kept).toMatchObject({ private_key, expires_at: expect.any(String) });
    expect(jira.oauth.accessTokens.has(kept['access_token']!)).toBe(true);
    expectWhole(await runTapProgram(['--config', path], { env: aws.env }));
  });

  it('the target follows the same references', async () => {
    await create('ssm:/lake/folder', scratch.at('lake'));
    const target = await scratch.write('target.json', { local_path: 'ssm:/lake/folder' });
    await create('ssm:/jira/refresh-token', atlassian.login());
    const tap = await writeConfig('ssm:/jira/refresh-token');
    const line = `set -o pipefail; tap-jira --config ${tap} | target-s3 --config ${target}`;
    const { code, stderr } = await shell(line, { env: aws.env });
    expect(code, stderr).toBe(0);
    expect(await rowsOf(scratch.at('lake'), 'issues')).toHaveLength(3);
  });
});
