import { createPrivateKey, createPublicKey, generateKeyPairSync } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startJira, type Jira } from '../support/jira/server.ts';
import { startMoto, type Aws } from '../support/moto.ts';
import { recordsOf, runTapProgram, Scratch, type Ended } from '../support/programs.ts';
import { siteOf } from '../tap/traps/setup.ts';
import { logIn } from './log-in.ts';

const SERVER = process.env['MOTO_SERVER_BIN'];
const KEY = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey;
const PEM = KEY.export({ type: 'pkcs8', format: 'pem' }).toString();

type Parameter = {
  readonly Value: string;
  readonly Type: string;
  readonly Version: number;
  readonly KeyId?: string;
};

describe.skipIf(SERVER === undefined)('what the AWS blog post sets up (MOTO_SERVER_BIN names moto)', () => {
  let scratch: Scratch;
  let aws: Aws;
  let jira: Jira;
  let key: string;
  let config: string;
  beforeAll(async () => {
    aws = await startMoto(SERVER!);
  });
  afterAll(() => aws[Symbol.asyncDispose]());
  beforeEach(async () => {
    await aws.reset();
    scratch = await Scratch.open();
    const site = siteOf(3);
    site.now = Date.now;
    jira = await startJira({ flavour: 'datacenter', site });
    jira.oauth.link(
      'PostKey',
      createPublicKey(createPrivateKey(PEM)).export({ type: 'spki', format: 'pem' }).toString(),
    );
    const made = await aws.call<{ KeyMetadata: { KeyId: string } }>('kms', 'TrentService.CreateKey', {});
    key = made.KeyMetadata.KeyId;
    // The configuration is the example in the README, without even an address.
    const example = JSON.parse(readFileSync('examples/config/tap-blog-post.json', 'utf8')) as object;
    config = await scratch.write('tap.json', { ...example, base_url: undefined, projects: ['ABC'] });
  });
  afterEach(async () => {
    await jira.close();
    await scratch[Symbol.asyncDispose]();
  });

  const put = (name: string, value: string | object): Promise<unknown> =>
    aws.call('ssm', 'AmazonSSM.PutParameter', {
      Name: name,
      Value: typeof value === 'string' ? value : JSON.stringify(value),
      Type: 'SecureString',
      KeyId: key,
    });
  const get = async (name: string): Promise<Parameter> => {
    const { Parameters } = await aws.call<{ Parameters: Parameter[] }>(
      'ssm',
      'AmazonSSM.GetParameterHistory',
      { Name: name, WithDecryption: true },
    );
    return Parameters.at(-1)!;
  };
  const urls = (): object => ({
    request_token_url: `${jira.url}/plugins/servlet/oauth/request-token`,
    access_token_url: `${jira.url}/plugins/servlet/oauth/access-token`,
    authorize_url: `${jira.url}/plugins/servlet/oauth/authorize`,
    data_url: `${jira.url}/rest/api/2/search`,
    consumer_key: 'PostKey',
  });
  const run = (...args: string[]): Promise<Ended> =>
    runTapProgram([...args, '--config', config], { env: aws.env });

  it('works from logging in to reading: the token goes back into its parameter, under the same key', async () => {
    await put('jira_access_private_key', PEM);
    await put('jira_access_urls', urls());
    await put('jira_access_secrets', { remark: 'keep me', access_token: '' });
    const early = await run();
    expect(early).toMatchObject({ code: 1, stdout: '' });
    expect(early.stderr).toMatch(
      /credentials\.access_token: the JSON in parameter jira_access_secrets has an empty key "access_token" \(its keys: remark, access_token\); .*run tap-jira authorize/,
    );
    expect(await logIn(config, aws.env)).toMatchObject({ code: 0, stderr: '' });

    const { Value, Type, Version, KeyId } = await get('jira_access_secrets');
    expect({ Type, Version, KeyId }).toEqual({ Type: 'SecureString', Version: 2, KeyId: key });
    const secrets = JSON.parse(Value) as Record<string, string>;
    expect(Object.keys(secrets)).toEqual([
      'remark',
      'access_token',
      'access_token_secret',
      'session_handle',
      'expires_at',
      'session_expires_at',
    ]);
    expect(jira.oauth.accessTokens.has(secrets['access_token']!)).toBe(true);
    expect(await get('jira_access_private_key')).toMatchObject({ Value: PEM, Version: 1 });

    const ended = await run();
    expect(ended.code).toBe(0);
    expect(recordsOf(ended.stdout)).toHaveLength(3);
    for (const secret of [secrets['access_token']!, secrets['session_handle']!, PEM.split('\n')[3]!])
      expect(early.stderr + ended.stdout + ended.stderr).not.toContain(secret);
    expect(readFileSync(config, 'utf8')).not.toContain(secrets['access_token']);
  });

  it.each<[string, (token: string) => string | object]>([
    ['as a form', (token) => `oauth_token=${token}&oauth_token_secret=s%3D&oauth_expires_in=1`],
    ['as Python prints it', (token) => `{b'oauth_token': b'${token}', b'oauth_token_secret': b's'}`],
    ['as bytes of Python', (token) => `b'oauth_token=${token}&oauth_token_secret=s'`],
    ['as JSON', (token) => ({ oauth_token: token, oauth_token_secret: 's' })],
    ['alone', (token) => token],
  ])('works with a token that its notebook made, kept %s', async (_, kept) => {
    await put('jira_access_private_key', PEM);
    await put('jira_access_urls', urls());
    await put('jira_access_secrets', {});
    await logIn(config, aws.env);
    const { access_token: token } = JSON.parse((await get('jira_access_secrets')).Value) as Record<
      string,
      string
    >;
    await aws.call('ssm', 'AmazonSSM.PutParameter', {
      Name: 'jira_access_secrets',
      Value: JSON.stringify({ access_token: kept(token!) }),
      Overwrite: true,
    });
    const ended = await run();
    expect(ended.code, ended.stderr).toBe(0);
    expect(recordsOf(ended.stdout)).toHaveLength(3);
  });

  it('makes what is not there yet, as SecureStrings', async () => {
    await put('jira_access_urls', urls());
    const keygen = await run('authorize', '--keygen');
    expect(keygen).toMatchObject({ code: 0, stderr: '' });
    jira.oauth.link(
      'PostKey',
      /-----BEGIN PUBLIC KEY-----[\s\S]+-----END PUBLIC KEY-----/.exec(keygen.stdout)![0],
    );
    expect(await logIn(config, aws.env)).toMatchObject({ code: 0, stderr: '' });
    for (const name of ['jira_access_private_key', 'jira_access_secrets'])
      expect(await get(name)).toMatchObject({ Type: 'SecureString', Version: 1 });
    expect((await run()).code).toBe(0);
  });

  it('renews a token that ends soon, and keeps the new one there', async () => {
    await put('jira_access_private_key', PEM);
    await put('jira_access_urls', urls());
    await put('jira_access_secrets', {});
    jira.oauth.accessTokenSeconds = 3600;
    await logIn(config, aws.env);
    const before = JSON.parse((await get('jira_access_secrets')).Value) as Record<string, string>;
    expect((await run()).code).toBe(0);
    const after = JSON.parse((await get('jira_access_secrets')).Value) as Record<string, string>;
    expect(after['access_token']).not.toBe(before['access_token']);
    expect((await run()).code).toBe(0);
  });

  it('needs no more than the documented permissions, and names the one that is missing', async () => {
    await put('jira_access_private_key', PEM);
    await put('jira_access_urls', urls());
    await put('jira_access_secrets', {});
    const actions = ['ssm:GetParameter', 'ssm:GetParameterHistory', 'ssm:PutParameter'];
    for (const missing of [...actions, undefined]) {
      const Action = actions.filter((action) => action !== missing);
      const Statement = [{ Effect: 'Allow', Action, Resource: '*' }];
      const user = await aws.user({ Version: '2012-10-17', Statement });
      await aws.enforce();
      const { code, stderr } = await logIn(config, { ...aws.env, ...user });
      await aws.relax();
      expect(code, stderr).toBe(missing === undefined ? 0 : 1);
      if (missing !== undefined)
        expect(stderr).toMatch(
          new RegExp(`SECRETS: [\\w.]+: ${missing} on parameter jira_\\w+: .*; allow ${missing} for`),
        );
    }
  });
});
