import { chmod, mkdir } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { once } from 'node:events';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { sampleSite } from './support/jira/sample-site.ts';
import { startJira, type Jira } from './support/jira/server.ts';
import { Site } from './support/jira/site.ts';
import { DEFAULT_USER } from './support/jira/state.ts';
import { FLAVOURS, tapConfig } from './support/tap-config.ts';
import { lastStateOf, recordsOf, runTapProgram, Scratch, shell, type Ended } from './support/programs.ts';

const SECRET = 'hunter2-very-secret';

let jira: Jira;
let scratch: Scratch;
beforeAll(async () => {
  jira = await startJira({ flavour: 'cloud', site: new Site() });
});
afterAll(() => jira.close());
beforeEach(async () => {
  scratch = await Scratch.open();
  jira.use({ flavour: 'datacenter', site: sampleSite({ issues: 60, projects: 3 }) });
});
afterEach(() => scratch[Symbol.asyncDispose]());

const good = (): object => tapConfig('datacenter', jira.url);

const tap = (...args: readonly string[]): Promise<Ended> => runTapProgram(args, { cwd: scratch.path });

/** What the program said that is not information. */
const complaints = (stderr: string): string[] =>
  stderr.split('\n').filter((line) => line !== '' && !/^(INFO|WARNING|DEBUG) /.test(line));

/** It ended with one line that says all of `words`, and told no secret. */
const expectOneLine = ({ code, stdout, stderr }: Ended, words: readonly string[], exit = 1): void => {
  expect(complaints(stderr)).toHaveLength(1);
  for (const word of words) expect(complaints(stderr)[0]).toContain(word);
  expect(stdout + stderr).not.toContain(SECRET);
  expect(code).toBe(exit);
};

type Case = { readonly what: string; readonly words: readonly string[]; readonly config: () => object };

const CONFIGS: readonly Case[] = [
  {
    what: 'an unknown setting',
    words: ['tap.json', 'projcts', 'projects'],
    config: () => ({ ...good(), projcts: ['PAY'] }),
  },
  {
    what: 'a missing setting',
    words: ['tap.json', 'base_url', 'missing'],
    config: () => ({ credentials: { auth_type: 'personal_access_token', token: SECRET } }),
  },
  {
    what: 'a missing credential',
    words: ['tap.json', 'credentials.password', 'missing'],
    config: () => ({
      base_url: jira.url,
      credentials: { auth_type: 'basic', username: 'ada', passwort: SECRET },
    }),
  },
  {
    what: 'an unknown kind of credential',
    words: ['tap.json', 'credentials', 'personal_access_token'],
    config: () => ({ base_url: jira.url, credentials: { auth_type: 'pat', token: SECRET } }),
  },
  {
    what: 'a setting of the wrong type',
    words: ['tap.json', 'page_size', 'number'],
    config: () => ({ ...good(), page_size: 'many' }),
  },
  {
    what: 'a setting out of its range',
    words: ['tap.json', 'page_size', '1000'],
    config: () => ({ ...good(), page_size: 5000 }),
  },
  {
    what: 'a secret of the wrong type',
    words: ['tap.json', 'credentials.token'],
    config: () => ({
      base_url: jira.url,
      credentials: { auth_type: 'personal_access_token', token: [SECRET] },
    }),
  },
  {
    what: 'an address without its scheme',
    words: ['tap.json', 'base_url', 'https://'],
    config: () => ({ ...good(), base_url: 'jira.example.com' }),
  },
  {
    what: 'an address with a password in it',
    words: ['base_url'],
    config: () => ({ ...good(), base_url: jira.url.replace('://', `://ada:${SECRET}@`) }),
  },
  {
    what: 'an unknown host',
    words: ['no-such-host.invalid', 'base_url'],
    config: () => ({ ...good(), base_url: 'http://no-such-host.invalid' }),
  },
  {
    what: 'a host that refuses',
    words: ['ECONNREFUSED', 'base_url'],
    config: () => ({ ...good(), base_url: 'http://127.0.0.1:59999/jira' }),
  },
  {
    what: 'another path of the right host',
    words: ['base_url', '404'],
    config: () => ({ ...good(), base_url: `${new URL(jira.url).origin}/wrong` }),
  },
  {
    what: 'a reference to a variable that is not set',
    words: ['credentials.token', 'NO_SUCH_VARIABLE'],
    config: () => ({
      base_url: jira.url,
      credentials: { auth_type: 'personal_access_token', token: 'env:NO_SUCH_VARIABLE' },
    }),
  },
];

describe('the tap, given a bad configuration', () => {
  it.each(CONFIGS)('names $what', async ({ config, words }) => {
    await scratch.write('tap.json', config());
    expectOneLine(await tap('-c', 'tap.json'), words);
  });

  it('names a file that is not JSON, and the place in it, and quotes nothing of it', async () => {
    await scratch.write('tap.json', `{\n  "credentials": { "token": "${SECRET}"\n  "base_url" }`);
    expectOneLine(await tap('-c', 'tap.json'), ['tap.json', 'line 3']);
  });

  it('names a file that is not there', async () => {
    expectOneLine(await tap('-c', 'nowhere.json'), ['nowhere.json', 'no such file']);
  });
});

describe('the tap, given a bad file', () => {
  beforeEach(() => scratch.write('tap.json', good()).then(() => undefined));

  const FILES = [
    ['a folder', '--state', (path: string) => mkdir(path), ['bad.json', 'EISDIR']],
    ['broken JSON', '--state', () => scratch.write('bad.json', '{"bookmarks": {'), ['bad.json']],
    ['another shape', '--state', () => scratch.write('bad.json', [1]), ['bad.json']],
    [
      'a wrong date',
      '--state',
      () =>
        scratch.write('bad.json', {
          bookmarks: { issues: { projects: { PAY: { last_ingest_date: 'yesterday' } } } },
        }),
      ['bad.json', 'bookmarks.issues', 'PAY.last_ingest_date', 'RFC 3339'],
    ],
    ['broken JSON', '--catalog', () => scratch.write('bad.json', '{"streams": ['), ['bad.json']],
    ['another shape', '--catalog', () => scratch.write('bad.json', { streams: 3 }), ['bad.json', 'streams']],
    [
      'an unknown stream',
      '--catalog',
      () => scratch.write('bad.json', { streams: [{ stream: 'isues', schema: {}, selected: true }] }),
      ['isues', 'issues'],
    ],
  ] as const;

  it.each(FILES)('names %s as %s', async (_what, option, make, words) => {
    await make(scratch.at('bad.json'));
    expectOneLine(await tap('-c', 'tap.json', option, 'bad.json'), words);
  });

  it('says so when a catalog selects nothing', async () => {
    await scratch.write('none.json', { streams: [{ tap_stream_id: 'issues', selected: false }] });
    const { stderr } = await tap('-c', 'tap.json', '--catalog', 'none.json');
    expect(stderr).toMatch(/^WARNING none\.json: selects no stream/m);
  });

  it.each(['--state', '--catalog'])('names a file for %s that is not there', async (option) => {
    expectOneLine(await tap('-c', 'tap.json', option, 'nowhere.json'), ['nowhere.json', 'no such file']);
  });

  it.skipIf(process.getuid?.() === 0)('names a file it may not read', async () => {
    await chmod(await scratch.write('secret.json', {}), 0);
    expectOneLine(await tap('-c', 'tap.json', '--state', 'secret.json'), ['secret.json', 'EACCES']);
  });

  it.each([[['--confg', 'tap.json']], [[]], [['-c', 'tap.json', 'stray']], [['-c', 'tap.json', '-s']]])(
    'answers the command line %j with 2',
    async (args) => {
      expectOneLine(await tap(...args), ['--help'], 2);
    },
  );
});

describe('the tap, with a Jira that', () => {
  it.each(FLAVOURS)('does not know a project (%s): the others finish', async (flavour) => {
    const site = sampleSite({ issues: 60, projects: 3 });
    jira.use({ flavour, site });
    await scratch.write('tap.json', tapConfig(flavour, jira.url, { projects: ['PAY', 'PAYY', 'WEB'] }));
    const ended = await tap('-c', 'tap.json');
    expect(ended.code).toBe(1);
    const [first, last, ...more] = complaints(ended.stderr);
    expect(first).toMatch(/UNKNOWN_PROJECT: project PAYY: .*visible: .*PAY/);
    expect(last).toMatch(/PROJECTS_FAILED: 1 of 3 projects failed \(PAYY\)/);
    expect(more).toEqual([]);
    const wanted = [...site.all()].filter(({ projectKey }) => ['PAY', 'WEB'].includes(projectKey));
    expect(recordsOf(ended.stdout)).toHaveLength(wanted.length);
    expect(lastStateOf(ended.stdout)).toMatchObject({
      bookmarks: { issues: { projects: { PAY: {}, WEB: {} } } },
    });
    expect(JSON.stringify(lastStateOf(ended.stdout))).not.toContain('PAYY');
  });

  it.each([
    ['datacenter', { auth_type: 'personal_access_token', token: SECRET }],
    ['datacenter', { auth_type: 'basic', username: 'ada', password: SECRET }],
    ['cloud', { auth_type: 'api_token', email: DEFAULT_USER.email, api_token: SECRET }],
  ] as const)('refuses the credentials (%s, %j) is asked once', async (flavour, credentials) => {
    jira.use({ flavour, site: sampleSite({ issues: 60 }) });
    await scratch.write('tap.json', { base_url: jira.url, credentials });
    expectOneLine(await tap('-c', 'tap.json'), ['AUTH', 'credentials']);
    expect(jira.loginFailures).toBe(1);
    expect(jira.requests).toHaveLength(1);
  });

  it('answers with a web page is no Jira', async () => {
    const page = { status: 200, headers: { 'content-type': 'text/html' }, body: '<html>Log in</html>' };
    jira.use({ flavour: 'datacenter', site: new Site({ projects: ['A'] }), respond: () => page });
    await scratch.write('tap.json', good());
    expectOneLine(await tap('-c', 'tap.json'), ['NOT_JIRA', 'web page', 'base_url']);
  });

  it('shows a web page in mid-run ends the run, with the state of what was read', async () => {
    const page = { status: 200, headers: { 'content-type': 'text/html' }, body: '<html>Log in</html>' };
    const respond = ({ number }: { number: number }): typeof page | undefined =>
      number > 12 ? page : undefined;
    jira.use({ flavour: 'datacenter', site: sampleSite({ issues: 200 }), respond });
    await scratch.write('tap.json', { ...good(), page_size: 10, pages_per_commit: 1, concurrency: 1 });
    const ended = await tap('-c', 'tap.json');
    expect(ended.code).toBe(1);
    expect(complaints(ended.stderr).at(-1)).toContain('NOT_JIRA');
    expect(lastStateOf(ended.stdout)).toBeDefined();
  });

  it('sends the client elsewhere gets no credentials there', async () => {
    const heard: string[] = [];
    const other = createServer((socket) => socket.on('data', (data) => heard.push(String(data))));
    other.listen(0, '127.0.0.1');
    await once(other, 'listening');
    const redirect = `http://127.0.0.1:${(other.address() as AddressInfo).port}/`;
    jira.use({ flavour: 'datacenter', site: new Site({ projects: ['A'] }), respond: () => ({ redirect }) });
    await scratch.write('tap.json', good());
    expectOneLine(await tap('-c', 'tap.json'), ['redirects to', redirect, 'base_url']);
    expect(heard).toEqual([]);
    other.close();
  });
});

const SCHEMA =
  '{"type":"SCHEMA","stream":"a","schema":{"properties":{"id":{"type":"integer"}}},"key_properties":["id"]}';
const STATE = '{"type":"STATE","value":{"at":1}}';

describe('the target, given bad input', () => {
  const LINES = [
    ['a line that is not JSON', [SCHEMA, STATE, '{"type":'], ['line 3']],
    ['a line that is not a message', [SCHEMA, STATE, '"hello"'], ['line 3']],
    [
      'a record before its schema',
      [STATE, '{"type":"RECORD","stream":"a","record":{"id":1}}'],
      ['line 2', 'RECORD_BEFORE_SCHEMA', 'a'],
    ],
    [
      'a record without its key',
      [SCHEMA, STATE, '{"type":"RECORD","stream":"a","record":{"x":1}}'],
      ['line 3', 'MISSING_KEY', 'id'],
    ],
  ] as const;

  it.each(LINES)('names %s, after the STATE that was durable', async (_what, lines, words) => {
    await scratch.write('target.json', { local_path: 'lake' });
    await scratch.write('input', lines.join('\n'));
    const ended = await shell('target-s3 -c target.json < input', { cwd: scratch.path });
    expectOneLine(ended, words);
    expect(ended.stdout).toBe('{"at":1}\n');
  });

  it('names a folder it cannot write', async () => {
    await scratch.write('file', '');
    await scratch.write('target.json', { local_path: 'file/lake' });
    const ended = await shell(`echo '${SCHEMA}' | target-s3 -c target.json`, { cwd: scratch.path });
    expectOneLine(ended, ['file/lake', 'local_path']);
  });
});
