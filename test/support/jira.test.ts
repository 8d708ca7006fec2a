import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { sampleSite } from './jira/sample-site.ts';
import { startJira } from './jira/server.ts';
import type { Jira } from './jira/server.ts';
import { Site } from './jira/site.ts';
import { DEFAULT_USER } from './jira/state.ts';
import type { JiraOptions } from './jira/state.ts';
import { formatInstant, parseWallLiteral } from './jira/time-zone.ts';
import { rawJson, wiki } from './jira/values.ts';

const NOW = Date.parse('2026-11-23T10:00:00.123Z');
const MINUTE = 60_000;

const basic = (name: string, secret: string): Record<string, string> => ({
  authorization: `Basic ${Buffer.from(`${name}:${secret}`).toString('base64')}`,
});
const PAT = { authorization: 'Bearer pat-ada' };
const TOKEN = basic('ada@example.com', 'api-token-ada');

type Reply = { status: number; headers: Headers; text: string; json: any }; // oxlint-disable-line no-explicit-any

let jira: Jira;
beforeAll(async () => {
  jira = await startJira({ flavour: 'datacenter', site: new Site() });
});
afterAll(() => jira.close());

const use = (flavour: JiraOptions['flavour'], site: Site, more: Partial<JiraOptions> = {}): Site => {
  jira.use({ flavour, site, ...more });
  return site;
};

const ask = async (path: string, init: RequestInit = {}): Promise<Reply> => {
  const dataCenter = jira.url.endsWith('/jira');
  const headers = { accept: 'application/json', ...(dataCenter ? PAT : TOKEN), ...init.headers };
  const response = await fetch(jira.url + path, { redirect: 'manual', ...init, headers });
  const text = await response.text();
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    json = undefined;
  }
  return { status: response.status, headers: response.headers, text, json };
};

const post = (path: string, body: unknown, headers: Record<string, string> = {}): Promise<Reply> =>
  ask(path, {
    method: 'POST',
    body: JSON.stringify(body),
    headers: { 'content-type': 'application/json', ...headers },
  });

const search = (body: object, headers = {}): Promise<Reply> => post('/rest/api/2/search', body, headers);
const searchJql = (body: object, headers = {}): Promise<Reply> =>
  post('/rest/api/3/search/jql', body, headers);

const ids = (reply: Reply): string[] => reply.json.issues.map((issue: { id: string }) => issue.id);

/** A site of one project with issues one minute apart. */
const small = (count: number, options = {}): Site => {
  const site = new Site({ now: () => NOW, projects: ['PAY', 'WEB'], ...options });
  for (let at = 0; at < count; at += 1) site.create('PAY', {}, { created: NOW - (count - at) * MINUTE });
  return site;
};

describe('time in JQL', () => {
  const at = (text: string, zone: string): string | undefined => {
    const literal = parseWallLiteral(text, zone);
    return literal && new Date(literal.at).toISOString();
  };

  test.each([
    ['2024/11/03 01:30', 'America/New_York', '2024-11-03T06:30:00.000Z'],
    ['2024-11-03 00:59', 'America/New_York', '2024-11-03T04:59:00.000Z'],
    ['2024/03/10 02:30', 'America/New_York', undefined],
    ['2024/10/06 02:15', 'Australia/Lord_Howe', undefined],
    ['2024/10/06 02:30', 'Australia/Lord_Howe', '2024-10-05T15:30:00.000Z'],
    ['2018/11/04 00:00', 'America/Sao_Paulo', undefined],
    ['2018/11/04', 'America/Sao_Paulo', '2018-11-04T03:00:00.000Z'],
    ['2024/1/2 3:04', 'Asia/Kathmandu', '2024-01-01T21:19:00.000Z'],
    ['2024-01-02 03:04:05', 'UTC', undefined],
    ['2024-01-02T03:04', 'UTC', undefined],
    ['2024-01-02 24:00', 'UTC', undefined],
    ['2024-06-31', 'UTC', undefined],
    ['2024-01/02', 'UTC', undefined],
  ])('%s in %s is %s', (text, zone, expected) => {
    expect(at(text, zone)).toBe(expected);
  });

  test("instants are written in the reader's zone without a colon", () => {
    expect(formatInstant(0, 'UTC')).toBe('1970-01-01T00:00:00.000+0000');
    expect(formatInstant(NOW, 'America/St_Johns')).toBe('2026-11-23T06:30:00.123-0330');
    expect(formatInstant(Date.UTC(51_502, 0), 'UTC')).toBe('51502-01-01T00:00:00.000+0000');
  });

  test('the server refuses what the parser refuses, in the zone of the user', async () => {
    use('datacenter', small(3), { users: [{ ...DEFAULT_USER, timeZone: 'America/New_York' }] });
    const bad = await search({ jql: 'updated >= "2024/03/10 02:30"' });
    expect(bad.status).toBe(400);
    expect(bad.json.errorMessages[0]).toMatch(
      /^Date value '2024\/03\/10 02:30' for field 'updated' is invalid/,
    );
    const good = await search({ jql: 'updated >= "2026-11-23 04:59" ORDER BY key ASC', fields: ['updated'] });
    expect(good.json.issues).toHaveLength(1);
    expect(good.json.issues[0].fields).toEqual({ updated: '2026-11-23T04:59:00.123-0500' });
  });

  test('offsets differ in one answer across a change of clocks', async () => {
    const site = use('datacenter', small(0), { users: [{ ...DEFAULT_USER, timeZone: 'America/Chicago' }] });
    site.create('PAY', {}, { created: Date.UTC(2026, 6, 1) });
    site.create('PAY', {}, { created: Date.UTC(2026, 11, 1) });
    const { text } = await search({ jql: 'project = PAY', fields: ['created'] });
    expect(text).toContain('2026-06-30T19:00:00.000-0500');
    expect(text).toContain('2026-11-30T18:00:00.000-0600');
  });

  test('bare digits are milliseconds, quoted ones minutes from now', async () => {
    use('datacenter', small(5));
    const total = async (jql: string): Promise<number> => (await search({ jql, maxResults: 0 })).json.total;
    expect(await total(`updated >= ${NOW - 2 * MINUTE}`)).toBe(2);
    expect(await total(`updated > ${NOW - 2 * MINUTE}`)).toBe(1);
    expect(await total(`updated >= "${NOW - 2 * MINUTE}"`)).toBe(0);
    expect(await total('updated >= "-2"')).toBe(2);
    expect(await total('updated >= -3m')).toBe(3);
    expect(await total('updated >= "2026-11-23 09:58"')).toBe(2);
    // The plain instant: the rest of the minute is left out.
    expect(await total('updated <= "2026-11-23 09:58"')).toBe(3);
    expect(await total('updated = "2026-11-23 09:58"')).toBe(1);
    expect(await total('NOT updated < "2026-11-23 09:58" AND project = pay')).toBe(2);
  });
});

describe('Data Center search', () => {
  test('caps maxResults silently and says what it did', async () => {
    use('datacenter', small(12), { maxResultsCap: 10 });
    const capped = await search({ jql: 'project = PAY ORDER BY updated ASC, key ASC', maxResults: 5000 });
    expect(capped.json).toMatchObject({ startAt: 0, maxResults: 10, total: 12 });
    expect(capped.json.issues).toHaveLength(10);
    const rest = await ask(
      '/rest/api/2/search?jql=project%3DPAY%20order%20by%20updated%20asc,key&startAt=10&maxResults=-1',
    );
    expect(ids(rest)).toEqual(['10011', '10012']);
    expect((await search({ jql: '', startAt: 100 })).json).toMatchObject({ issues: [], total: 12 });
    expect((await search({ jql: '' })).json.maxResults).toBe(10);
  });

  test('unknown projects, fields, ids and broken queries are refused in its words', async () => {
    use('datacenter', small(2));
    const messages = async (jql: string): Promise<unknown> => (await search({ jql })).json.errorMessages;
    expect(await messages('project = NOPE')).toEqual([
      "The value 'NOPE' does not exist for the field 'project'.",
    ]);
    expect(await messages('bogus = 1')).toEqual([
      "Field 'bogus' does not exist or you do not have permission to view it.",
    ]);
    expect(await messages('id in (10001, 999)')).toEqual([
      "An issue with key or ID '999' does not exist for field 'id'.",
    ]);
    expect(await messages('project = PAY ORDER BY bogus')).toEqual(["Not able to sort using field 'bogus'."]);
    expect(await messages('(project = PAY')).toEqual([
      "Error in the JQL Query: Expecting ')' before the end of the query.",
    ]);
    expect(await messages('project = ORDER')).toEqual([
      expect.stringContaining("'ORDER' is a reserved JQL word"),
    ]);
  });

  test('validateQuery=false turns refusals into warnings', async () => {
    use('datacenter', small(2));
    const { status, json } = await search({ jql: 'id in (10001, 999)', validateQuery: false });
    expect(status).toBe(200);
    expect(json.issues).toHaveLength(1);
    expect(json.warningMessages).toHaveLength(1);
  });

  test('navigable fields by default; everything, exceptions or names when asked', async () => {
    const site = use('datacenter', small(1));
    site.comment('10001');
    const fields = async (names?: string[]): Promise<string[]> =>
      Object.keys(
        (await search({ jql: 'id = 10001', ...(names && { fields: names }) })).json.issues[0].fields ?? {},
      );
    expect(await fields()).not.toContain('comment');
    expect(await fields(['*all'])).toEqual(
      expect.arrayContaining(['comment', 'worklog', 'summary', 'project']),
    );
    expect(await fields(['*all', '-comment'])).not.toContain('comment');
    expect(await fields(['summary', 'nonsense'])).toEqual(['summary']);
    expect(await fields(['id', 'key'])).toEqual([]);
  });

  test('reserved words as project keys work in quotes', async () => {
    const site = use('datacenter', new Site({ projects: ['ORDER', 'A_B1'] }));
    site.create('ORDER');
    expect((await search({ jql: 'project = "order"' })).json.total).toBe(1);
    expect((await search({ jql: 'project in (A_B1, "ORDER")' })).json.total).toBe(1);
  });

  test("key compares numbers inside the operand's project", async () => {
    const site = use('datacenter', small(3));
    site.create('WEB');
    const keys = async (jql: string): Promise<string[]> =>
      (await search({ jql })).json.issues.map((issue: { key: string }) => issue.key);
    expect(await keys('id > 10001 ORDER BY key ASC')).toEqual(['PAY-2', 'PAY-3']);
    expect(await keys('key <= PAY-2')).toEqual(['PAY-2', 'PAY-1']);
    expect(await keys('ORDER BY key')).toEqual(['PAY-1', 'PAY-2', 'PAY-3', 'WEB-1']);
  });

  test('ties have no order of their own', async () => {
    const site = use('datacenter', new Site({ now: () => NOW, projects: ['PAY'] }));
    for (let at = 0; at < 50; at += 1) site.create('PAY');
    const orders = new Set<string>();
    for (let at = 0; at < 5; at += 1)
      orders.add(ids(await search({ jql: 'project = PAY ORDER BY updated ASC' })).join());
    expect(orders.size).toBeGreaterThan(1);
    const sorted = await search({ jql: 'project = PAY ORDER BY updated ASC, key ASC' });
    expect(ids(sorted)).toEqual(ids(sorted).toSorted((a, b) => Number(a) - Number(b)));
  });

  test("has neither Cloud's search nor its changelog", async () => {
    use('datacenter', small(1));
    for (const path of [
      '/rest/api/2/search/jql?jql=x',
      '/rest/api/2/issue/10001/changelog',
      '/rest/api/3/myself',
    ])
      expect((await ask(path)).status).toBe(404);
  });

  test('the changelog is whole, work logs are cut at 20, and the totals tell', async () => {
    const site = use('datacenter', small(1));
    for (let at = 0; at < 25; at += 1) site.worklog('10001');
    for (let at = 0; at < 25; at += 1) site.comment('10001');
    for (let at = 0; at < 50; at += 1) site.edit('10001', { summary: `S${at}` });
    const { json } = await ask('/rest/api/2/issue/PAY-1?expand=changelog');
    expect(json.changelog).toMatchObject({ total: 50, maxResults: 50 });
    expect(json.changelog.histories).toHaveLength(50);
    expect(json.changelog.histories[0].items[0].toString).toBe('S0');
    expect(json.fields.worklog).toMatchObject({ total: 25, maxResults: 20 });
    expect(json.fields.worklog.worklogs).toHaveLength(20);
    expect(json.fields.comment.comments).toHaveLength(25);
    expect((await ask('/rest/api/2/issue/PAY-1/worklog')).json.worklogs).toHaveLength(25);
    expect((await ask('/rest/api/2/issue/PAY-1/comment')).json).toMatchObject({
      maxResults: 1_048_576,
      total: 25,
    });
  });

  test('a total may lie', async () => {
    use('datacenter', small(3), { quirks: { lyingTotal: (total) => total + 5 } });
    expect((await search({ jql: 'project = PAY' })).json).toMatchObject({ total: 8, issues: { length: 3 } });
  });
});

describe('Cloud search', () => {
  test('the old search is gone', async () => {
    use('cloud', small(1));
    for (const version of [2, 3]) {
      const reply = await ask(`/rest/api/${version}/search?jql=project%20%3D%20PAY`);
      expect(reply.status).toBe(410);
      expect(reply.json.errorMessages[0]).toContain('/rest/api/3/search/jql');
    }
  });

  test('gives only ids unless fields are asked for', async () => {
    use('cloud', small(2));
    expect((await searchJql({ jql: 'project = PAY ORDER BY key ASC' })).json).toEqual({
      issues: [{ id: '10001' }, { id: '10002' }],
      isLast: true,
    });
    const { json } = await searchJql({ jql: 'project = PAY', fields: ['summary'] });
    expect(Object.keys(json.issues[0].fields)).toEqual(['summary']);
  });

  test('pages by token; the last page has none; big pages only for ids and dates', async () => {
    use('cloud', small(250));
    const jql = 'project = PAY ORDER BY updated ASC, key ASC';
    const first = await searchJql({ jql, maxResults: 200, fields: ['id', 'updated'] });
    expect(first.json).toMatchObject({ isLast: false, issues: { length: 200 } });
    const second = await searchJql({ jql, maxResults: 200, nextPageToken: first.json.nextPageToken });
    expect(ids(second)).toHaveLength(50);
    expect(second.json).not.toHaveProperty('nextPageToken');
    expect((await searchJql({ jql, maxResults: 200, fields: ['*all'] })).json.issues).toHaveLength(100);
    const other = await searchJql({ jql: 'project = WEB', nextPageToken: first.json.nextPageToken });
    expect(other.status).toBe(400);
    expect((await searchJql({ jql, nextPageToken: 'rubbish' })).status).toBe(400);
  });

  test('refuses unknown members, absent types, wrong numbers and unbounded queries', async () => {
    use('cloud', small(1));
    const strict = await searchJql({ jql: 'project = PAY', startAt: 0 });
    expect(strict.status).toBe(400);
    expect(strict.json).toEqual({
      errorMessages: ['Invalid request payload. Refer to the REST API documentation and try again.'],
    });
    expect((await searchJql({ jql: 'project = PAY', expand: ['changelog'] })).status).toBe(400);
    expect((await searchJql({ jql: 'project = PAY', maxResults: 5001 })).status).toBe(400);
    expect((await searchJql({ jql: 'project = PAY', maxResults: null })).status).toBe(400);
    for (const jql of ['', 'order by created']) {
      const reply = await searchJql({ jql });
      expect(reply.status).toBe(400);
      expect(reply.json.errorMessages[0]).toMatch(/^Unbounded JQL/);
    }
    expect((await ask('/rest/api/3/search/jql', { method: 'POST', body: '{}' })).status).toBe(415);
    const number = await ask('/rest/api/3/search/jql?jql=project%3DPAY&maxResults=abc');
    expect(number.headers.get('content-type')).toBe('application/problem+json;charset=UTF-8');
    expect(number.json.detail).toBe("Failed to convert 'maxResults' with value: 'abc'");
  });

  test('POST ignores the query string, GET reads it', async () => {
    use('cloud', small(5));
    const body = { jql: 'project = PAY' };
    expect((await post('/rest/api/3/search/jql?maxResults=2', body)).json.issues).toHaveLength(5);
    expect((await ask('/rest/api/2/search/jql?maxResults=2&jql=project%3DPAY')).json.issues).toHaveLength(2);
  });

  test('unknown projects and bare words are empty, not errors', async () => {
    use('cloud', small(1));
    for (const jql of ['project = NOPE', 'this is not jql'])
      expect(await searchJql({ jql })).toMatchObject({ status: 200, json: { issues: [], isLast: true } });
  });

  test('peculiar pages', async () => {
    use('cloud', small(7), {
      quirks: { pageRows: () => 2, emptyPageEvery: 2, omitIsLast: true, nullToken: true },
    });
    const jql = 'project = PAY ORDER BY key ASC';
    const lengths: number[] = [];
    const seen: string[] = [];
    let token: string | null | undefined;
    do {
      const { json } = await searchJql({ jql, ...(token && { nextPageToken: token }) });
      expect(json).not.toHaveProperty('isLast');
      lengths.push(json.issues.length);
      seen.push(...json.issues.map((issue: { id: string }) => issue.id));
      token = json.nextPageToken;
    } while (token);
    expect(token).toBeNull();
    expect(lengths).toEqual([2, 0, 2, 0, 2, 0, 1]);
    expect(new Set(seen).size).toBe(7);
  });

  test('tokens can repeat and expire', async () => {
    let now = NOW;
    use('cloud', small(9, { now: () => now }), { quirks: { repeatToken: true, tokenLifetimeMs: 1000 } });
    const jql = 'project = PAY';
    const { nextPageToken } = (await searchJql({ jql, maxResults: 2 })).json;
    const again = await searchJql({ jql, maxResults: 2, nextPageToken });
    expect(again.json.nextPageToken).toBe(nextPageToken);
    now += 2000;
    expect((await searchJql({ jql, nextPageToken })).status).toBe(400);
  });

  test('counts approximately', async () => {
    use('cloud', small(4));
    expect((await post('/rest/api/3/search/approximate-count', { jql: 'project = PAY' })).json).toEqual({
      count: 4,
    });
  });
});

describe('Cloud issues', () => {
  const full = (): Site => {
    const site = small(3);
    for (let at = 0; at < 120; at += 1) site.comment('10001', { body: `c${at}` });
    for (let at = 0; at < 25; at += 1) site.worklog('10001');
    for (let at = 0; at < 45; at += 1) site.edit('10001', { summary: `S${at}` });
    return use('cloud', site);
  };

  test('embedded children are cut, the totals are true, histories are newest first', async () => {
    full();
    const { json } = await searchJql({ jql: 'id = 10001', fields: ['*all'], expand: 'names,changelog' });
    const [issue] = json.issues;
    expect(issue.fields.comment).toMatchObject({ total: 120, maxResults: 20, comments: { length: 20 } });
    expect(issue.fields.worklog).toMatchObject({ total: 25, worklogs: { length: 20 } });
    expect(issue.changelog).toMatchObject({ total: 45, histories: { length: 40 } });
    expect(issue.changelog.histories[0].items[0].toString).toBe('S44');
    expect(issue.fields.comment.comments[0].body).toMatchObject({ type: 'doc', version: 1 });
    expect(issue.changelog.histories[0].author).not.toHaveProperty('name');
  });

  test('children in pages', async () => {
    full();
    const first = (await ask('/rest/api/3/issue/PAY-1/comment')).json;
    expect(first).toMatchObject({ total: 120, maxResults: 100, comments: { length: 100 } });
    const rest = (await ask('/rest/api/2/issue/PAY-1/comment?startAt=100&maxResults=5000')).json;
    expect(rest.comments.map((comment: { body: string }) => comment.body)).toContain('c119');
    expect((await ask('/rest/api/3/issue/PAY-1/comment?orderBy=author')).status).toBe(400);
    expect((await ask('/rest/api/3/issue/PAY-1/worklog?startAt=20')).json.worklogs).toHaveLength(5);
    const log = (await ask('/rest/api/3/issue/PAY-1/changelog?maxResults=20')).json;
    expect(log).toMatchObject({ total: 45, isLast: false, values: { length: 20 } });
    expect(log.values[0].items[0].toString).toBe('S0');
  });

  test('bulk changelogs split an issue over pages, dates as numbers if told so', async () => {
    jira.use({ flavour: 'cloud', site: full(), quirks: { numericChangelogDates: true } });
    jira.site.edit('10002', { summary: 'x' });
    const ask = { issueIdsOrKeys: ['PAY-2', '10001'], maxResults: 30 };
    const first = (await post('/rest/api/3/changelog/bulkfetch', ask)).json;
    expect(first.issueChangeLogs).toMatchObject([{ issueId: '10001', changeHistories: { length: 30 } }]);
    expect(typeof first.issueChangeLogs[0].changeHistories[0].created).toBe('number');
    const more = { ...ask, nextPageToken: first.nextPageToken };
    const second = (await post('/rest/api/3/changelog/bulkfetch', more)).json;
    expect(second.issueChangeLogs).toMatchObject([
      { issueId: '10001', changeHistories: { length: 15 } },
      { issueId: '10002', changeHistories: { length: 1 } },
    ]);
    expect(second).not.toHaveProperty('nextPageToken');
  });

  test('bulk fetch answers in order of id and drops what it cannot show', async () => {
    const site = full();
    site.hide('10003');
    const fetch = (issueIdsOrKeys: string[]): Promise<Reply> =>
      post('/rest/api/3/issue/bulkfetch', { issueIdsOrKeys });
    const { json } = await fetch(['10002', 'PAY-1', '10003', '99999', '10001']);
    expect(ids({ json } as Reply)).toEqual(['10001', '10002']);
    expect(json.issueErrors).toEqual([]);
    expect(json.issues[0].fields).not.toHaveProperty('comment');
    expect((await fetch([])).status).toBe(400);
    expect((await fetch(Array.from({ length: 101 }, (_, at) => String(at)))).status).toBe(400);
  });

  test('moved issues and renamed projects keep their old names', async () => {
    const site = use('cloud', small(2));
    const moved = site.move('10001', 'WEB');
    expect(moved).toMatchObject({ id: '10001', key: 'WEB-1' });
    expect((await ask('/rest/api/3/issue/PAY-1')).json.key).toBe('WEB-1');
    site.renameProject('PAY', 'BILL');
    expect((await ask('/rest/api/3/issue/PAY-2')).json.key).toBe('BILL-2');
    expect((await ask('/rest/api/3/project/PAY')).json.key).toBe('BILL');
    expect(ids(await searchJql({ jql: 'project = PAY' }))).toEqual(['10002']);
    expect((await ask('/rest/api/3/project/NOPE')).json.errorMessages).toEqual([
      "No project could be found with key 'NOPE'.",
    ]);
  });
});

describe('who asks', () => {
  test('Cloud goes on anonymously after a wrong token', async () => {
    use('cloud', small(2));
    const wrong = basic('ada@example.com', 'nope');
    const found = await searchJql({ jql: 'project = PAY' }, wrong);
    expect(found).toMatchObject({ status: 200, json: { issues: [], isLast: true } });
    expect(found.headers.get('x-seraph-loginreason')).toBe('AUTHENTICATED_FAILED');
    expect(found.headers.get('x-aaccountid')).toBeNull();
    const me = await ask('/rest/api/3/myself', { headers: wrong });
    expect(me.status).toBe(401);
    expect(me.headers.get('content-type')).toBe('application/json');
    expect(me.text).toBe('Client must be authenticated to access this resource.');
    expect((await ask('/rest/api/3/issue/10001', { headers: wrong })).status).toBe(404);
    expect((await ask('/rest/api/3/project/search', { headers: wrong })).json.values).toEqual([]);
    expect((await ask('/rest/api/3/myself', { headers: { authorization: 'Bearer x' } })).status).toBe(403);
    const right = await ask('/rest/api/3/myself');
    expect(right.json).toMatchObject({ timeZone: 'UTC', accountId: expect.stringContaining('712020:') });
    expect(right.headers.get('x-aaccountid')).toContain('712020%3A');
  });

  test('Data Center asks for a CAPTCHA after three wrong passwords, and counts', async () => {
    use('datacenter', small(1));
    const me = (secret: string): Promise<Reply> =>
      ask('/rest/api/2/myself', { headers: basic('ada', secret) });
    expect((await me('correct horse')).json).toMatchObject({ name: 'ada', timeZone: 'UTC' });
    for (let at = 0; at < 3; at += 1) {
      const wrong = await me('nope');
      expect(wrong.status).toBe(401);
      expect(wrong.text).toContain('Basic Authentication Failure - Reason : AUTHENTICATED_FAILED');
      expect(wrong.headers.get('www-authenticate')).toMatch(/^OAuth realm="http%3A/);
    }
    const locked = await me('correct horse');
    expect(locked.status).toBe(403);
    expect(locked.headers.get('x-authentication-denied-reason')).toMatch(/^CAPTCHA_CHALLENGE; login-url=/);
    expect(jira.loginFailures).toBe(4);
  });

  test('Data Center searches in vain with a wrong token, or when the session ends', async () => {
    use('datacenter', small(2));
    const wrong = { authorization: 'Bearer nope' };
    const found = await search({ jql: 'project = PAY' }, wrong);
    expect(found).toMatchObject({ status: 200, json: { total: 0, issues: [] } });
    expect(found.headers.get('x-ausername')).toBe('anonymous');
    expect((await ask('/rest/api/2/myself', { headers: wrong })).status).toBe(401);
    jira.expireSession(1);
    const ended = await search({ jql: 'project = PAY' });
    expect(ended.headers.get('x-ausername')).toBe('anonymous');
    expect(ended.json.total).toBe(0);
    const back = await search({ jql: 'project = PAY' });
    expect(back.headers.get('x-ausername')).toBe('ada');
    expect(back.json.total).toBe(2);
  });

  test('users see their projects only; a test can bring its own authentication', async () => {
    use('datacenter', small(2), { users: [{ ...DEFAULT_USER, projects: ['WEB'] }] });
    expect((await search({ jql: 'project = PAY' })).status).toBe(400);
    expect((await search({ jql: '' })).json.total).toBe(0);
    expect((await ask('/rest/api/2/project')).json).toMatchObject([{ key: 'WEB' }]);
    use('datacenter', small(2), {
      authenticate: ({ headers }) => (headers['x-test'] === 'me' ? { user: { name: 'eun' } } : undefined),
    });
    expect((await ask('/rest/api/2/myself', { headers: { 'x-test': 'me' } })).json.name).toBe('eun');
  });

  test("server information is for everybody, and the date is the server's", async () => {
    use('datacenter', small(1));
    const info = await ask('/rest/api/2/serverInfo', { headers: { authorization: '' } });
    expect(info.json).toMatchObject({
      deploymentType: 'Server',
      baseUrl: jira.url,
      serverTime: '2026-11-23T10:00:00.123+0000',
    });
    expect(info.headers.get('date')).toBe('Mon, 23 Nov 2026 10:00:00 GMT');
    use('cloud', small(1), { baseUrl: 'https://site.example' });
    expect((await ask('/rest/api/3/serverInfo')).json).toMatchObject({
      deploymentType: 'Cloud',
      baseUrl: 'https://site.example',
    });
    expect((await ask('/rest/api/3/project/search?maxResults=1')).json).toMatchObject({
      total: 2,
      isLast: false,
      values: [{ key: 'PAY', self: 'https://site.example/rest/api/3/project/10000' }],
    });
  });
});

describe('limits', () => {
  test('Data Center: a bucket, with Retry-After: 0 on success and JSON only if accepted', async () => {
    let now = NOW;
    const rateLimit = { kind: 'bucket', limit: 2, fillRate: 1, intervalSeconds: 10 } as const;
    use('datacenter', small(1, { now: () => now }), { rateLimit });
    const first = await ask('/rest/api/2/myself');
    expect(first.headers.get('retry-after')).toBe('0');
    expect(first.headers.get('x-ratelimit-remaining')).toBe('1');
    await ask('/rest/api/2/myself');
    now += 4000;
    const refused = await ask('/rest/api/2/myself');
    expect(refused.status).toBe(429);
    expect(refused.json).toHaveProperty('message');
    expect(refused.headers.get('retry-after')).toBe('6');
    const page = await ask('/rest/api/2/myself', { headers: { accept: '*/*' } });
    expect(page.headers.get('content-type')).toContain('text/html');
    now += 6000;
    expect((await ask('/rest/api/2/myself')).status).toBe(200);
    use('datacenter', small(1), { rateLimit: { ...rateLimit, limit: 0, fillRate: 0 } });
    expect((await ask('/rest/api/2/myself')).headers.get('retry-after')).toBe('9223372036854775807');
  });

  test('Cloud: a burst window per operation', async () => {
    let now = NOW;
    use('cloud', small(1, { now: () => now }), { rateLimit: { kind: 'burst', limit: 2 } });
    const me = (): Promise<Reply> => ask('/rest/api/3/myself');
    expect((await me()).headers.get('x-ratelimit-nearlimit')).toBeNull();
    expect((await me()).headers.get('x-ratelimit-nearlimit')).toBe('true');
    const refused = await me();
    expect(refused.status).toBe(429);
    expect(refused.headers.get('ratelimit-reason')).toBe('jira-burst-based');
    expect(refused.headers.get('retry-after')).toBe('1');
    expect(refused.headers.get('x-ratelimit-reset')).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\dZ$/);
    expect((await ask('/rest/api/3/serverInfo')).status).toBe(200);
    now += 1000;
    expect((await me()).status).toBe(200);
  });
});

describe('the index', () => {
  test('can lag: stale rows, dirty rows, rows not yet there', async () => {
    let now = NOW;
    const site = use('datacenter', small(3, { now: () => now }));
    const rows = async (): Promise<string[]> => {
      const jql = 'project = PAY ORDER BY updated ASC, key ASC';
      const { json } = await search({ jql, fields: ['updated'] });
      return json.issues.map((row: any) => `${row.id} ${row.fields.updated.slice(11, 23)}`); // oxlint-disable-line no-explicit-any
    };
    site.indexDelay = () => 5000;
    site.edit('10001', { summary: 'new' });
    site.create('PAY');
    const stale = ['10001 09:57:00.123', '10002 09:58:00.123', '10003 09:59:00.123'];
    expect(await rows()).toEqual(stale);
    site.lag = 'dirty';
    expect(await rows()).toEqual(['10001 10:00:00.123', ...stale.slice(1)]);
    expect((await ask('/rest/api/2/issue/10001')).json.fields.summary).toBe('new');
    now += 5000;
    expect(await rows()).toEqual([...stale.slice(1), '10001 10:00:00.123', '10004 10:00:00.123']);
    site.indexDelay = () => 0;
    site.holdIndex();
    site.remove('10002');
    expect(await rows()).toHaveLength(3);
    site.lag = 'stale';
    expect(await rows()).toHaveLength(4);
    site.reindex();
    expect(await rows()).toHaveLength(3);
  });

  test('an old change that is indexed late does not undo a newer one', async () => {
    const site = use('datacenter', small(1));
    const delays = [10, 0];
    site.indexDelay = () => delays.shift() ?? 0;
    site.edit('10001', { summary: 'first' });
    site.edit('10001', { summary: 'second' });
    site.reindex();
    expect((await search({ jql: 'id = 10001' })).json.issues[0].fields.summary).toBe('second');
  });

  test('`updated` moves with every change, but not with silent ones, and can be set', () => {
    const site = small(1);
    const before = site.get('10001')!.updated;
    expect(site.edit('10001', {}, { silent: true }).updated).toBe(before);
    const first = site.edit('10001').updated;
    expect(site.comment('10001').updated).toBe(first + 1);
    expect(site.setUpdated('10001', 5).updated).toBe(5);
  });

  test('finds the same with a plan as by testing every row', async () => {
    const site = use('datacenter', sampleSite({ issues: 300, projects: 3, now: () => NOW }));
    const bound = NOW - 200 * 86_400_000;
    const plain = `project = WEB AND updated >= ${bound} AND updated < ${NOW - 86_400_000}`;
    // The same conditions, out of the planner's reach.
    const slow = `(project = WEB OR project = WEB) AND NOT (updated < ${bound} OR updated >= ${NOW - 86_400_000})`;
    for (const order of [
      'updated ASC, key ASC',
      'created ASC, key ASC',
      'created DESC, key ASC',
      'key DESC',
    ]) {
      const [a, b] = [
        await search({ jql: `${plain} ORDER BY ${order}` }),
        await search({ jql: `${slow} ORDER BY ${order}` }),
      ];
      expect(a.json.total).toBeGreaterThan(10);
      expect(ids(a)).toEqual(ids(b));
    }
    expect(site.size).toBe(300);
    const labelled = (await search({ jql: 'labels = gdpr AND status != "Done"', maxResults: 300 })).json
      .issues;
    expect(labelled.length).toBeGreaterThan(5);
    for (const { fields } of labelled) expect(fields.labels).toContain('gdpr');
    expect((await search({ jql: 'summary ~ checkout AND labels is EMPTY' })).json.total).toBeGreaterThan(0);
  });

  test('whole seconds, where the index stores only these', async () => {
    use('datacenter', small(2, { indexResolution: 1000 }));
    expect((await search({ jql: `updated >= ${NOW - MINUTE + 500}` })).json.total).toBe(1);
  });
});

describe('bodies', () => {
  const RAW =
    '{"id":"77","key":"PAY-7","__proto__":1,\n "fields":{"summary":"\\ud83d \\u0000","customfield_1":9007199254740993,"n":1.10,"toString":"x","created":"2024-01-02T03:04:05.000+0545","updated":"2024-01-02T03:04:05.000+0545"}}';

  test('raw issues are served byte for byte unless fields are filtered', async () => {
    const site = use('cloud', small(1));
    site.addRaw('PAY', RAW);
    expect(site.get('PAY-7')!.updated).toBe(Date.parse('2024-01-01T21:19:05Z'));
    expect((await ask('/rest/api/3/issue/77')).text).toBe(RAW);
    const body = { issueIdsOrKeys: ['77', '10001'], fields: ['*all'] };
    expect((await post('/rest/api/3/issue/bulkfetch', body)).text).toContain(`[${RAW},{`);
    const some = (await ask('/rest/api/3/issue/77?fields=n')).json;
    expect(some.fields).toEqual({ n: 1.1 });
    expect(Object.hasOwn(some, '__proto__')).toBe(true);
    site.edit('77', { summary: 'changed' });
    expect((await ask('/rest/api/3/issue/77')).json.fields.summary).toBe('changed');
  });

  test('special values: numbers as text, wiki or document, null but not absent', async () => {
    const site = use('cloud', small(0));
    site.create('PAY', {
      a: rawJson('12345678901234567890.10'),
      b: null,
      c: wiki('h1. T\n\nx\ny'),
      d: undefined,
    });
    const v3 = await ask('/rest/api/3/issue/10001');
    expect(v3.text).toContain('"a":12345678901234567890.10,"b":null,"c":{"type":"doc"');
    expect(v3.json.fields).not.toHaveProperty('d');
    expect((await ask('/rest/api/2/issue/10001')).json.fields.c).toBe('h1. T\n\nx\ny');
  });

  test('sample issues are the same each time, of about the size asked for, in both shapes', async () => {
    const make = (): Site => sampleSite({ issues: 200, issueBytes: 8000, seed: 7, now: () => NOW });
    use('cloud', make());
    const path = '/rest/api/3/issue/10050';
    const first = await ask(path);
    use('cloud', make());
    expect((await ask(path)).text).toBe(first.text);
    const sizes: number[] = [];
    for (let id = 10_001; id <= 10_200; id += 1)
      sizes.push((await ask(`/rest/api/3/issue/${id}`)).text.length);
    const mean = sizes.reduce((sum, size) => sum + size, 0) / sizes.length;
    expect(mean).toBeGreaterThan(7000);
    expect(mean).toBeLessThan(11_000);
    use('datacenter', make());
    const old = (await ask('/rest/api/2/issue/10050')).json;
    expect(typeof old.fields.description).toBe('string');
    expect(old.fields.reporter).toHaveProperty('name');
  });
});

describe('faults', () => {
  const faulty = (fault: ReturnType<NonNullable<JiraOptions['respond']>>): Site =>
    use('datacenter', small(3), { respond: ({ number }) => (number === 1 ? fault : undefined) });

  test("answers in place of Jira's", async () => {
    faulty({ status: 503, headers: { 'Retry-After': '7' }, body: '<html>down</html>' });
    const down = await ask('/rest/api/2/myself');
    expect(down.status).toBe(503);
    expect(down.headers.get('content-type')).toContain('text/html');
    expect(down.headers.get('retry-after')).toBe('7');
    faulty({ redirect: 'http://other.example/' });
    expect((await ask('/rest/api/2/myself')).headers.get('location')).toBe('http://other.example/');
    faulty({ rewrite: (answer) => ({ ...answer, body: '{}' }) });
    expect((await ask('/rest/api/2/myself')).text).toBe('{}');
  });

  test('broken connections and bodies', async () => {
    faulty({ drop: true });
    await expect(ask('/rest/api/2/myself')).rejects.toThrow('fetch failed');
    expect(jira.requests.map((request) => request.status)).toEqual([0]);
    faulty({ cut: 0.5 });
    await expect(ask('/rest/api/2/myself')).rejects.toThrow('terminated');
    faulty({ truncate: 0.5 });
    expect(await ask('/rest/api/2/myself')).toMatchObject({ status: 200, json: undefined });
    faulty({ hang: true });
    await expect(ask('/rest/api/2/myself', { signal: AbortSignal.timeout(30) })).rejects.toThrow('timeout');
  });

  test('slow answers', async () => {
    faulty({ slow: { bytes: 50, ms: 2 } });
    expect((await ask('/rest/api/2/myself')).json.name).toBe('ada');
    faulty({ delay: 30 });
    const begin = performance.now();
    await ask('/rest/api/2/myself');
    expect(performance.now() - begin).toBeGreaterThan(25);
  });

  test('a hook can change the site before a request is served', async () => {
    const site = small(3);
    use('datacenter', site, {
      gzip: true,
      onRequest: () => {
        site.edit('10001');
      },
    });
    const { json, headers } = await search({ jql: 'project = PAY ORDER BY updated DESC' });
    expect(json.issues[0].id).toBe('10001');
    expect(headers.get('content-encoding')).toBe('gzip');
    expect(jira.requests[0]).toMatchObject({ method: 'POST', path: '/jira/rest/api/2/search', status: 200 });
  });
});

describe('as a process', () => {
  // Compiled here, so that the test does not depend on an earlier build.
  const folder = mkdtempSync(join(tmpdir(), 'jira-'));
  afterAll(() => rmSync(folder, { recursive: true }));

  test('prints a configuration, obeys commands, ends with its input', async () => {
    const root = `${import.meta.dirname}/../..`;
    const sources = ['test/support/jira/main.ts'];
    const flags = [
      '--ignoreConfig',
      '--outDir',
      folder,
      '--rootDir',
      root,
      '--module',
      'nodenext',
      '--target',
      'es2023',
    ];
    const more = ['--rewriteRelativeImportExtensions', '--types', 'node', '--noCheck'];
    writeFileSync(join(folder, 'package.json'), '{"type":"module"}');
    execFileSync(join(root, 'node_modules/.bin/tsc'), [...flags, ...more, ...sources], { cwd: root });
    const child = spawn(process.execPath, [
      `${folder}/test/support/jira/main.js`,
      '--flavour',
      'cloud',
      '--issues',
      '20',
    ]);
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    const line = async (): Promise<any> => JSON.parse((await lines.next()).value as string); // oxlint-disable-line no-explicit-any
    const { url, config } = await line();
    expect(config).toEqual({
      base_url: url,
      credentials: { auth_type: 'api_token', email: 'ada@example.com', api_token: 'api-token-ada' },
    });
    child.stdin.write(
      '{"edit":{"count":5}}\n{"create":{"count":2}}\n{"remove":{"ids":["10001"]}}\n{"bogus":1}\n',
    );
    expect((await line()).ids).toHaveLength(5);
    expect((await line()).ids).toEqual(['10021', '10022']);
    expect((await line()).ids).toEqual(['10001']);
    expect(await line()).toHaveProperty('error');
    const count = await fetch(`${url}/rest/api/3/search/approximate-count`, {
      method: 'POST',
      headers: { ...TOKEN, 'content-type': 'application/json' },
      body: '{"jql":"project is not EMPTY"}',
    });
    expect(await count.json()).toEqual({ count: 21 });
    child.stdin.end();
    expect(await new Promise((resolve) => child.once('exit', resolve))).toBe(0);
  });
});
