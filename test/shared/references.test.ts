import nock from 'nock';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { JsonObject } from '../../src/shared/json/value.ts';
import { references, resolveReferences } from '../../src/shared/references.ts';

const ENDPOINT = 'http://aws.test:4566';
const AWS = {
  AWS_ENDPOINT_URL: ENDPOINT,
  AWS_REGION: 'eu-central-1',
  AWS_ACCESS_KEY_ID: 'id',
  AWS_SECRET_ACCESS_KEY: 'key',
  AWS_EC2_METADATA_DISABLED: 'true',
  AWS_CONFIG_FILE: '/nowhere',
  AWS_SHARED_CREDENTIALS_FILE: '/nowhere',
  AWS_MAX_ATTEMPTS: '1',
  AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true',
};

type Asked = { readonly action: string; readonly body: JsonObject };
const asked: Asked[] = [];

/** Lets AWS answer by action; what is no `[status, body]` is the body of a 200. */
function answer(answers: Readonly<Record<string, JsonObject | readonly [number, JsonObject]>>): void {
  nock(ENDPOINT)
    .persist()
    .post('/')
    .reply(function (_uri, body) {
      const action = String(this.req.headers['x-amz-target']).split('.')[1]!;
      asked.push({ action, body: JSON.parse(String(body)) as JsonObject });
      const found = answers[action] ?? ([400, { __type: 'ParameterNotFound' }] as const);
      const [status, content] = Array.isArray(found)
        ? (found as [number, JsonObject])
        : [200, found as JsonObject];
      return [status, JSON.stringify(content), { 'content-type': 'application/x-amz-json-1.1' }];
    });
}
const parameter = (Value: string): JsonObject => ({ Parameter: { Value, Type: 'SecureString' } });
const resolve = (values: JsonObject): Promise<JsonObject> =>
  resolveReferences(values, references({}).reader());

const before = { ...process.env };
beforeAll(() => {
  Object.assign(process.env, AWS);
  nock.disableNetConnect();
});
afterEach(() => {
  nock.cleanAll();
  Object.assign(process.env, AWS);
  asked.length = 0;
});
afterAll(() => {
  nock.enableNetConnect();
  nock.restore();
  for (const name of Object.keys(AWS)) delete process.env[name];
  Object.assign(process.env, before);
});

describe('references to what AWS keeps', () => {
  it('are read decrypted, each parameter and secret once, whatever part of it is meant', async () => {
    answer({
      GetParameter: parameter('{"id":"i","number":7,"nested":{"a":1}}'),
      GetSecretValue: { SecretString: 'whole', VersionId: 'v' },
    });
    const values = {
      a: 'ssm:/jira/app#id',
      b: ['ssm:/jira/app#number', { c: 'ssm:/jira/app#nested' }],
      d: 'ssm:/jira/app',
      e: 'secretsmanager:arn:aws:secretsmanager:eu-central-1:1:secret:jira-AbCdEf',
      f: 'https://example.com/#ssm:x',
    };
    expect(await resolve(values)).toEqual({
      a: 'i',
      b: ['7', { c: '{"a":1}' }],
      d: '{"id":"i","number":7,"nested":{"a":1}}',
      e: 'whole',
      f: 'https://example.com/#ssm:x',
    });
    expect(asked.toSorted((a, b) => a.action.localeCompare(b.action))).toEqual([
      { action: 'GetParameter', body: { Name: '/jira/app', WithDecryption: true } },
      {
        action: 'GetSecretValue',
        body: { SecretId: 'arn:aws:secretsmanager:eu-central-1:1:secret:jira-AbCdEf' },
      },
    ]);
  });

  it('are not looked at, nor is the AWS SDK loaded, where there are none', async () => {
    expect(await resolve({ a: 'b', c: ['ssmx:y', 'ssm'] })).toEqual({ a: 'b', c: ['ssmx:y', 'ssm'] });
    expect(asked).toEqual([]);
  });

  const DENIED = { __type: 'AccessDeniedException' };
  const MAY_NOT = 'User: arn:aws:sts::1:assumed-role/x is not authorized to perform:';
  it.each<[string, string, JsonObject | readonly [number, JsonObject], RegExp]>([
    [
      'there is no such parameter',
      'ssm:/x',
      [400, { __type: 'ParameterNotFound' }],
      /^a\.b: there is no parameter \/x in this AWS account and region; check/,
    ],
    [
      'there is no such secret',
      'secretsmanager:x',
      [400, { __type: 'ResourceNotFoundException' }],
      /^a\.b: there is no secret x in/,
    ],
    [
      'the key is not there',
      'ssm:/x#key',
      parameter('{"one":"hush","two":"hush"}'),
      /^a\.b: the JSON in parameter \/x has no key "key" \(its keys: one, two\)$/,
    ],
    [
      'there is no JSON',
      'ssm:/x#key',
      parameter('hush'),
      /^a\.b: parameter \/x holds no JSON object; leave out "#"/,
    ],
    [
      'reading is not allowed',
      'ssm:/x',
      [400, { ...DENIED, message: `${MAY_NOT} ssm:GetParameter on resource` }],
      /^a\.b: ssm:GetParameter on parameter \/x: .*; allow ssm:GetParameter for these credentials$/,
    ],
    [
      'decrypting is not allowed',
      'ssm:/x',
      [400, { ...DENIED, message: `${MAY_NOT} kms:Decrypt on resource` }],
      /; allow kms:Decrypt on the KMS key that encrypts it$/,
    ],
    [
      'the key of KMS is gone',
      'ssm:/x',
      [400, { ...DENIED, message: 'The ciphertext refers to a customer master key that does not exist' }],
      /; allow kms:Decrypt on the KMS key/,
    ],
    [
      'a secret is not allowed',
      'secretsmanager:x',
      [400, { ...DENIED, message: `${MAY_NOT} secretsmanager:GetSecretValue on resource` }],
      /; allow secretsmanager:GetSecretValue for these credentials$/,
    ],
    ['a secret is binary', 'secretsmanager:x', { SecretBinary: 'aHVzaA==' }, /^a\.b: secret x is binary/],
    [
      'the credentials are wrong',
      'ssm:/x',
      [400, { __type: 'UnrecognizedClientException', message: 'The security token is invalid.' }],
      /^a\.b: .*AWS does not know who is asking .*AWS_PROFILE/,
    ],
    [
      'the name is no name',
      'ssm:/x',
      [400, { __type: 'ValidationException', message: 'Invalid name' }],
      /^a\.b: .*Invalid name\); check the reference$/,
    ],
  ])('say so when %s', async (_, text, found, expected) => {
    answer({ GetParameter: found, GetSecretValue: found });
    const failure = resolve({ a: { b: text } });
    await expect(failure).rejects.toThrow(expected);
    await expect(failure).rejects.not.toThrow(/hush/);
    await expect(failure).rejects.toMatchObject({ kind: 'config', code: 'SECRETS' });
  });

  it('say so when AWS is not well', async () => {
    answer({ GetParameter: [500, { __type: 'InternalServerError' }] });
    await expect(resolve({ a: 'ssm:/x' })).rejects.toMatchObject({ kind: 'transient', code: 'SECRETS' });
  });

  it('say so when no region is set, or no credentials', async () => {
    delete process.env['AWS_REGION'];
    await expect(resolve({ a: 'ssm:/x' })).rejects.toThrow(/^a: .*: AWS_REGION is not set/);
    process.env['AWS_REGION'] = 'eu-central-1';
    delete process.env['AWS_ACCESS_KEY_ID'];
    await expect(resolve({ a: 'ssm:/x' })).rejects.toThrow(
      /AWS does not know who is asking \(CredentialsProviderError/,
    );
  });
});

describe('what AWS keeps is replaced', () => {
  it('as it was kept, other keys and their layout untouched, in one request for all members', async () => {
    answer({
      GetParameter: parameter('{ "a": 1,\n  "token": "old" }'),
      GetParameterHistory: { Parameters: [{ Type: 'SecureString', KeyId: 'alias/k', Tier: 'Advanced' }] },
      PutParameter: {},
    });
    await references({}).write([
      { reference: 'ssm:/x#token', setting: 't', text: 'new' },
      { reference: 'ssm:/x#more', setting: 'm', text: 'and "this"' },
    ]);
    expect(asked.map(({ action }) => action)).toEqual([
      'GetParameter',
      'GetParameterHistory',
      'PutParameter',
    ]);
    expect(asked.at(-1)!.body).toEqual({
      Name: '/x',
      Value: '{ "a": 1,\n  "token": "new",\n  "more": "and \\"this\\"" }',
      Type: 'SecureString',
      KeyId: 'alias/k',
      Tier: 'Advanced',
      Overwrite: true,
    });
  });

  it('and a trial changes nothing', async () => {
    const history = { Parameters: [{ Type: 'String' }] };
    answer({
      GetParameter: parameter('text'),
      GetParameterHistory: history,
      PutParameter: [400, { __type: 'ParameterAlreadyExists' }],
      GetSecretValue: { SecretString: 'text', VersionId: '8ff5b1a5-5f0c-4c61-9d4d-0f1d3c1f5f11' },
      PutSecretValue: {},
    });
    await references({}).expectWritable([
      { reference: 'ssm:/x#a', setting: 'a' },
      { reference: 'ssm:/x#b', setting: 'b' },
      { reference: 'secretsmanager:x', setting: 'c' },
    ]);
    const puts = asked.filter(({ action }) => action.startsWith('Put')).map(({ body }) => body);
    expect(puts).toEqual([
      { Name: '/x', Value: 'text', Type: 'String', Overwrite: false },
      { SecretId: 'x', SecretString: 'text', ClientRequestToken: '8ff5b1a5-5f0c-4c61-9d4d-0f1d3c1f5f11' },
    ]);
  });

  it('or the error names what is missing', async () => {
    const message = 'User is not authorized to perform: kms:GenerateDataKey on the resource';
    const denied = [400, { __type: 'AccessDeniedException', message }] as const;
    answer({
      GetParameter: parameter('x'),
      GetParameterHistory: { Parameters: [{ Type: 'SecureString' }] },
      PutParameter: denied,
      PutSecretValue: [400, { __type: 'ResourceNotFoundException' }],
    });
    const write = (reference: string) => references({}).write([{ reference, setting: 's', text: 'hush' }]);
    await expect(write('ssm:/x')).rejects.toThrow(
      /^s: ssm:PutParameter on parameter \/x: .*; allow kms:GenerateDataKey on the KMS key/,
    );
    await expect(write('secretsmanager:x')).rejects.toThrow(
      /no secret x to write to; create it: aws secretsmanager/,
    );
  });
});
