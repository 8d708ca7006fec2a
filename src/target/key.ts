import { createHash } from 'node:crypto';
import type { Clock } from '../shared/clock.ts';

/** File systems allow 255 bytes in a name; run id, number and ending need up to 60 of them. */
const LONGEST_NAME = 180;

/** Sorts by time: the UTC time in milliseconds, then chance. */
export function newRunId(clock: Clock): string {
  const time = new Date(clock.now()).toISOString().replaceAll(/[-:.]/g, '');
  const chance = Math.floor(clock.random() * 2 ** 40);
  return `${time}-${chance.toString(16).padStart(10, '0')}`;
}

export type ObjectName = {
  readonly stream: string;
  readonly runId: string;
  /** Counts the objects of a run. */
  readonly number: number;
  /** When the object was begun, in milliseconds since 1970. */
  readonly begunAt: number;
  /** Such as `.jsonl.gz`. */
  readonly extension: string;
};

/** The key of a data object: always `<prefix>/<stream>/ingest_date=<UTC date>/<one name>`. */
export function objectKey(prefix: string, name: ObjectName): string {
  const stream = encodeName(name.stream);
  const date = new Date(name.begunAt).toISOString().slice(0, 10);
  const file = `${stream}-${name.runId}-${padded(name.number)}${name.extension}`;
  return below(prefix, stream, `ingest_date=${date}`, file);
}

/** The key of a run's n-th commit record. */
export function commitKey(prefix: string, runId: string, number: number): string {
  return below(prefix, '_commits', runId, `${padded(number)}.json`);
}

/** What the keys of all commit records begin with; the next part is the run id. */
export function commitsFolder(prefix: string): string {
  return below(prefix, '_commits', '');
}

/** What the keys of all signs of life begin with. */
export function runsFolder(prefix: string): string {
  return below(prefix, '_runs', '');
}

/** The key of the object that says when a run was last alive. */
export function runKey(prefix: string, runId: string): string {
  return below(prefix, '_runs', `${runId}.json`);
}

/** What S3 allows in a key, and file systems in a name that stands between a dot and `.tmp`; in bytes. */
const LONGEST_KEY = 1024;
const LONGEST_PART = 250;

/** What is too long about a key, if something is. */
export function tooLong(key: string): string | undefined {
  const bytes = Buffer.byteLength(key);
  if (bytes > LONGEST_KEY) return `of ${bytes} bytes, where ${LONGEST_KEY} are allowed`;
  const part = key.split('/').find((name) => Buffer.byteLength(name) > LONGEST_PART);
  return part === undefined
    ? undefined
    : `with a part of ${Buffer.byteLength(part)} bytes, where ${LONGEST_PART} are allowed`;
}

/** A key below the prefix. */
export function below(prefix: string, ...parts: readonly string[]): string {
  return (prefix === '' ? parts : [prefix, ...parts]).join('/');
}

export function padded(number: number): string {
  return String(number).padStart(6, '0');
}

/**
 * Any text as one part of a key. ASCII letters, digits, `-`, `_` and `.` stay, but not `_` or `.` at the
 * beginning, where readers take them for hidden; other characters become `%XX` for each byte of UTF-8, and `%`
 * alone is the empty text. `decodeName` is the way back, but for very long names, which end in a hash.
 */
export function encodeName(text: string): string {
  if (text === '') return '%';
  const encoded = text.replaceAll(/[^A-Za-z0-9_.-]|^[_.]/gu, (character) =>
    /[\ud800-\udfff]/u.test(character)
      ? `%u${character.charCodeAt(0).toString(16)}`
      : [...Buffer.from(character)].map(percent).join(''),
  );
  if (encoded.length <= LONGEST_NAME) return encoded;
  const hash = createHash('sha256').update(encoded).digest('hex').slice(0, 20);
  return `${encoded.slice(0, LONGEST_NAME - 22).replace(/%[^%]{0,4}$/, '')}%~${hash}`;
}

/** The text that `encodeName` was given, or undefined for what it has shortened or never writes. */
export function decodeName(encoded: string): string | undefined {
  if (encoded === '%') return '';
  if (encoded.includes('%~')) return undefined;
  try {
    return encoded
      .split(/%u(d[89a-f][0-9a-f]{2})/)
      .map((part, i) =>
        i % 2 === 0 ? decodeURIComponent(part) : String.fromCharCode(Number.parseInt(part, 16)),
      )
      .join('');
  } catch {
    return undefined;
  }
}

function percent(byte: number): string {
  return `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
}
