import { readFileSync } from 'node:fs';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sampleSite } from './support/jira/sample-site.ts';
import { startJira, type Jira } from './support/jira/server.ts';
import { Scratch, shell, type Ended } from './support/programs.ts';
import { tapConfig } from './support/tap-config.ts';

/** Of singer-sdk (https://github.com/meltano/sdk), for the lines that Meltano's parser takes. */
const schema = JSON.parse(
  readFileSync(new URL('cases/structured-logs.schema.json', import.meta.url), 'utf8'),
) as object;
const ajv = new Ajv2020({ strict: false });
const isLogLine = ajv.compile(schema);

type Line = { readonly level: string; readonly message: string; readonly metric_info?: object };

/** The lines of a log; throws if one is not as the schema says. */
function linesOf(stderr: string): Line[] {
  return stderr
    .split('\n')
    .filter((text) => text !== '')
    .map((text) => {
      const line: unknown = JSON.parse(text);
      if (!isLogLine(line)) throw new Error(`${ajv.errorsText(isLogLine.errors)}: ${text}`);
      return line as Line;
    });
}

let jira: Jira;
let scratch: Scratch;
beforeAll(async () => {
  jira = await startJira({ flavour: 'cloud', site: sampleSite({ issues: 20, projects: 2 }) });
  scratch = await Scratch.open();
  const good = tapConfig('cloud', jira.url);
  await scratch.write('tap.json', good);
  await scratch.write('lost.json', { ...good, projects: ['NOPE'] });
  await scratch.write('bad.json', { ...good, bogus: 1, base_url: 'x' });
  await scratch.write('target.json', { local_path: scratch.at('lake') });
  await scratch.write('full.json', { local_path: '/proc/nowhere' });
});
afterAll(async () => {
  await jira.close();
  await scratch[Symbol.asyncDispose]();
});

const run = (line: string, asked = 'logging.json'): Promise<Ended> =>
  shell(line, { cwd: scratch.path, env: { SINGER_SDK_LOG_CONFIG: asked } });

describe('every line of a log that a host wants structured is as singer-sdk describes it', () => {
  it.each([
    ['a run of the tap', 'tap-jira -c tap.json', 0],
    ['a project that is not there', 'tap-jira -c lost.json', 1],
    ['wrong settings', 'tap-jira -c bad.json', 1],
    ['no settings', 'tap-jira -c nowhere.json', 1],
    ['a wrong command line of the tap', 'tap-jira --bogus', 2],
    ['a level that is none', 'tap-jira -c tap.json --log-level loud', 2],
    ['a reader that leaves', 'tap-jira -c tap.json | head -c 1', 0],
    ['a run of the target', 'tap-jira -c tap.json 2> /dev/null | target-s3 -c target.json', 0],
    ['a line that is no message', 'echo hello | target-s3 -c target.json', 1],
    ['a place that cannot be written', 'echo hello | target-s3 -c full.json', 1],
    ['a wrong command line of the target', 'target-s3 --bogus', 2],
    ['a level of the target that is none', 'target-s3 -c target.json --log-level loud', 2],
  ])('(%s)', async (_, command, code) => {
    const ended = await run(command);
    const lines = linesOf(ended.stderr);
    expect(ended.code).toBe(code);
    if (code !== 0)
      expect(lines.filter(({ level }) => level === 'error' || level === 'critical')).not.toEqual([]);
  });

  it('counters among them', async () => {
    for (const { stderr } of [
      await run('tap-jira -c tap.json'),
      await run('tap-jira -c tap.json 2> /dev/null | target-s3 -c target.json'),
    ])
      expect(linesOf(stderr).filter((line) => line.metric_info !== undefined)).not.toEqual([]);
  });

  it.each(['tap-jira', 'target-s3'])('but %s writes text when the variable is empty', async (program) => {
    expect((await run(`${program} --bogus`, '')).stderr).toMatch(/^ERROR /);
  });
});
