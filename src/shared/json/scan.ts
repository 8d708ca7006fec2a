/**
 * A reader of JSON text as bytes (RFC 8259). It finds where values begin and end, checks the grammar on the
 * way, and builds nothing: record bodies pass through both programs as the bytes that were received.
 * It accepts exactly what `JSON.parse` accepts; that bytes are valid UTF-8 is the caller's to check.
 */

/** The text is not JSON; `offset` is the byte where that became certain. */
export class JsonSyntaxError extends Error {
  override readonly name = 'JsonSyntaxError';
  readonly offset: number;

  constructor(problem: string, offset: number) {
    super(`${problem} at byte ${offset}`);
    this.offset = offset;
  }
}

/** Asks a scan to note where string values of one byte length begin (the byte after the opening quote). */
export type StringWatch = { readonly length: number; readonly starts: number[] };

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const COLON = 0x3a;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;
const OPEN_ARRAY = 0x5b;
const CLOSE_ARRAY = 0x5d;

/** Containers a value is nested in: 1 for an object, 0 for an array. Scans never interleave, so one will do. */
let nesting = new Uint8Array(256);

function fail(bytes: Uint8Array, at: number, end: number): never {
  if (at >= end) throw new JsonSyntaxError('the JSON text ends too early', end);
  const byte = bytes[at]!;
  const shown =
    byte > 0x20 && byte < 0x7f ? `"${String.fromCharCode(byte)}"` : `0x${byte.toString(16).padStart(2, '0')}`;
  throw new JsonSyntaxError(`unexpected ${shown}`, at);
}

/** The first byte at or after `at` that is not JSON white space. */
export function skipSpace(bytes: Uint8Array, at: number, end: number): number {
  let p = at;
  while (p < end) {
    const c = bytes[p]!;
    if (c !== 0x20 && c !== 0x0a && c !== 0x0d && c !== 0x09) break;
    p++;
  }
  return p;
}

/** 1 for the bytes at which a string ends or needs a closer look. */
const SPECIAL = new Uint8Array(256).fill(1, 0, 0x20);
SPECIAL[QUOTE] = 1;
SPECIAL[BACKSLASH] = 1;

/** `at` is an opening quote; the result is the byte after the closing one. */
export function skipString(bytes: Uint8Array, at: number, end: number): number {
  const stop = end - 3;
  let p = at + 1;
  for (;;) {
    // Most bytes of an issue pass through here: four a turn is measurably faster than one.
    while (
      p < stop &&
      (SPECIAL[bytes[p]!]! | SPECIAL[bytes[p + 1]!]! | SPECIAL[bytes[p + 2]!]! | SPECIAL[bytes[p + 3]!]!) ===
        0
    ) {
      p += 4;
    }
    while (p < end && SPECIAL[bytes[p]!] === 0) p++;
    if (p >= end) return fail(bytes, end, end);
    const c = bytes[p]!;
    if (c === QUOTE) return p + 1;
    if (c !== BACKSLASH) return fail(bytes, p, end);
    p = skipEscape(bytes, p, end);
  }
}

function skipEscape(bytes: Uint8Array, at: number, end: number): number {
  if (at + 1 >= end) return fail(bytes, end, end);
  switch (bytes[at + 1]) {
    case QUOTE:
    case BACKSLASH:
    case 0x2f: // /
    case 0x62: // b
    case 0x66: // f
    case 0x6e: // n
    case 0x72: // r
    case 0x74: // t
      return at + 2;
    case 0x75: // u
      for (let p = at + 2; p < at + 6; p++) if (p >= end || !isHex(bytes[p]!)) return fail(bytes, p, end);
      return at + 6;
    default:
      return fail(bytes, at + 1, end);
  }
}

function isHex(c: number): boolean {
  return (c >= 0x30 && c <= 0x39) || (c >= 0x41 && c <= 0x46) || (c >= 0x61 && c <= 0x66);
}

function isDigit(c: number | undefined): boolean {
  return c !== undefined && c >= 0x30 && c <= 0x39;
}

function skipDigits(bytes: Uint8Array, at: number, end: number): number {
  let p = at;
  while (p < end && isDigit(bytes[p])) p++;
  return p === at ? fail(bytes, p, end) : p;
}

function skipNumber(bytes: Uint8Array, at: number, end: number): number {
  let p = bytes[at] === 0x2d ? at + 1 : at;
  p = p < end && bytes[p] === 0x30 ? p + 1 : skipDigits(bytes, p, end);
  if (p < end && bytes[p] === 0x2e) p = skipDigits(bytes, p + 1, end);
  if (p < end && (bytes[p]! | 0x20) === 0x65) {
    p++;
    if (p < end && (bytes[p] === 0x2b || bytes[p] === 0x2d)) p++;
    p = skipDigits(bytes, p, end);
  }
  return p;
}

function skipWord(bytes: Uint8Array, at: number, end: number, word: string): number {
  for (let i = 0; i < word.length; i++) {
    if (at + i >= end || bytes[at + i] !== word.charCodeAt(i)) return fail(bytes, at + i, end);
  }
  return at + word.length;
}

function skipScalar(bytes: Uint8Array, at: number, end: number): number {
  if (at >= end) return fail(bytes, at, end);
  switch (bytes[at]) {
    case 0x74:
      return skipWord(bytes, at, end, 'true');
    case 0x66:
      return skipWord(bytes, at, end, 'false');
    case 0x6e:
      return skipWord(bytes, at, end, 'null');
    default:
      return skipNumber(bytes, at, end);
  }
}

/** Past the member name at `at`, its colon and any space around them: where the member's value begins. */
function skipName(bytes: Uint8Array, at: number, end: number): number {
  let p = bytes[at] === QUOTE ? at : skipSpace(bytes, at, end);
  if (p >= end || bytes[p] !== QUOTE) return fail(bytes, p, end);
  p = skipString(bytes, p, end);
  if (bytes[p] !== COLON) p = skipSpace(bytes, p, end);
  if (p >= end || bytes[p] !== COLON) return fail(bytes, p, end);
  return p + 1;
}

/**
 * Checks one value, which may begin with white space, and returns the byte after it.
 * Throws `JsonSyntaxError`. Nesting is limited by memory alone.
 */
export function skipValue(bytes: Uint8Array, at: number, end: number, watch?: StringWatch): number {
  const watched = watch === undefined ? -1 : watch.length;
  let p = at;
  let depth = 0;
  let object = false; // what p is inside of; the containers around that are in `nesting`
  for (;;) {
    if (bytes[p]! <= 0x20) p = skipSpace(bytes, p, end);
    const c = p < end ? bytes[p]! : 0;
    if (c === QUOTE) {
      const after = skipString(bytes, p, end);
      if (after - p - 2 === watched) watch!.starts.push(p + 1);
      p = after;
    } else if (c === OPEN_OBJECT || c === OPEN_ARRAY) {
      if (depth === nesting.length) nesting = grown(nesting);
      nesting[depth++] = object ? 1 : 0;
      object = c === OPEN_OBJECT;
      p = skipSpace(bytes, p + 1, end);
      if (p >= end) return fail(bytes, p, end);
      if (bytes[p] !== (object ? CLOSE_OBJECT : CLOSE_ARRAY)) {
        if (object) p = skipName(bytes, p, end);
        continue;
      }
      object = nesting[--depth] === 1;
      p++;
    } else {
      p = skipScalar(bytes, p, end);
    }
    // A value has ended at p: close what ends with it, or go on to the next one.
    for (;;) {
      if (depth === 0) return p;
      if (bytes[p]! <= 0x20) p = skipSpace(bytes, p, end);
      const next = p < end ? bytes[p]! : 0;
      if (next === COMMA) {
        p = object ? skipName(bytes, p + 1, end) : p + 1;
        break;
      }
      if (next !== (object ? CLOSE_OBJECT : CLOSE_ARRAY)) return fail(bytes, p, end);
      object = nesting[--depth] === 1;
      p++;
    }
  }
}

function grown(stack: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  const larger = new Uint8Array(stack.length * 4);
  larger.set(stack);
  return larger;
}

/**
 * Called for each member of an object: the name's bytes without quotes, and where its value begins.
 * Answers the byte after the value if it scanned the value itself, or a negative number to have it skipped.
 */
export type MemberVisitor = (nameStart: number, nameEnd: number, valueStart: number) => number;

/** Walks the members of the object that begins at `at`; returns the byte after it. Throws `JsonSyntaxError`. */
export function scanObject(
  bytes: Uint8Array,
  at: number,
  end: number,
  visit: MemberVisitor,
  watch?: StringWatch,
): number {
  let p = skipSpace(bytes, at, end);
  if (p >= end || bytes[p] !== OPEN_OBJECT) return fail(bytes, p, end);
  p = skipSpace(bytes, p + 1, end);
  if (p < end && bytes[p] === CLOSE_OBJECT) return p + 1;
  for (;;) {
    p = skipSpace(bytes, p, end);
    if (p >= end || bytes[p] !== QUOTE) return fail(bytes, p, end);
    const name = p + 1;
    const nameEnd = skipString(bytes, p, end) - 1;
    p = skipSpace(bytes, nameEnd + 1, end);
    if (p >= end || bytes[p] !== COLON) return fail(bytes, p, end);
    p = skipSpace(bytes, p + 1, end);
    const after = visit(name, nameEnd, p);
    p = skipSpace(bytes, after < 0 ? skipValue(bytes, p, end, watch) : after, end);
    if (p < end && bytes[p] === CLOSE_OBJECT) return p + 1;
    if (p >= end || bytes[p] !== COMMA) return fail(bytes, p, end);
    p++;
  }
}

/** As `scanObject`, for the elements of the array at `at`; `visit` gets where an element begins. */
export function scanArray(
  bytes: Uint8Array,
  at: number,
  end: number,
  visit: (valueStart: number) => number,
  watch?: StringWatch,
): number {
  let p = skipSpace(bytes, at, end);
  if (p >= end || bytes[p] !== OPEN_ARRAY) return fail(bytes, p, end);
  p = skipSpace(bytes, p + 1, end);
  if (p < end && bytes[p] === CLOSE_ARRAY) return p + 1;
  for (;;) {
    p = skipSpace(bytes, p, end);
    const after = visit(p);
    p = skipSpace(bytes, after < 0 ? skipValue(bytes, p, end, watch) : after, end);
    if (p < end && bytes[p] === CLOSE_ARRAY) return p + 1;
    if (p >= end || bytes[p] !== COMMA) return fail(bytes, p, end);
    p++;
  }
}

/** Throws `JsonSyntaxError` if anything but white space follows. */
export function expectEnd(bytes: Uint8Array, at: number, end: number): void {
  const p = skipSpace(bytes, at, end);
  if (p < end) fail(bytes, p, end);
}

/** True if a scanned name or string equals `text`, escapes included. `text` must be ASCII. */
export function textEquals(bytes: Uint8Array, start: number, end: number, text: string): boolean {
  const length = end - start;
  if (length < text.length) return false;
  if (length > text.length) return hasEscape(bytes, start, end) && scannedText(bytes, start, end) === text;
  for (let i = 0; i < length; i++) if (bytes[start + i] !== text.charCodeAt(i)) return false;
  return true;
}

/** A scanned string (its bytes without the quotes) as text, escapes resolved. */
export function scannedText(bytes: Uint8Array, start: number, end: number): string {
  const raw = Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString('utf8');
  return hasEscape(bytes, start, end) ? (JSON.parse(`"${raw}"`) as string) : raw;
}

function hasEscape(bytes: Uint8Array, start: number, end: number): boolean {
  for (let p = start; p < end; p++) if (bytes[p] === BACKSLASH) return true;
  return false;
}
