import { Writable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { parseConfig } from '../../../src/shared/config.ts';
import type { JsonObject } from '../../../src/shared/json/value.ts';
import { LineWriter } from '../../../src/shared/lines.ts';
import { read } from '../../../src/tap/airbyte/read.ts';
import { TapConfig } from '../../../src/tap/config.ts';
import type { JiraOptions } from '../../support/jira/state.ts';
import { startJira } from '../../support/jira/server.ts';
import { sampleSite } from '../../support/jira/sample-site.ts';
import {
  airbyteMessages,
  configuredCatalog,
  dataOf,
  errorsOf,
  lastStates,
  statusesOf,
  type AirbyteMessage,
} from '../../support/airbyte.ts';
import { messagesOf, runTapProgram, Scratch, startTap } from '../../support/programs.ts';
import { hurriedClock } from '../../support/run-tap.ts';
import { FLAVOURS, tapConfig } from '../../support/tap-config.ts';
import { isCensus } from '../traps/setup.ts';

const CHILDREN = ['issue_comments', 'issue_worklogs', 'issue_changelogs'];
const ALL = ['issues', ...CHILDREN];

type Said = { readonly code: number; readonly messages: AirbyteMessage[] };
type Files = Readonly<Record<string, unknown>>;

/** A simulated Jira, and how to run the built source against it. */
async function setUp(options: Partial<JiraOptions> & Pick<JiraOptions, 'flavour'>) {
  const site = options.site ?? sampleSite({ issues: 60, projects: 3, seed: 1 });
  const jira = await startJira({ ...options, site });
  const scratch = await Scratch.open();
  const write = (files: Files): Promise<[string, string][]> =>
    Promise.all(
      Object.entries(files).map(async ([name, content]) => [
        name,
        await scratch.write(`${name}.json`, content),
      ]),
    );
  /** Runs the built program. */
  const say = async (verb: string, files: Files = {}): Promise<Said> => {
    const args = (await write(files)).flatMap(([name, path]) => [`--${name}`, path]);
    const { code, stdout, stderr } = await runTapProgram([verb, ...args]);
    expect(stderr).toBe('');
    return { code, messages: airbyteMessages(stdout) };
  };
  /** Does what `read` does in this process, which is quicker. */
  const readHere = async ({ config, ...files }: Files & { readonly config: JsonObject }): Promise<Said> => {
    const pieces: Buffer[] = [];
    const out = new Writable({
      write: (piece: Buffer, _encoding, done) => {
        pieces.push(Buffer.from(piece));
        done();
      },
    });
    const { catalog = '', state } = Object.fromEntries(await write(files));
    const code = await read({
      setup: async () => ({
        config: parseConfig(TapConfig, config, () => 'config'),
        written: config,
        store: { name: 'config', load: async () => ({}), save: async () => undefined },
      }),
      catalog,
      ...(state === undefined ? {} : { state }),
      out: new LineWriter(out),
      logLevel: 'info',
      clock: hurriedClock,
      signal: new AbortController().signal,
    });
    return { code, messages: airbyteMessages(String(Buffer.concat(pieces))) };
  };
  return {
    site,
    jira,
    scratch,
    say,
    readHere,
    config: tapConfig(options.flavour, jira.url, { overlap_minutes: 0, page_size: 10, max_retry_seconds: 5 }),
    [Symbol.asyncDispose]: async () => {
      await jira.close();
      await scratch[Symbol.asyncDispose]();
    },
  };
}

/** For each stream: starts first, ends last, every record counted by the STATE after it. */
function expectWellTold(messages: readonly AirbyteMessage[], names: readonly string[]): void {
  for (const name of names) {
    const own = messages.filter(
      ({ record, state, trace }) =>
        [record?.stream, state?.stream.stream_descriptor.name].includes(name) ||
        trace?.stream_status?.stream_descriptor.name === name,
    );
    const words = own.map(({ type, trace }) => trace?.stream_status?.status ?? type);
    expect(words[0]).toBe('STARTED');
    expect(words.at(-1)).toBe('COMPLETE');
    expect(words).toContain('STATE');
    if (words.includes('RECORD')) expect(words.indexOf('RUNNING')).toBeLessThan(words.indexOf('RECORD'));
    let records = 0;
    for (const { record, state } of own) {
      if (record !== undefined) records++;
      if (state === undefined) continue;
      expect(state.sourceStats.recordCount).toBe(records);
      records = 0;
    }
    expect(records).toBe(0);
  }
}

const idsOf = (messages: readonly AirbyteMessage[], stream?: string): string[] =>
  dataOf(messages, stream)
    .map(({ id }) => String(id))
    .toSorted();

describe.each(FLAVOURS)('the source on %s', (flavour) => {
  it('answers check and read in messages of the protocol, with the records that Singer gets', async () => {
    await using host = await setUp({ flavour });
    const check = await host.say('check', { config: host.config });
    expect(check.messages.at(-1)).toEqual({
      type: 'CONNECTION_STATUS',
      connectionStatus: { status: 'SUCCEEDED' },
    });
    expect(check.messages.slice(0, -1).every(({ log }) => log?.level === 'INFO')).toBe(true);
    const read = await host.say('read', { config: host.config, catalog: configuredCatalog(ALL), state: [] });
    expect([check.code, read.code]).toEqual([0, 0]);
    expectWellTold(read.messages, ALL);
    expect(idsOf(read.messages)).toEqual([...host.site.all()].map(({ id }) => id).toSorted());

    const { stdout } = await runTapProgram([
      '--config',
      host.scratch.at('config.json'),
      '--catalog',
      await host.scratch.write('singer.json', { streams: ALL.map((name) => ({ tap_stream_id: name })) }),
    ]);
    const singer = messagesOf(stdout).flatMap((message) =>
      message.type === 'RECORD' ? [`${message.stream} ${JSON.stringify(message.record)}`] : [],
    );
    const airbyte = read.messages.flatMap(({ record }) =>
      record === undefined ? [] : [`${record.stream} ${JSON.stringify(record.data)}`],
    );
    expect(airbyte.toSorted()).toEqual(singer.toSorted());
  });

  it('reads only what has changed from its state on, and everything in a full refresh', async () => {
    let now = Date.now();
    await using host = await setUp({
      flavour,
      site: sampleSite({ issues: 60, projects: 3, seed: 1, now: () => now }),
    });
    const catalog = configuredCatalog(ALL);
    const first = await host.readHere({ config: host.config, catalog });
    const state = lastStates(first.messages);
    now += 600_000;
    const changed = [...host.site.all()].filter((_, i) => i % 20 === 0).map(({ id }) => id);
    for (const id of changed) host.site.edit(id, { summary: 'edited' });
    now += 60_000;
    const second = await host.readHere({ config: host.config, catalog, state });
    expect(idsOf(second.messages)).toEqual(changed.toSorted());
    expectWellTold(second.messages, ALL);
    const anew = configuredCatalog(['issues'], 'full_refresh');
    const full = await host.readHere({ config: host.config, catalog: anew, state });
    expect(idsOf(full.messages)).toEqual(idsOf(first.messages));
    expectWellTold(full.messages, ['issues']);
    const future = JSON.stringify(lastStates(second.messages)).replaceAll(
      /"last_ingest_date":"\d+/g,
      '"last_ingest_date":"2099',
    );
    for (const later of [lastStates(second.messages), future]) {
      const nothing = await host.readHere({ config: host.config, catalog, state: later });
      expect(idsOf(nothing.messages)).toEqual([]);
      expectWellTold(nothing.messages, ALL);
    }
  });

  it('whose one project fails is incomplete, says why, and reads the others', async () => {
    await using host = await setUp({
      flavour,
      respond: (request) =>
        isCensus(request) && request.body.includes('PAY')
          ? { status: 403, body: { errorMessages: ['no'] } }
          : undefined,
    });
    const catalog = configuredCatalog(['issues', 'issue_comments', '__AIRBYTE__stream_that_does_not_exist']);
    const { code, messages } = await host.readHere({ config: host.config, catalog });
    expect(code).toBe(1);
    expect(statusesOf(messages)).toEqual({
      issues: ['STARTED', 'RUNNING', 'INCOMPLETE'],
      issue_comments: ['STARTED', 'RUNNING', 'INCOMPLETE'],
      __AIRBYTE__stream_that_does_not_exist: ['STARTED', 'INCOMPLETE'],
    });
    const told = errorsOf(messages);
    expect(told.map(({ stream_descriptor: stream }) => stream?.name)).toEqual([
      'issues',
      'issue_comments',
      '__AIRBYTE__stream_that_does_not_exist',
      undefined,
    ]);
    expect(told[0]!.message).toContain('PAY');
    expect(told[2]!.message).toContain('does not exist');
    expect(new Set(told.map(({ failure_type: type }) => type))).toEqual(new Set(['config_error']));
    const others = [...host.site.all()].filter(({ key }) => !key.startsWith('PAY')).map(({ id }) => id);
    expect(idsOf(messages)).toEqual(others.toSorted());
    const last = lastStates(messages) as NonNullable<AirbyteMessage['state']>[];
    for (const { stream } of last)
      expect(Object.keys(stream.stream_state['projects']!)).toEqual(['OPS', 'WEB']);
  });

  it('loses nothing when it is killed and read again from its last states', async () => {
    await using host = await setUp({ flavour, site: sampleSite({ issues: 300, projects: 1, seed: 1 }) });
    // A full refresh that was interrupted goes on as well.
    const mode = flavour === 'cloud' ? 'full_refresh' : 'incremental';
    const catalog = configuredCatalog(['issues', 'issue_changelogs'], mode);
    const config = { ...host.config, pages_per_commit: 1, concurrency: 1 };
    const paths = {
      config: await host.scratch.write('config.json', config),
      catalog: await host.scratch.write('catalog.json', catalog),
    };
    const { child, ended } = startTap(['read', '--config', paths.config, '--catalog', paths.catalog]);
    let states = 0;
    child.stdout!.on('data', (chunk: Buffer) => {
      states += String(chunk).split('"type":"STATE"').length - 1;
      if (states >= 6) child.kill('SIGKILL');
    });
    const { code, stdout } = await ended;
    expect(code).toBe(-1);
    const before = airbyteMessages(stdout.slice(0, stdout.lastIndexOf('\n') + 1));
    const state = lastStates(before);
    // What came after the last state of its stream may as well have been lost.
    const safe = (name: string): string[] => {
      const end = before.findLastIndex(({ state: told }) => told?.stream.stream_descriptor.name === name);
      return idsOf(before.slice(0, end + 1), name);
    };
    const rest = await host.readHere({ config, catalog, state });
    expect(rest.code).toBe(0);
    expect(idsOf(rest.messages).length).toBeLessThan(300);
    const whole = await host.readHere({ config, catalog });
    for (const name of ['issues', 'issue_changelogs'])
      expect(new Set([...safe(name), ...idsOf(rest.messages, name)])).toEqual(
        new Set(idsOf(whole.messages, name)),
      );
    expect(idsOf(whole.messages)).toHaveLength(300);
  });
});

describe('the source', () => {
  it('describes its settings and streams without a Jira', async () => {
    const [spec, discover] = await Promise.all([runTapProgram(['spec']), runTapProgram(['discover'])]);
    expect([spec.code, discover.code]).toEqual([0, 0]);
    expect(airbyteMessages(spec.stdout).map(({ type }) => type)).toEqual(['SPEC']);
    expect(airbyteMessages(discover.stdout).map(({ catalog }) => catalog?.streams.length)).toEqual([
      ALL.length,
    ]);
  });

  it('tells that it waits for a rate limit, and leaves out what the catalog deselects', async () => {
    let refused = false;
    await using host = await setUp({
      flavour: 'cloud',
      respond: (request) => {
        if (refused || !isCensus(request)) return undefined;
        refused = true;
        return { status: 429, headers: { 'retry-after': '1' }, body: {} };
      },
    });
    const stream = { name: 'issues', json_schema: { properties: { id: {}, key: {}, updated: {} } } };
    const catalog = { streams: [{ stream, sync_mode: 'incremental', destination_sync_mode: 'append' }] };
    const { code, messages } = await host.readHere({ config: host.config, catalog });
    expect(code).toBe(0);
    expect(statusesOf(messages)).toEqual({
      issues: ['STARTED', 'RUNNING RATE_LIMITED', 'RUNNING', 'COMPLETE'],
    });
    const waiting = messages.findIndex(({ trace }) => trace?.stream_status?.reasons !== undefined);
    expect(waiting).toBeLessThan(messages.findIndex(({ type }) => type === 'RECORD'));
    expect(messages.some(({ log }) => log?.level === 'WARN' && log.message.includes('wait'))).toBe(true);
    expect(dataOf(messages).every((data) => Object.keys(data).length === 3)).toBe(true);
  });

  it('fails for a stream that it does not have, and reads the others', async () => {
    await using host = await setUp({ flavour: 'cloud' });
    const catalog = configuredCatalog(['issues', 'sprints']);
    const { code, messages } = await host.readHere({ config: host.config, catalog });
    expect(code).toBe(1);
    expect(statusesOf(messages)).toEqual({
      issues: ['STARTED', 'RUNNING', 'COMPLETE'],
      sprints: ['STARTED', 'INCOMPLETE'],
    });
    expect(errorsOf(messages).map(({ stream_descriptor: stream }) => stream?.name)).toEqual(['sprints']);
    const alone = await host.readHere({ config: host.config, catalog: configuredCatalog(['sprints']) });
    expect([alone.code, statusesOf(alone.messages)]).toEqual([1, { sprints: ['STARTED', 'INCOMPLETE'] }]);
  });

  it.each(['SIGTERM', 'a closed pipe'] as const)('ends at once, and in order, after %s', async (what) => {
    await using host = await setUp({
      flavour: 'cloud',
      site: sampleSite({ issues: 2000, projects: 1, seed: 1 }),
    });
    const paths = {
      config: await host.scratch.write('config.json', { ...host.config, concurrency: 1 }),
      catalog: await host.scratch.write('catalog.json', configuredCatalog(['issues'])),
    };
    const { child, ended } = startTap(['read', '--config', paths.config, '--catalog', paths.catalog]);
    child.stdout!.once('data', () => {
      if (what === 'SIGTERM') child.kill('SIGTERM');
      else child.stdout!.destroy();
    });
    const { code, stdout, stderr } = await ended;
    if (what === 'SIGTERM') {
      expect([code, stderr]).toEqual([0, '']);
      const messages = airbyteMessages(stdout);
      expect(statusesOf(messages)['issues']!.at(-1)).toBe('INCOMPLETE');
      expect(errorsOf(messages)).toEqual([]);
      expect(dataOf(messages).length).toBeLessThan(2000);
    } else {
      expect(code).toBe(1);
      expect(stderr).toMatch(/^ERROR the program reading the output ended before this one[^\n]*\n$/);
    }
  });

  it('says what is wrong with what it was given, in messages', async () => {
    await using host = await setUp({ flavour: 'cloud' });
    const { config } = host;
    const catalog = configuredCatalog(['issues']);
    const wrong = {
      ...config,
      credentials: { auth_type: 'api_token', email: 'me@example.com', api_token: 'wrong' },
    };
    const checked = await host.say('check', { config: wrong });
    expect(checked.code).toBe(0);
    expect(checked.messages.at(-1)).toMatchObject({
      connectionStatus: { status: 'FAILED', message: expect.stringContaining('check credentials') },
    });
    const refused = await host.say('read', { config: wrong, catalog });
    expect(statusesOf(refused.messages)).toEqual({ issues: ['STARTED', 'INCOMPLETE'] });
    expect(refused.messages.some(({ type }) => type === 'STATE')).toBe(false);
    const runs = [
      refused,
      await host.readHere({ config, catalog: { streams: 'all' } }),
      await host.readHere({ config: { ...config, pages: 1 }, catalog }),
      await host.readHere({ config, catalog, state: [1] }),
    ];
    for (const { code, messages } of runs) {
      expect(code).toBe(1);
      expect(errorsOf(messages).map(({ failure_type: type }) => type)).toEqual(['config_error']);
    }
    const invalid = await host.say('check', { config: { base_url: 5 } });
    expect(invalid.code).toBe(0);
    expect(invalid.messages.at(-1)).toMatchObject({ connectionStatus: { status: 'FAILED' } });
  });
});
