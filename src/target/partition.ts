import { createHash } from 'node:crypto';
import { configError } from '../shared/errors.ts';
import { scannedText, scanObject, skipString, skipValue, textEquals } from '../shared/json/scan.ts';
import { encodeName } from './key.ts';

/** What Hive calls the folder of rows that have no value. */
const NO_VALUE = '__HIVE_DEFAULT_PARTITION__';
const LONGEST_VALUE = 160;

/** The folders (`name=value`) that a record's fields lead to. A field is a member, or a path such as `a.b`. */
export function partitionFolders(record: Uint8Array, fields: readonly string[]): readonly string[] {
  return fields.map((field) => `${encodeName(field)}=${hiveValue(fieldText(record, field))}`);
}

/** A value as part of a key, escaped as Hive does it, so that it never leads elsewhere. */
export function hiveValue(text: string | undefined): string {
  if (text === undefined || text === '') return NO_VALUE;
  const escaped = text.replaceAll(/[\p{Cc}"#%'*/:=?\\{}[\]^<>|]|[\ud800-\udfff]/gu, (character) =>
    /[\ud800-\udfff]/u.test(character)
      ? `%u${character.charCodeAt(0).toString(16)}`
      : `%${character.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`,
  );
  if (Buffer.byteLength(escaped) <= LONGEST_VALUE) return escaped;
  const hash = createHash('sha256').update(text).digest('hex').slice(0, 20);
  return `${[...escaped]
    .slice(0, 30)
    .join('')
    .replace(/%[^%]{0,4}$/, '')}%~${hash}`;
}

function fieldText(record: Uint8Array, field: string): string | undefined {
  let at = find(record, 0, field);
  if (at < 0 && field.includes('.')) {
    at = 0;
    for (const name of field.split('.')) at = at >= 0 && record[at] === 0x7b ? find(record, at, name) : -1;
  }
  if (at < 0) return undefined;
  const first = record[at];
  if (first === 0x22) return scannedText(record, at + 1, skipString(record, at, record.length) - 1);
  if (first === 0x7b || first === 0x5b)
    throw configError(
      `partition field ${JSON.stringify(field)} is an object or an array; name a field with a plain value`,
      {
        code: 'BAD_PARTITION',
      },
    );
  const text = Buffer.from(record.subarray(at, skipValue(record, at, record.length))).toString();
  return text === 'null' ? undefined : text;
}

/** Where the value of a member begins, or -1. */
function find(record: Uint8Array, at: number, name: string): number {
  const plain = /^[\u0020-\u007e]*$/.test(name);
  let found = -1;
  scanObject(record, at, record.length, (start, end, valueStart) => {
    if (plain ? textEquals(record, start, end, name) : scannedText(record, start, end) === name)
      found = valueStart;
    return -1;
  });
  return found;
}
