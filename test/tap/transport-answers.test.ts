import { text } from 'node:stream/consumers';
import { describe, expect, it } from 'vitest';
import type { ConnectorError } from '../../src/shared/errors.ts';
import { transport } from '../../src/shared/http/transport.ts';
import type { Log } from '../../src/shared/log.ts';
import { createClient, json } from '../../src/tap/client.ts';
import { serve } from '../support/http-server.ts';
import { hurriedClock } from '../support/run-tap.ts';

const quiet = (): void => undefined;
const log: Log = { debug: quiet, info: quiet, warning: quiet, error: quiet, critical: quiet };

type Reply = {
  readonly status: number;
  readonly body: object;
  readonly headers?: Readonly<Record<string, string>>;
};

/** A client of a server that gives these answers, one after the other, and keeps what it was asked. */
async function clientOf(...replies: readonly Reply[]) {
  const asked: { readonly line: string; readonly body: string }[] = [];
  const server = await serve((request, response) => {
    void text(request).then((body) => {
      const reply = replies[asked.length] ?? { status: 599, body: {} };
      asked.push({ line: `${request.method} ${request.url}`, body });
      response.writeHead(reply.status, { 'content-type': 'application/json', ...reply.headers });
      response.end(JSON.stringify(reply.body));
    });
  });
  const { send, close } = transport({ timeoutMs: 5000, connections: 2, maxBodyBytes: 1e6 });
  const client = createClient({
    baseUrl: `${server.url}/jira`,
    send,
    authorize: () => 'Bearer secret-token',
    userAgent: 'test/1',
    concurrency: 2,
    maxRetryMs: 60_000,
    clock: hurriedClock,
    log,
    signal: new AbortController().signal,
  });
  const dispose = async (): Promise<void> => {
    await close();
    await server[Symbol.asyncDispose]();
  };
  return { client, asked, seen: server.seen, [Symbol.asyncDispose]: dispose };
}

describe('one call and its answers', () => {
  it('sends the credentials, asks for JSON in English, and encodes a query by RFC 3986', async () => {
    await using opened = await clientOf({ status: 200, body: { id: '1' } });
    const answer = await opened.client.get(
      '/rest/api/2/issue/1',
      { jql: 'a = "b!\'()*"' },
      { what: 'reading' },
    );
    expect(json(answer)).toEqual({ id: '1' });
    expect(opened.asked[0]!.line).toBe('GET /jira/rest/api/2/issue/1?jql=a%20%3D%20%22b%21%27%28%29%2A%22');
    expect(opened.seen[0]!.headers).toMatchObject({
      authorization: 'Bearer secret-token',
      accept: 'application/json',
      'accept-encoding': 'gzip',
      'accept-language': 'en',
      'x-force-accept-language': 'true',
      'user-agent': 'test/1',
    });
  });

  it('tries a 503 again after the time it names, and a POST with its body', async () => {
    await using opened = await clientOf(
      { status: 503, body: {}, headers: { 'Retry-After': '1' } },
      { status: 200, body: { issues: [] } },
    );
    expect(json(await opened.client.post('/rest/api/2/search', { jql: 'x' }, { what: 'searching' }))).toEqual(
      { issues: [] },
    );
    const once = { line: 'POST /jira/rest/api/2/search', body: '{"jql":"x"}' };
    expect(opened.asked).toEqual([once, once]);
  });

  it.each([
    [401, { code: 401, message: 'Unauthorized; scope does not match' }, 'AUTH', /lacks a scope/],
    [403, { errorMessages: ['No.'] }, 'FORBIDDEN', /Jira says: No\./],
    [410, { errorMessages: ['The requested API has been removed.'] }, 'GONE', /no longer offers/],
    [400, { errorMessages: [], errors: { jql: 'bad' } }, 'REFUSED', /check jql and fields/],
  ])('does not try a %i again, and says what to do', async (status, body, code, text) => {
    await using opened = await clientOf({ status, body });
    const error = (await opened.client
      .get('/rest/api/2/myself', {}, { what: 'logging in' })
      .catch((thrown: unknown) => thrown)) as ConnectorError;
    expect(error).toMatchObject({ kind: 'config', code });
    expect(error.message).toMatch(text);
    expect(error.message).not.toContain('secret-token');
    expect(opened.asked).toHaveLength(1);
  });
});
