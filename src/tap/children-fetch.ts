import { transientError } from '../shared/errors.ts';
import {
  scanArray,
  scannedText,
  scanObject,
  skipString,
  skipValue,
  textEquals,
} from '../shared/json/scan.ts';
import { childrenAt, scanChild, type Child } from './children.ts';
import type { Client } from './client.ts';
import type { Issue } from './issue-bytes.ts';
import type { Flavour } from './site.ts';

/** What completing children takes. */
export type ChildContext = { readonly client: Client; readonly flavour: Flavour; readonly what: string };

/** Children that are embedded in issues under `path`, as a list of that name; an endpoint of the name has them all. */
export type Embedding = {
  readonly path: readonly string[];
  readonly list: string;
  readonly endpoint: string;
  readonly pageSize: number;
};

const CONSISTENT_TRIES = 3;

/** All children of an issue: the embedded ones if they are complete, else all of them, page by page. */
export async function completeChildren(
  context: ChildContext,
  issue: Issue,
  embedding: Embedding,
): Promise<readonly Child[]> {
  const embedded = childrenAt(issue.bytes, issue.start, embedding.path, embedding.list);
  if (embedded !== undefined && embedded.children.length >= (embedded.total ?? 0)) return embedded.children;
  for (let tries = 1; ; tries++) {
    const { found, total } = await allPages(context, issue, embedding);
    // A child that was deleted between two pages has moved the others up: what was read has to be all there is.
    if (found.size >= total) return [...found.values()];
    if (tries === CONSISTENT_TRIES) {
      throw transientError(
        `${context.what}: issue ${issue.id}: of ${total} ${embedding.list} Jira shows only ${found.size}`,
        { code: 'SERVER' },
      );
    }
  }
}

async function allPages(
  { client, flavour, what }: ChildContext,
  issue: Issue,
  { list, endpoint, pageSize }: Embedding,
): Promise<{ readonly found: ReadonlyMap<string, Child>; readonly total: number }> {
  const found = new Map<string, Child>();
  const path = `/rest/api/${flavour === 'cloud' ? 3 : 2}/issue/${issue.id}/${endpoint}`;
  for (let startAt = 0; ;) {
    const query = { startAt: String(startAt), maxResults: String(pageSize) };
    const answer = await client.get(path, query, {
      what: `${what}: ${list} of issue ${issue.id}`,
      accept: [404],
    });
    // The issue has been deleted, or there is no such thing on this site (time tracking is off).
    if (answer.status === 404) return { found, total: 0 };
    const page = childrenAt(answer.bytes, 0, [], list);
    if (page === undefined)
      throw transientError(`${what}: the ${list} of issue ${issue.id} are not in Jira's answer`, {
        code: 'SERVER',
      });
    for (const child of page.children) found.set(child.id, child);
    startAt += page.children.length;
    const total = page.total ?? found.size;
    if (page.children.length === 0 || startAt >= total) return { found, total };
  }
}

/** Cloud: the whole changelogs of a page of issues, by issue id (`POST /changelog/bulkfetch`, any number of pages). */
export async function bulkChangelogs(
  { client, what }: ChildContext,
  issues: readonly Issue[],
): Promise<ReadonlyMap<string, readonly Child[]>> {
  const histories = new Map<string, Child[]>(issues.map(({ id }) => [id, []]));
  let token: string | undefined;
  if (issues.length === 0) return histories;
  do {
    const body = {
      issueIdsOrKeys: issues.map(({ id }) => id),
      maxResults: 1000,
      ...(token === undefined ? {} : { nextPageToken: token }),
    };
    const answer = await client.post('/rest/api/3/changelog/bulkfetch', body, {
      what: `${what}: changelogs`,
    });
    for (const { id, children } of changelogsOf(answer.bytes)) histories.get(id)?.push(...children);
    const page = tokenOf(answer.bytes);
    if (page !== undefined && page === token)
      throw transientError(`${what}: the pages of the changelogs repeat`, { code: 'SERVER' });
    token = page;
  } while (token !== undefined);
  return histories;
}

function changelogsOf(bytes: Buffer): { readonly id: string; readonly children: readonly Child[] }[] {
  const found: { id: string; children: Child[] }[] = [];
  scanObject(bytes, 0, bytes.length, (nameStart, nameEnd, listStart) => {
    if (!textEquals(bytes, nameStart, nameEnd, 'issueChangeLogs') || bytes[listStart] !== 0x5b) return -1;
    return scanArray(bytes, listStart, bytes.length, (start) => {
      const entry = { id: '', children: [] as Child[] };
      found.push(entry);
      return scanObject(bytes, start, bytes.length, (from, to, valueStart) => {
        if (textEquals(bytes, from, to, 'issueId')) {
          const end = skipValue(bytes, valueStart, bytes.length);
          entry.id =
            bytes[valueStart] === 0x22
              ? scannedText(bytes, valueStart + 1, skipString(bytes, valueStart, end) - 1)
              : bytes.toString('latin1', valueStart, end);
          return end;
        }
        if (!textEquals(bytes, from, to, 'changeHistories') || bytes[valueStart] !== 0x5b) return -1;
        return scanArray(bytes, valueStart, bytes.length, (at) => {
          const child = scanChild(bytes, at);
          entry.children.push(child);
          return child.end;
        });
      });
    });
  });
  return found;
}

function tokenOf(bytes: Buffer): string | undefined {
  let token: string | undefined;
  scanObject(bytes, 0, bytes.length, (nameStart, nameEnd, at) => {
    if (textEquals(bytes, nameStart, nameEnd, 'nextPageToken') && bytes[at] === 0x22) {
      token = scannedText(bytes, at + 1, skipString(bytes, at, bytes.length) - 1);
    }
    return -1;
  });
  return token === '' ? undefined : token;
}
