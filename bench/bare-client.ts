// The least a reader of Jira can do: ids by search, then bodies by id, five in flight, read and thrown away.
//
//   node bare-client.js CONFIG
import { readFileSync } from 'node:fs';
import { Agent, request } from 'undici';

type Config = {
  readonly base_url: string;
  readonly credentials: { readonly token?: string; readonly email?: string; readonly api_token?: string };
};
type Page = {
  readonly issues: readonly { readonly id: string }[];
  readonly total?: number;
  readonly nextPageToken?: string;
};

const IN_FLIGHT = 5;
const BATCH = 100;
const EVERYTHING = 'updated >= 946684800000 order by created asc';

const { base_url: base, credentials } = JSON.parse(readFileSync(process.argv[2]!, 'utf8')) as Config;
const { token, email, api_token: apiToken } = credentials;
const cloud = apiToken !== undefined;
const dispatcher = new Agent({ connections: IN_FLIGHT, pipelining: 1 });
const headers = {
  'content-type': 'application/json',
  authorization: cloud
    ? `Basic ${Buffer.from(`${email}:${apiToken}`).toString('base64')}`
    : `Bearer ${token}`,
};

const post = async (path: string, body: object): Promise<Awaited<ReturnType<typeof request>>['body']> => {
  const response = await request(base + path, {
    method: 'POST',
    headers,
    body: JSON.stringify(body),
    dispatcher,
  });
  if (response.statusCode !== 200) throw new Error(`${path}: ${response.statusCode}`);
  return response.body;
};

const census = async (): Promise<string[]> => {
  const ids: string[] = [];
  for (let nextPageToken: string | undefined; ;) {
    const body = cloud
      ? await post('/rest/api/3/search/jql', {
          jql: EVERYTHING,
          fields: ['id', 'updated'],
          maxResults: 5000,
          ...(nextPageToken !== undefined && { nextPageToken }),
        })
      : await post('/rest/api/2/search', {
          jql: EVERYTHING,
          fields: ['id', 'updated'],
          maxResults: 1000,
          startAt: ids.length,
        });
    const page = (await body.json()) as Page;
    ids.push(...page.issues.map(({ id }) => id));
    nextPageToken = page.nextPageToken;
    if (cloud ? nextPageToken === undefined : ids.length >= page.total!) return ids;
  }
};

let bytes = 0;
const fetchBodies = async (ids: readonly string[]): Promise<void> => {
  const body = cloud
    ? await post('/rest/api/3/issue/bulkfetch', { issueIdsOrKeys: ids, fields: ['*all'] })
    : await post('/rest/api/2/search', {
        jql: `id in (${ids.join(',')})`,
        fields: ['*all'],
        maxResults: ids.length,
      });
  for await (const chunk of body) bytes += (chunk as Buffer).length;
};

const ids = await census();
let next = 0;
const work = async (): Promise<void> => {
  while (next < ids.length) {
    const from = next;
    next += BATCH;
    await fetchBodies(ids.slice(from, next));
  }
};
await Promise.all(Array.from({ length: IN_FLIGHT }, work));
await dispatcher.close();
if (bytes === 0) throw new Error('Jira showed no issues');
console.log(`${ids.length} issues, ${bytes} bytes`);
