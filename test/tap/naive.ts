import type { JsonObject } from '../../src/shared/json/value.ts';
import type { TapRun, TapRunOptions } from '../support/run-tap.ts';

type Naive = { readonly [project: string]: number };
type Page = {
  readonly issues: readonly { readonly id: string; readonly fields: { readonly updated: string } }[];
  readonly total?: number;
  readonly nextPageToken?: string;
};

const TRIES = 8;

/**
 * How Jira is commonly read, to compare the tap with: the pages of one query in the order of `updated`, once, from
 * the newest `updated` that was seen. Takes the place of `runTap` in `play`.
 */
export async function naiveReader(config: JsonObject, options: TapRunOptions = {}): Promise<TapRun> {
  const run: TapRun = {
    records: [],
    state: options.state ?? {},
    messages: [],
    logged: [],
    tallies: new Map(),
  };
  const bookmarks: Record<string, number> = { ...(run.state as Naive) };
  for (const project of config['projects'] as readonly string[]) {
    let newest = bookmarks[project] ?? 0;
    for await (const { id, fields } of pagesOf(config, project, newest)) {
      const updated = Date.parse(fields.updated.replace(/(\d\d)(\d\d)$/, '$1:$2'));
      newest = Math.max(newest, updated);
      const record = { id, updated: new Date(updated).toISOString() };
      run.records.push({ stream: 'issues', record, text: JSON.stringify(record) });
      run.messages.push('record');
      if (run.messages.length === options.crashAfter) return run;
    }
    bookmarks[project] = newest;
    run.state = { ...bookmarks };
    run.messages.push('state');
  }
  return run;
}

async function* pagesOf(
  config: JsonObject,
  project: string,
  since: number,
): AsyncGenerator<Page['issues'][number]> {
  const jql = `project = "${project}" AND updated >= ${since} ORDER BY updated ASC, key ASC`;
  const login = config['credentials'] as { readonly auth_type: string } & Readonly<Record<string, string>>;
  const isCloud = login.auth_type === 'api_token';
  const path = isCloud ? '/rest/api/3/search/jql' : '/rest/api/2/search';
  const authorization = isCloud
    ? `Basic ${Buffer.from(`${login['email']}:${login['api_token']}`).toString('base64')}`
    : `Bearer ${login['token']}`;
  const ask = async (body: object): Promise<Page> => {
    for (let tries = 1; ; tries++) {
      try {
        const answer = await fetch(`${String(config['base_url'])}${path}`, {
          method: 'POST',
          headers: { authorization, accept: 'application/json', 'content-type': 'application/json' },
          body: JSON.stringify(body),
        });
        if (answer.status !== 200) throw new Error(`status ${answer.status}`);
        return (await answer.json()) as Page;
      } catch (error) {
        if (tries === TRIES) throw error;
      }
    }
  };
  const query = { jql, maxResults: 50, fields: ['updated'] };
  let startAt = 0;
  let nextPageToken: string | undefined;
  for (;;) {
    const place = isCloud ? (nextPageToken === undefined ? {} : { nextPageToken }) : { startAt };
    const page = await ask({ ...query, ...place });
    yield* page.issues;
    startAt += page.issues.length;
    nextPageToken = page.nextPageToken;
    if (isCloud ? nextPageToken === undefined : page.issues.length === 0 || startAt >= (page.total ?? 0))
      return;
  }
}
