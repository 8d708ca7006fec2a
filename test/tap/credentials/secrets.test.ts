import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { Atlassian, CLIENT } from '../../support/atlassian.ts';
import type { Fault, JiraRequest } from '../../support/jira/http.ts';
import { startJira } from '../../support/jira/server.ts';
import { Scratch, shell, type Ended } from '../../support/programs.ts';
import { siteOf } from '../traps/setup.ts';

const PEM = generateKeyPairSync('rsa', { modulusLength: 2048 })
  .privateKey.export({ type: 'pkcs8', format: 'pem' })
  .toString();
const PASSWORD = 'pass word/hush&"+ä';
const PROXY_PASSWORD = 'proxy-hush';

type Kind = {
  readonly credentials: Readonly<Record<string, string>>;
  readonly secrets: readonly string[];
};

const KINDS: Readonly<Record<string, Kind>> = {
  'a personal access token': {
    credentials: { auth_type: 'personal_access_token', token: 'token-hush' },
    secrets: ['token-hush'],
  },
  'a password': {
    credentials: { auth_type: 'basic', username: 'ada', password: PASSWORD },
    secrets: [PASSWORD, Buffer.from(`ada:${PASSWORD}`).toString('base64')],
  },
  'an API token': {
    credentials: { auth_type: 'api_token', email: 'a@b.c', api_token: 'token-hush' },
    secrets: ['token-hush', Buffer.from('a@b.c:token-hush').toString('base64')],
  },
  'OAuth 1.0a': {
    credentials: {
      auth_type: 'oauth1',
      private_key: PEM,
      access_token: 'token-hush',
      access_token_secret: 'secret-hush',
      session_handle: 'handle-hush',
      expires_at: '2020-01-01T00:00:00Z',
    },
    secrets: ['token-hush', 'secret-hush', 'handle-hush', ...PEM.split('\n').slice(1, 4)],
  },
  'a service account': {
    credentials: { auth_type: 'service_account', token: 'token-hush' },
    secrets: ['token-hush'],
  },
};

/** How an unkind server answers: with everything that it was sent, and everything that it knows. */
function echo(request: JiraRequest, secrets: readonly string[]): Fault {
  const sent = `${request.headers.authorization ?? ''} ${request.body}`;
  const body = { errorMessages: [`refused: ${sent}`, ...secrets], errors: { token: secrets.join(' ') } };
  return { status: 400, body };
}

/** Fails with its log as text and as JSON, or with every command; returns all that was said, stored, and shown of the process to others. */
async function fail(folder: Scratch, config: object, everywhere = false): Promise<string> {
  const tap = await folder.write('tap.json', config);
  const stream = { name: 'issues', json_schema: {}, supported_sync_modes: ['full_refresh'] };
  const catalog = await folder.write('catalog.json', {
    streams: [{ stream, sync_mode: 'full_refresh', destination_sync_mode: 'append' }],
  });
  const target = await folder.write('target.json', { local_path: folder.at('lake') });
  const commands = [
    `tap-jira --config ${tap} --log-level debug`,
    `tap-jira check --config ${tap} --log-level debug --log-format json`,
    `tap-jira --config ${tap} --log-level debug --log-format json | target-s3 --config ${target} --log-level debug`,
    `tap-jira read --config ${tap} --catalog ${catalog} --log-level debug`,
  ];
  const ended: Ended[] = [];
  for (const command of everywhere ? commands : commands.slice(0, 2))
    ended.push(await shell(`${command} & sleep 0.1; cat /proc/$!/cmdline 2> /dev/null; wait`));
  ended.push(await shell(`find ${folder.at('lake')} -type f -exec zcat -f {} + 2> /dev/null`));
  const lines = ended.flatMap(({ stdout, stderr }) => `${stdout}\n${stderr}`.split('\n'));
  // What Airbyte is to keep goes to Airbyte: the whole configuration, by its protocol.
  return lines.filter((line) => !line.slice(line.indexOf('{')).startsWith('{"type":"CONTROL"')).join('\n');
}

function expectNone(text: string, secrets: readonly string[]): void {
  const found = secrets.filter((secret) =>
    [secret, encodeURIComponent(secret), JSON.stringify(secret).slice(1, -1)].some((form) =>
      text.includes(form),
    ),
  );
  expect(found, text).toEqual([]);
}

describe('no output of a failing run has a secret in it, even if the server repeats it:', () => {
  it.each(Object.entries(KINDS))('%s', async (_, { credentials, secrets }) => {
    await using folder = await Scratch.open();
    await using jira = await startJira({
      flavour: 'datacenter',
      site: siteOf(1),
      respond: (request) => echo(request, secrets),
    });
    const gateway = { gateway_url: jira.url, cloud_id: 'x' };
    const said = await fail(
      folder,
      { base_url: jira.url, ...gateway, credentials, max_retry_seconds: 0 },
      credentials['auth_type'] === 'oauth1',
    );
    expect(said).toMatch(/REFUSED|AUTH|refused/);
    expect(said).toContain('***');
    expectNone(said, secrets);
  });

  it('OAuth 2.0, with tokens that were made on the way', async () => {
    await using folder = await Scratch.open();
    const known = (): string[] => [
      CLIENT.secret,
      ...atlassian.refreshTokens.keys(),
      ...atlassian.accessTokens.keys(),
    ];
    /** What a server can repeat of one run. */
    const newest = (): string[] => [
      CLIENT.secret,
      ...[...atlassian.refreshTokens.keys()].slice(-2),
      ...[...atlassian.accessTokens.keys()].slice(-1),
    ];
    await using atlassian: Atlassian = await Atlassian.start({
      site: siteOf(1),
      respond: (request) => (request.path.includes('/rest/') ? echo(request, newest()) : undefined),
    });
    const said = await fail(folder, atlassian.config(), true);
    expect(said).toContain('***');
    expect(known().length).toBeGreaterThan(5);
    expectNone(said, known());
  });

  it('a proxy with a password', async () => {
    await using folder = await Scratch.open();
    const proxy_url = `http://me:${PROXY_PASSWORD}@127.0.0.1:1`;
    const said = await fail(folder, {
      base_url: 'https://jira.example',
      credentials: KINDS['a password']!.credentials,
      proxy_url,
      max_retry_seconds: 0,
    });
    expect(said).toContain('CONNECT');
    expectNone(said, [PROXY_PASSWORD, PASSWORD, Buffer.from(`me:${PROXY_PASSWORD}`).toString('base64')]);
  });

  it('a configuration that is refused', async () => {
    await using folder = await Scratch.open();
    const said = await fail(folder, {
      base_url: 7,
      credentials: { auth_type: 'basic', username: 'ada', password: PASSWORD, oops: 'other-hush' },
      proxy_url: `me:${PROXY_PASSWORD}@proxy`,
    });
    expect(said).toContain('CONFIG');
    expectNone(said, [PASSWORD, PROXY_PASSWORD, 'other-hush']);
  });
});
