import { systemError } from '../shared/errors.ts';
import { scanObject, skipValue, textEquals } from '../shared/json/scan.ts';
import { isObject, parseBytes } from '../shared/json/value.ts';
import type { Store } from './stores/store.ts';

/** Which load of its stream an object belongs to. */
export type ObjectGeneration = {
  /** A load that goes on in several runs has the same one in all of them. */
  readonly generation?: string;
  /** The object does not count before a commit replaces its stream with its generation. */
  readonly pending?: true;
};

/** One object of a commit. */
export type CommittedObject = ObjectGeneration & {
  readonly key: string;
  readonly stream: string;
  /** Fingerprint of the schema its rows were sent under. */
  readonly schema: string;
  readonly rows: number;
  readonly bytes: number;
  readonly sha256: string;
  /** Its rows are lines that were not fit for the stream. */
  readonly rejected?: true;
};

export type Generations = ReadonlyMap<string, string>;

export type CommitRecord = {
  readonly runId: string;
  /** From 1, without gaps. */
  readonly number: number;
  readonly committedAt: number;
  readonly program: string;
  readonly objects: readonly CommittedObject[];
  /** Rows that follow the STATE; a run that starts from it sends them again. Only at the end of an input. */
  readonly rowsAfterState: number;
  /** Streams of which this commit puts a new generation in place of what earlier runs have committed. */
  readonly replaces: readonly string[];
  /** Of such streams: the generation of which earlier objects stay. */
  readonly generations?: Generations;
  /** JSON text, kept as it was received. */
  readonly state: Uint8Array | undefined;
};

/** The record as bytes: JSON, one object a line, the STATE last and untouched. */
export function encodeCommit(commit: CommitRecord): Uint8Array {
  const head = {
    version: 1,
    run_id: commit.runId,
    number: commit.number,
    committed_at: new Date(commit.committedAt).toISOString(),
    program: commit.program,
    ...(commit.rowsAfterState === 0 ? {} : { rows_after_state: commit.rowsAfterState }),
    ...(commit.replaces.length === 0 ? {} : { replaces: commit.replaces }),
    ...(commit.generations === undefined ? {} : { generations: Object.fromEntries(commit.generations) }),
  };
  const objects = commit.objects.map((object) => JSON.stringify(object)).join(',\n');
  const text = `${JSON.stringify(head).slice(0, -1)},"objects":[\n${objects}\n]`;
  const state = commit.state === undefined ? [] : [Buffer.from(',"state":'), commit.state];
  return Buffer.concat([Buffer.from(text), ...state, Buffer.from('}\n')]);
}

/** The STATE in the bytes of a commit record, as it was received; undefined if the commit has none. */
export function stateOf(record: Uint8Array): Uint8Array | undefined {
  let state: Uint8Array | undefined;
  scanObject(record, 0, record.length, (start, end, valueStart) => {
    const valueEnd = skipValue(record, valueStart, record.length);
    if (textEquals(record, start, end, 'state')) state = record.subarray(valueStart, valueEnd);
    return valueEnd;
  });
  return state;
}

/** The objects and replaced streams of the commit record that is stored under this key. */
export async function readCommit(
  store: Store,
  key: string,
): Promise<Required<Pick<CommitRecord, 'objects' | 'replaces' | 'generations'>>> {
  const record = await store.get(key);
  let value: unknown;
  try {
    value = record === undefined ? undefined : parseBytes(record);
  } catch {
    // told below
  }
  if (!isObject(value) || !Array.isArray(value['objects']))
    throw systemError(`${key} in ${store.name} is not a commit record; it must not be changed or removed`);
  const { objects, replaces, generations } = value;
  return {
    objects: objects as unknown as readonly CommittedObject[],
    replaces: (replaces as readonly string[] | undefined) ?? [],
    generations: new Map(Object.entries((generations ?? {}) as Readonly<Record<string, string>>)),
  };
}
