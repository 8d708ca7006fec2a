import nock from 'nock';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ConnectorError } from '../../src/shared/errors.ts';
import { transport } from '../../src/shared/http/transport.ts';
import type { Log } from '../../src/shared/log.ts';
import { createClient, json } from '../../src/tap/client.ts';
import { hurriedClock } from '../support/run-tap.ts';

const BASE = 'https://jira.test/jira';
const quiet = (): void => undefined;
const log: Log = { debug: quiet, info: quiet, warning: quiet, error: quiet, critical: quiet };

function clientOf() {
  const { send, close } = transport({ timeoutMs: 5000, connections: 2, maxBodyBytes: 1e6 });
  const client = createClient({
    baseUrl: BASE,
    send,
    authorize: () => 'Bearer secret-token',
    userAgent: 'test/1',
    concurrency: 2,
    maxRetryMs: 60_000,
    clock: hurriedClock,
    log,
    signal: new AbortController().signal,
  });
  return { client, [Symbol.asyncDispose]: close };
}

describe('one call and its answers', () => {
  beforeEach(() => nock.disableNetConnect());
  afterEach(() => {
    nock.cleanAll();
    nock.enableNetConnect();
  });

  it('sends the credentials, asks for JSON in English, and encodes a query by RFC 3986', async () => {
    const scope = nock('https://jira.test', {
      reqheaders: {
        authorization: 'Bearer secret-token',
        accept: 'application/json',
        'accept-language': 'en',
        'x-force-accept-language': 'true',
      },
    })
      .get('/jira/rest/api/2/issue/1?jql=a%20%3D%20%22b%21%27%28%29%2A%22')
      .reply(200, { id: '1' });
    await using opened = clientOf();
    const answer = await opened.client.get(
      '/rest/api/2/issue/1',
      { jql: 'a = "b!\'()*"' },
      { what: 'reading' },
    );
    expect(json(answer)).toEqual({ id: '1' });
    expect(scope.isDone()).toBe(true);
  });

  it('tries a 503 again after the time it names, and a POST with its body', async () => {
    const scope = nock('https://jira.test')
      .post('/jira/rest/api/2/search', { jql: 'x' })
      .reply(503, 'down', { 'Retry-After': '1' })
      .post('/jira/rest/api/2/search', { jql: 'x' })
      .reply(200, { issues: [] });
    await using opened = clientOf();
    expect(json(await opened.client.post('/rest/api/2/search', { jql: 'x' }, { what: 'searching' }))).toEqual(
      { issues: [] },
    );
    expect(scope.isDone()).toBe(true);
  });

  it.each([
    [401, { code: 401, message: 'Unauthorized; scope does not match' }, 'AUTH', /lacks a scope/],
    [403, { errorMessages: ['No.'] }, 'FORBIDDEN', /Jira says: No\./],
    [410, { errorMessages: ['The requested API has been removed.'] }, 'GONE', /no longer offers/],
    [400, { errorMessages: [], errors: { jql: 'bad' } }, 'REFUSED', /check jql and fields/],
  ])('does not try a %i again, and says what to do', async (status, body, code, text) => {
    nock('https://jira.test').get('/jira/rest/api/2/myself').once().reply(status, body);
    await using opened = clientOf();
    const error = (await opened.client
      .get('/rest/api/2/myself', {}, { what: 'logging in' })
      .catch((thrown: unknown) => thrown)) as ConnectorError;
    expect(error).toMatchObject({ kind: 'config', code });
    expect(error.message).toMatch(text);
    expect(error.message).not.toContain('secret-token');
  });
});
