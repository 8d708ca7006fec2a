import { scannedText } from './scan.ts';

/** Finds what a scanned member name (its bytes without the quotes) stands for; undefined if it is not known. */
export type NameTable<T> = (bytes: Uint8Array, start: number, end: number) => T | undefined;

const BACKSLASH = 0x5c;

/** A table of member names that is asked with bytes: no text is made of a name, but of one with escapes. */
export function nameTable<T>(entries: ReadonlyMap<string, T>): NameTable<T> {
  const mask = 2 ** Math.ceil(Math.log2(2 * entries.size + 1)) - 1;
  const slots: { readonly name: Uint8Array; readonly value: T }[][] = [];
  for (const [text, value] of entries) {
    const name = Buffer.from(text);
    (slots[hash(name, 0, name.length) & mask] ??= []).push({ name, value });
  }
  return (bytes, start, end) => {
    const code = hash(bytes, start, end);
    if (code === ESCAPED) return entries.get(scannedText(bytes, start, end));
    const slot = slots[code & mask];
    if (slot === undefined) return undefined;
    for (const { name, value } of slot) if (isSame(name, bytes, start, end)) return value;
    return undefined;
  };
}

const ESCAPED = -1;

/** FNV-1a, not negative (http://www.isthe.com/chongo/tech/comp/fnv/), or `ESCAPED`. */
function hash(bytes: Uint8Array, start: number, end: number): number {
  let code = 0x811c9dc5;
  for (let p = start; p < end; p++) {
    const c = bytes[p]!;
    if (c === BACKSLASH) return ESCAPED;
    code = Math.imul(code ^ c, 0x01000193);
  }
  return code >>> 1;
}

function isSame(name: Uint8Array, bytes: Uint8Array, start: number, end: number): boolean {
  const { length } = name;
  if (end - start !== length) return false;
  for (let i = 0; i < length; i++) if (bytes[start + i] !== name[i]) return false;
  return true;
}
