import { describe, expect, it } from 'vitest';
import { HttpFailure, type HttpRequest, type HttpResponse } from '../../src/shared/http/request.ts';
import type { Log } from '../../src/shared/log.ts';
import { createClient, json, type Client } from '../../src/tap/client.ts';
import { movingClock, type MovingClock } from '../support/moving-clock.ts';

type Outcome = HttpResponse | HttpFailure;

const answer = (status: number, body: unknown = {}, headers: Record<string, string> = {}): HttpResponse => ({
  status,
  headers: new Headers(headers),
  body: Buffer.from(typeof body === 'string' ? body : JSON.stringify(body)),
});
const failure = (reason: HttpFailure['reason']): HttpFailure =>
  new HttpFailure(reason, 'CODE', `failed: ${reason}`);

type Tried = { readonly client: Client; readonly sent: HttpRequest[]; readonly clock: MovingClock };

/** A client whose network has these outcomes, one after the other, the last one for ever. */
function clientOf(outcomes: readonly Outcome[], baseUrl = 'https://jira.example/jira'): Tried {
  const sent: HttpRequest[] = [];
  const clock = movingClock();
  const silent = (): void => undefined;
  const log: Log = { debug: silent, info: silent, warning: silent, error: silent, critical: silent };
  let signed = 0;
  const client = createClient({
    baseUrl,
    send: async (request) => {
      sent.push(request);
      const outcome = outcomes[Math.min(sent.length, outcomes.length) - 1]!;
      if (outcome instanceof Error) throw outcome;
      return outcome;
    },
    authorize: () => `Token ${++signed}`,
    userAgent: 'test/1',
    concurrency: 2,
    maxRetryMs: 60_000,
    clock,
    log,
    signal: new AbortController().signal,
  });
  return { client, sent, clock };
}

const OK = answer(200, { ok: true });
const ME = answer(200, {}, { 'x-ausername': 'ada' });
const ANONYMOUS = answer(200, { issues: [] }, { 'x-ausername': 'anonymous' });
const get = (client: Client, more: object = {}) => client.get('/rest/x', {}, { what: 'asking', ...more });

describe('a request', () => {
  it('is signed anew for each attempt and asks for English JSON', async () => {
    const { client, sent } = clientOf([answer(503), OK]);
    expect(json(await client.post('/rest/y', { a: 'é' }, { what: 'asking' }))).toEqual({ ok: true });
    expect(sent.map(({ headers }) => headers['authorization'])).toEqual(['Token 1', 'Token 2']);
    expect(sent[0]).toMatchObject({
      method: 'POST',
      url: 'https://jira.example/jira/rest/y',
      body: '{"a":"é"}',
      headers: { accept: 'application/json', 'accept-language': 'en', 'x-force-accept-language': 'true' },
    });
  });

  it('has a query encoded by RFC 3986', async () => {
    const { client, sent } = clientOf([OK]);
    await client.get('/rest/x', { jql: "a = b+c&d 'e'(*)!", é: '' }, { what: 'asking' });
    expect(sent[0]!.url).toBe(
      'https://jira.example/jira/rest/x?jql=a%20%3D%20b%2Bc%26d%20%27e%27%28%2A%29%21&%C3%A9=',
    );
  });

  it.each([
    ['https://JIRA.Example:443/jira/', 'https://jira.example/jira'],
    ['HTTP://jira.example:80', 'http://jira.example'],
    ['http://jira.example:8080/a/b//', 'http://jira.example:8080/a/b'],
  ])('to %s goes to %s', async (baseUrl, expected) => {
    const { client, sent } = clientOf([OK], baseUrl);
    await get(client);
    expect([client.baseUrl, sent[0]!.url]).toEqual([expected, `${expected}/rest/x`]);
  });
});

describe('an outcome', () => {
  it.each<[string, Outcome, number, object]>([
    ['401', answer(401), 1, { code: 'AUTH', kind: 'config' }],
    ['403', answer(403, { errorMessages: ['no'] }), 1, { code: 'FORBIDDEN' }],
    ['400', answer(400), 1, { code: 'REFUSED' }],
    ['404', answer(404), 1, { code: 'NOT_FOUND' }],
    ['a redirect', answer(302, '', { location: 'https://x.example' }), 1, { code: 'NOT_JIRA' }],
    ['a web page', answer(200, '<html>', { 'content-type': 'text/html' }), 1, { code: 'NOT_JIRA' }],
    ['500', answer(500), 4, { code: 'SERVER', kind: 'transient' }],
    ['a broken answer', answer(200, '{"a":'), 4, { code: 'SERVER', kind: 'transient' }],
    ['a large broken answer', answer(200, `{"a":"${'x'.repeat(100_000)}"`), 4, { code: 'SERVER' }],
    ['a large answer broken inside', answer(200, `{"a":{"${'x'.repeat(100_000)}"}}`), 4, { code: 'SERVER' }],
    ['a certificate', failure('certificate'), 1, { code: 'CONNECT', kind: 'config' }],
    ['a host unknown from the beginning', failure('unknown-host'), 1, { code: 'CONNECT', kind: 'config' }],
    ['nobody there from the beginning', failure('refused'), 3, { code: 'CONNECT', kind: 'config' }],
  ])('%s is tried the right number of times', async (_, outcome, tries, error) => {
    const { client, sent } = clientOf([outcome]);
    await expect(get(client)).rejects.toMatchObject(error);
    expect(sent).toHaveLength(tries);
  });

  it.each<[string, Outcome]>([
    ['429', answer(429)],
    ['502', answer(502)],
    ['503', answer(503)],
    ['504', answer(504)],
    ['408', answer(408)],
    ['a cut answer', failure('cut')],
    ['a timeout', failure('timeout')],
    ['nobody there', failure('refused')],
  ])('%s is tried until the budget ends, as a transient error or one of the address', async (_, outcome) => {
    const date = answer(200, {}, { date: 'Mon, 23 Nov 2026 10:00:00 GMT' });
    const { client, sent, clock } = clientOf([date, outcome]);
    await get(client);
    await expect(get(client)).rejects.toMatchObject({
      code: expect.stringMatching(/SERVER|UNAVAILABLE|CONNECT/),
    });
    expect(sent.length).toBeGreaterThan(6);
    expect(clock.elapsed()).toBeGreaterThan(30_000);
    expect(clock.elapsed()).toBeLessThanOrEqual(61_000);
  });

  it.each<[string, Outcome]>([
    ['500', answer(500)],
    ['502', answer(502)],
    ['504', answer(504)],
    ['a cut answer', failure('cut')],
    ['a timeout', failure('timeout')],
    ['a broken answer', answer(200, '{"a":')],
  ])('%s of a heavy request is final at the second time', async (_, outcome) => {
    const date = answer(200, {}, { date: 'Mon, 23 Nov 2026 10:00:00 GMT' });
    const { client, sent } = clientOf([date, outcome]);
    await get(client);
    await expect(get(client, { heavy: true })).rejects.toMatchObject({ kind: 'transient' });
    expect(sent).toHaveLength(3);
  });

  it('that is accepted is returned', async () => {
    const { client } = clientOf([answer(404, { errorMessages: [] })]);
    expect((await get(client, { accept: [404] })).status).toBe(404);
  });
});

describe('identity', () => {
  it('that was lost for a moment is recovered', async () => {
    const { client, sent } = clientOf([ME, ANONYMOUS, ME]);
    await get(client);
    await get(client);
    expect(sent).toHaveLength(3);
  });

  it('that stays lost is an error, whatever the status', async () => {
    for (const status of [200, 404]) {
      const { client, sent } = clientOf([ME, answer(status, {}, { 'x-ausername': 'anonymous' })]);
      await get(client);
      await expect(get(client, { accept: [404] })).rejects.toMatchObject({ code: 'AUTH', kind: 'transient' });
      expect(sent.length).toBeLessThanOrEqual(4);
    }
  });

  it.each([200, 401, 403, 404])(
    'that is refused in the middle of a run (%s) is never tried again',
    async (status) => {
      const refused = answer(
        status,
        {},
        { 'x-seraph-loginreason': 'AUTHENTICATED_FAILED', 'x-ausername': 'anonymous' },
      );
      const { client, sent } = clientOf([ME, refused]);
      await get(client);
      await expect(get(client, { accept: [404] })).rejects.toMatchObject({ code: 'AUTH', kind: 'config' });
      expect(sent).toHaveLength(2);
    },
  );
});

describe("the server's clock", () => {
  it('goes on between answers, and is ours until there is one', async () => {
    const { client, clock } = clientOf([answer(200, {}, { date: 'Mon, 23 Nov 2026 12:00:00 GMT' })]);
    expect(client.serverNow()).toBe(clock.now());
    await get(client);
    clock.advance(1234.5);
    expect(client.serverNow()).toBe(Date.parse('2026-11-23T12:00:01.234Z'));
  });
});
