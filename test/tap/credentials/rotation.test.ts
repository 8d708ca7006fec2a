import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it, vi } from 'vitest';
import { airbyteMessages } from '../../support/airbyte.ts';
import { Atlassian, type AtlassianOptions } from '../../support/atlassian.ts';
import {
  recordsOf,
  ROOT,
  runTapProgram,
  Scratch,
  start,
  startTap,
  type Ended,
} from '../../support/programs.ts';
import { siteOf } from '../traps/setup.ts';

type Setup = { readonly atlassian: Atlassian; readonly scratch: Scratch; readonly path: string };

async function withLogin(
  options: Partial<AtlassianOptions>,
  test: (setup: Setup) => Promise<void>,
): Promise<void> {
  await using scratch = await Scratch.open();
  await using atlassian = await Atlassian.start({ site: siteOf(3), ...options });
  const path = await scratch.write('tap.json', JSON.stringify(atlassian.config(), null, 2));
  await test({ atlassian, scratch, path });
}

const storedIn = (path: string): string =>
  (JSON.parse(readFileSync(path, 'utf8')) as { credentials: { refresh_token: string } }).credentials
    .refresh_token;

function expectWhole({ code, stdout, stderr }: Ended): void {
  expect(stderr).not.toMatch(/hush/);
  expect({ code, records: recordsOf(stdout).length, stderr: code === 0 ? '' : stderr }).toEqual({
    code: 0,
    records: 3,
    stderr: '',
  });
}

/** A moment of a run, as the server sees it. */
const STEPS = [
  ['when it asks for tokens', '/oauth/token', 'before'],
  ['when tokens were made, and the answer is lost', '/oauth/token', 'instead'],
  ['while the answer arrives', '/oauth/token', 0],
  ['just after the answer', '/oauth/token', 2],
  ['perhaps while it stores the token', '/oauth/token', 5],
  ['when it uses the access token first', '/oauth/token/accessible-resources', 'before'],
  ['when it reads from Jira', '/myself', 'before'],
] as const;

describe('a refresh token that changes with each use', () => {
  it.each(STEPS)('survives kill -9 %s', async (_, at, when) => {
    let kill: (() => void) | undefined;
    const options: Partial<AtlassianOptions> = {
      onRequest: async ({ path }) => {
        if (!path.endsWith(at)) return;
        if (when === 'before') kill?.();
        else if (typeof when === 'number') setTimeout(() => kill?.(), when);
      },
      respond: ({ path }) => {
        if (!path.endsWith(at) || when !== 'instead' || kill === undefined) return undefined;
        kill();
        return { drop: true };
      },
    };
    await withLogin(options, async ({ path, atlassian }) => {
      const victim = startTap(['--config', path]);
      kill = () => void victim.child.kill('SIGKILL');
      expect((await victim.ended).code).toBe(-1);
      kill = undefined;
      // Whatever is stored now, whole, is good: the old token within the leeway, or the new one.
      expect([...atlassian.refreshTokens.keys()]).toContain(storedIn(path));
      expectWhole(await runTapProgram(['--config', path]));
      expect(atlassian.refreshTokens.get(storedIn(path))).toMatchObject({ usedAt: undefined });
    });
  });

  it('is stored before anything is asked with what came with it', async () => {
    const early: string[] = [];
    const setup: { path?: string; atlassian?: Atlassian } = {};
    const onRequest = ({ path }: { path: string }): void => {
      if (path === '/oauth/token') return;
      const newest = [...setup.atlassian!.refreshTokens.keys()].at(-1);
      if (storedIn(setup.path!) !== newest) early.push(path);
    };
    await withLogin({ onRequest, lifetimeSeconds: 90 }, async ({ path, atlassian }) => {
      Object.assign(setup, { path, atlassian });
      expectWhole(await runTapProgram(['--config', path]));
    });
    expect(early).toEqual([]);
  });

  it('is shared by two processes that need it at once', async () => {
    let waiting = 0;
    const bothAsk = async ({ path }: { path: string }): Promise<void> => {
      if (path !== '/oauth/token') return;
      waiting += 1;
      await vi.waitUntil(() => waiting >= 2, { timeout: 10_000, interval: 10 });
    };
    await withLogin({ onRequest: bothAsk }, async ({ path, atlassian }) => {
      const runs = [startTap(['--config', path]), startTap(['--config', path])];
      for (const { ended } of runs) expectWhole(await ended);
      expect(atlassian.asked).toBe(2);
      expectWhole(await runTapProgram(['--config', path]));
    });
  });

  it('is shared by two processes even where a used one is refused at once', async () => {
    let asked = 0;
    const oneAfterTheOther = async ({ path }: { path: string }): Promise<void> => {
      if (path === '/oauth/token' && asked++ === 1) await sleep(100);
    };
    // A leeway of nothing, and a server that does not end the others of the family.
    await withLogin(
      { onRequest: oneAfterTheOther, leewayMs: -1, lenient: true },
      async ({ path, atlassian }) => {
        const runs = [startTap(['--config', path]), startTap(['--config', path])];
        for (const { ended } of runs) expectWhole(await ended);
        expectWhole(await runTapProgram(['--config', path]));
        expect(atlassian.refused).toBeLessThanOrEqual(1);
      },
    );
  });

  it('is told to an Airbyte host before anything is read, and by check only under the name that Airbyte uses', async () => {
    await withLogin({}, async ({ path, atlassian, scratch }) => {
      const stream = { name: 'issues', json_schema: {}, supported_sync_modes: ['full_refresh'] };
      const catalog = await scratch.write('catalog.json', {
        streams: [{ stream, sync_mode: 'full_refresh', destination_sync_mode: 'append' }],
      });
      const newest = (): string => [...atlassian.refreshTokens.keys()].at(-1)!;
      const tokensIn = (stdout: string): unknown[] =>
        airbyteMessages(stdout).flatMap(
          ({ control }) => control?.connectorConfig.config['credentials'] ?? [],
        );
      const read = await runTapProgram(['read', '--config', path, '--catalog', catalog]);
      expect(read.code, read.stdout).toBe(0);
      expect(tokensIn(read.stdout)).toMatchObject([{ refresh_token: newest() }]);
      expect(read.stdout.indexOf('"CONTROL"')).toBeLessThan(read.stdout.indexOf('"RECORD"'));
      expect(storedIn(path)).not.toBe(newest());
      const source = join(ROOT, 'bin/source-jira');
      const asSource = await start(process.execPath, [source, 'check', '--config', path]).ended;
      expect(tokensIn(asSource.stdout)).toMatchObject([{ refresh_token: newest() }]);
      const check = await runTapProgram(['check', '--config', path]);
      expect(tokensIn(check.stdout)).toEqual([]);
      expect(storedIn(path)).toBe(newest());
    });
  });

  it('that nobody takes any more ends the run with what to do', async () => {
    await withLogin({}, async ({ path, atlassian }) => {
      atlassian.refreshTokens.clear();
      const { code, stdout, stderr } = await runTapProgram(['--config', path]);
      expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
      expect(stderr).toMatch(/AUTH: credentials\.refresh_token: .* run tap-jira authorize/);
      expect(stderr).not.toMatch(/hush/);
    });
  });
});
