import { createReadStream } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createGunzip } from 'node:zlib';
import ndjson from 'ndjson';

/** An object as the commit log names it. */
export type LakeObject = { readonly key: string; readonly rows: number; readonly bytes: number };

/** What the demo looks at in a row of the stream `issues`. */
export type Row = {
  readonly id: string;
  readonly key: string;
  readonly updated: string;
  readonly fields: { readonly summary: string; readonly status: { readonly name: string } };
};

/** The objects of all commits in a lake, in the order in which the runs began. */
export async function committedObjects(lake: string): Promise<LakeObject[]> {
  const log = join(lake, '_commits');
  const files = (await readdir(log, { recursive: true })).filter((name) => name.endsWith('.json')).sort();
  const commits = files.map(async (name) => {
    const commit = JSON.parse(await readFile(join(log, name), 'utf8')) as { objects: LakeObject[] };
    return commit.objects;
  });
  return (await Promise.all(commits)).flat();
}

/** The rows of the given objects, unzipped and parsed. */
export async function readRows(lake: string, objects: readonly LakeObject[]): Promise<Row[]> {
  const rows: Row[] = [];
  for (const { key } of objects) {
    const lines = createReadStream(join(lake, key)).pipe(createGunzip()).pipe(ndjson.parse());
    for await (const row of lines) rows.push(row as Row);
  }
  return rows;
}

type ProjectState = { readonly last_ingest_date: string; readonly recent?: Readonly<Record<string, number>> };

/** The state that counts in a file of states: the last line. */
export async function lastState(file: string): Promise<Readonly<Record<string, ProjectState>>> {
  const lines = (await readFile(file, 'utf8')).trimEnd().split('\n');
  const state = JSON.parse(lines.at(-1) ?? '') as {
    bookmarks: { issues: { projects: Record<string, ProjectState> } };
  };
  return state.bookmarks.issues.projects;
}
