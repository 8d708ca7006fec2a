import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../src/shared/json/value.ts';
import { startJira } from '../support/jira/server.ts';
import { Site } from '../support/jira/site.ts';
import { runTap, type TapRun } from '../support/run-tap.ts';
import { FLAVOURS, tapConfig } from '../support/tap-config.ts';

const STREAMS = ['issues', 'issue_comments', 'issue_worklogs', 'issue_changelogs'];

/** One issue with many children, one with few, one with none. */
function siteWithChildren(): Site {
  const site = new Site({ projects: ['ABC'] });
  const many = site.create('ABC');
  const few = site.create('ABC');
  site.create('ABC');
  for (let i = 0; i < 130; i++) site.comment(many.id, { body: `comment ${i}` });
  for (let i = 0; i < 30; i++) site.worklog(many.id);
  for (let i = 0; i < 150; i++) site.edit(many.id, { summary: `version ${i}` });
  site.comment(few.id);
  site.worklog(few.id);
  site.edit(few.id, { summary: 'changed' });
  return site;
}

function counts(run: TapRun): Record<string, number> {
  return Object.fromEntries(
    STREAMS.map((stream) => [stream, run.records.filter((record) => record.stream === stream).length]),
  );
}

describe.each(FLAVOURS)('children of issues on %s', (flavour) => {
  it('are complete, whatever the embedding left out', async () => {
    const site = siteWithChildren();
    await using jira = await startJira({ flavour, site, quirks: { numericChangelogDates: true } });
    const run = await runTap(tapConfig(flavour, jira.url), { streams: STREAMS });
    expect(run.error).toBeUndefined();
    expect(counts(run)).toEqual({
      issues: 3,
      issue_comments: 131,
      issue_worklogs: 31,
      issue_changelogs: 151,
    });
    const keys = run.records.map(
      ({ stream, record }) => `${stream} ${String(record['id'])} ${String(record['issue_id'])}`,
    );
    expect(new Set(keys).size).toBe(keys.length);
    for (const { stream, record } of run.records.filter((item) => item.stream !== 'issues')) {
      expect(record, stream).toMatchObject({
        issue_key: expect.stringMatching(/^ABC-\d$/),
        project_key: 'ABC',
      });
      expect(record['created'], stream).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}(Z|[+-]\d\d:\d\d)$/);
    }
    const items = run.records
      .filter(({ stream }) => stream === 'issue_changelogs')
      .map(({ record }) => record['items'] as JsonObject[]);
    expect(items.flat().some((item) => Object.hasOwn(item, 'toString'))).toBe(true);
  });

  it('take no request per issue unless something was left out', async () => {
    const site = new Site({ projects: ['ABC'] });
    for (let i = 0; i < 50; i++) site.comment(site.create('ABC').id);
    await using jira = await startJira({ flavour, site });
    const run = await runTap(tapConfig(flavour, jira.url), { streams: STREAMS });
    expect(counts(run)['issue_comments']).toBe(50);
    expect(jira.requests.length).toBeLessThan(10);
  });

  it('are asked for when their key is absent, and loaded whole when selected for the first time', async () => {
    const site = siteWithChildren();
    await using jira = await startJira({ flavour, site });
    const config = tapConfig(flavour, jira.url, { fields: ['summary'] });
    const first = await runTap(config);
    expect(counts(first)).toMatchObject({ issues: 3, issue_comments: 0 });
    const second = await runTap(config, { state: first.state, streams: STREAMS });
    expect(counts(second)).toEqual({
      issues: 0,
      issue_comments: 131,
      issue_worklogs: 31,
      issue_changelogs: 151,
    });
    const third = await runTap(config, { state: second.state, streams: STREAMS });
    expect(counts(third)).toEqual({ issues: 0, issue_comments: 0, issue_worklogs: 0, issue_changelogs: 0 });
  });
});
