import { gunzipSync } from 'node:zlib';
import type { JsonObject } from '../../src/shared/json/value.ts';

export type Commit = {
  readonly key: string;
  readonly run_id: string;
  readonly number: number;
  readonly objects: readonly {
    readonly key: string;
    readonly stream: string;
    readonly rows: number;
    readonly bytes: number;
    readonly sha256: string;
    readonly rejected?: true;
    readonly generation?: string;
    readonly pending?: true;
  }[];
  readonly rows_after_state?: number;
  readonly replaces?: readonly string[];
  readonly generations?: Readonly<Record<string, string>>;
  readonly state?: unknown;
};

/** Whatever holds objects by key. */
export type Objects = { get(key: string): Uint8Array | undefined; keys(): Iterable<string> };

/** The commit records, in the order of their keys. */
export function commitsIn(objects: Objects): Commit[] {
  return [...objects.keys()]
    .filter((key) => /(^|\/)_commits\//.test(key))
    .toSorted()
    .map((key) => ({ ...(JSON.parse(text(objects, key)) as Commit), key }));
}

/** The rows of one data object. */
export function rowsOf(objects: Objects, key: string): JsonObject[] {
  const bytes = objects.get(key);
  if (bytes === undefined) throw new Error(`${key} is not there`);
  const plain = key.endsWith('.gz') ? gunzipSync(bytes) : Buffer.from(bytes);
  return plain
    .toString('utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as JsonObject);
}

/** The rows that readers of the commit log see, in order. */
export function committedRows(objects: Objects): JsonObject[] {
  const commits = commitsIn(objects);
  const counts = (object: Commit['objects'][number], run: string): boolean => {
    const { stream, generation, pending } = object;
    const replacing = commits.filter(({ replaces = [] }) => replaces.includes(stream));
    const isOf = ({ generations }: Commit): boolean =>
      generation !== undefined && generations?.[stream] === generation;
    if (pending === true && !replacing.some(isOf)) return false;
    return !replacing.some((commit) => commit.run_id > run && !isOf(commit));
  };
  return commits.flatMap(({ run_id, objects: named }) =>
    named
      .filter((object) => object.rejected !== true && counts(object, run_id))
      .flatMap(({ key }) => rowsOf(objects, key)),
  );
}

/** Keys of data objects. */
export function dataKeys(objects: Objects): string[] {
  return [...objects.keys()].filter((key) => key.includes('/ingest_date=')).toSorted();
}

function text(objects: Objects, key: string): string {
  return Buffer.from(objects.get(key)!).toString('utf8');
}
