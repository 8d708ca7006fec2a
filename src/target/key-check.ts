import { scannedText, scanObject } from '../shared/json/scan.ts';

/** Finds the first key property that a record (a JSON object known to be well-formed) does not have. */
export type KeyCheck = (record: Uint8Array) => string | undefined;

const BACKSLASH = 0x5c;

/** A check of the given key properties. It reads a record only as far as needed to have seen all of them. */
export function keyCheck(keys: readonly string[]): KeyCheck {
  const names = keys.map((key) => Buffer.from(key));
  if (names.length === 0) return () => undefined;
  return (record) => {
    const last = record.length - 1; // the closing brace: going on there ends the scan
    const missing = new Set(names.keys());
    scanObject(record, 0, record.length, (start, end) => {
      for (const i of missing) if (isName(record, start, end, names[i]!, keys[i]!)) missing.delete(i);
      return missing.size === 0 ? last : -1;
    });
    for (const i of missing) return keys[i];
    return undefined;
  };
}

function isName(bytes: Uint8Array, start: number, end: number, name: Uint8Array, text: string): boolean {
  if (end - start === name.length) {
    let i = 0;
    while (i < name.length && bytes[start + i] === name[i]) i++;
    if (i === name.length) return true;
  }
  const escaped = bytes.subarray(start, end).includes(BACKSLASH);
  return escaped && scannedText(bytes, start, end) === text;
}
