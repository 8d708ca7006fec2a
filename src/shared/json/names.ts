import { scannedText } from './scan.ts';

/** Finds what a scanned member name (its bytes without the quotes) stands for; undefined if it is not known. */
export type NameTable<T> = (bytes: Uint8Array, start: number, end: number) => T | undefined;

const BACKSLASH = 0x5c;

/**
 * A table of member names that is asked with bytes: no text is made of a name, but of one with escapes. It is small,
 * since thousands of tables may be in use: the names are one piece of memory.
 */
export function nameTable<T>(entries: ReadonlyMap<string, T>): NameTable<T> {
  const mask = 2 ** Math.ceil(Math.log2(2 * entries.size + 1)) - 1;
  // Lone surrogates have no bytes of their own; such names come with escapes alone.
  const odd = new Map([...entries].filter(([text]) => LONE.test(text)));
  const named = [...entries]
    .filter(([text]) => !odd.has(text))
    .map(([text, value]) => {
      const name = Buffer.from(text);
      return { name, value, slot: hash(name, 0, name.length) & mask };
    })
    .toSorted((a, b) => a.slot - b.slot);
  const names = Uint8Array.from(Buffer.concat(named.map(({ name }) => name)));
  const values = Array.from(named, ({ value }) => value);
  const starts = new Uint32Array(named.length + 1);
  const slots = new Uint32Array(mask + 2);
  for (const [i, { name, slot }] of named.entries()) {
    starts[i + 1] = starts[i]! + name.length;
    slots[slot + 1] = i + 1;
  }
  for (let slot = 1; slot < slots.length; slot++)
    if (slots[slot]! < slots[slot - 1]!) slots[slot] = slots[slot - 1]!;
  const find: NameTable<T> = (bytes, start, end) => {
    const code = hash(bytes, start, end);
    if (code === ESCAPED) {
      const text = scannedText(bytes, start, end);
      if (LONE.test(text)) return odd.get(text);
      const name = Buffer.from(text);
      return at(hash(name, 0, name.length) & mask, name, 0, name.length);
    }
    return at(code & mask, bytes, start, end);
  };
  const at = (slot: number, bytes: Uint8Array, start: number, end: number): T | undefined => {
    for (let i = slots[slot]!; i < slots[slot + 1]!; i++)
      if (isSame(names, starts[i]!, starts[i + 1]!, bytes, start, end)) return values[i];
    return undefined;
  };
  return find;
}

const LONE = /[\ud800-\udfff]/u;
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

function isSame(
  names: Uint8Array,
  nameStart: number,
  nameEnd: number,
  bytes: Uint8Array,
  start: number,
  end: number,
): boolean {
  const length = nameEnd - nameStart;
  if (end - start !== length) return false;
  for (let i = 0; i < length; i++) if (bytes[start + i] !== names[nameStart + i]) return false;
  return true;
}
