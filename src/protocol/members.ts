import { isUtf8 } from 'node:buffer';
import {
  expectEnd,
  JsonSyntaxError,
  scannedText,
  scanObject,
  skipSpace,
  skipString,
  skipValue,
  textEquals,
} from '../shared/json/scan.ts';
import { parseBytes, type JsonValue } from '../shared/json/value.ts';

/** Where a value is in a line. */
export type Range = { readonly start: number; readonly end: number };

/** Where the values of some members of an object are; of members of the same name, the last. */
export type Members<Name extends string> = ReadonlyMap<Name, Range>;

/** Looks into a member itself: answers the byte after its value, or a negative number to have it skipped. */
export type Inside<Name extends string> = (name: Name, start: number) => number;

/** The members of those names of the object that begins at `at`, and the byte after it. Throws `JsonSyntaxError`. */
export function membersAt<Name extends string>(
  bytes: Uint8Array,
  at: number,
  names: readonly Name[],
  inside: Inside<Name> = () => -1,
): { readonly found: Members<Name>; readonly end: number } {
  const found = new Map<Name, Range>();
  const end = scanObject(bytes, at, bytes.length, (nameStart, nameEnd, start) => {
    const name = names.find((one) => textEquals(bytes, nameStart, nameEnd, one));
    if (name === undefined) return -1;
    const seen = inside(name, start);
    const after = seen < 0 ? skipValue(bytes, start, bytes.length) : seen;
    found.set(name, { start, end: after });
    return after;
  });
  return { found, end };
}

/**
 * As `membersAt`, for a line that has to be one JSON object in UTF-8; one pass checks all of it. What is wrong with
 * another line is thrown as `bad` says it.
 */
export function membersOfLine<Name extends string>(
  bytes: Uint8Array,
  names: readonly Name[],
  bad: (problem: string) => Error,
  inside?: Inside<Name>,
): Members<Name> {
  if (!isUtf8(bytes)) throw bad('it is not valid UTF-8');
  try {
    const start = skipSpace(bytes, 0, bytes.length);
    if (bytes[start] !== 0x7b) skipValue(bytes, start, bytes.length);
    if (bytes[start] !== 0x7b) throw bad('it must be a JSON object');
    const { found, end } = membersAt(bytes, start, names, inside);
    expectEnd(bytes, end, bytes.length);
    return found;
  } catch (cause) {
    if (cause instanceof JsonSyntaxError) throw bad(`it is not JSON: ${cause.message}`);
    throw cause;
  }
}

/** The text of a member that is a string. */
export function textOf<Name extends string>(
  bytes: Uint8Array,
  found: Members<Name>,
  name: Name,
): string | undefined {
  const at = found.get(name);
  if (at === undefined || bytes[at.start] !== 0x22) return undefined;
  return scannedText(bytes, at.start + 1, skipString(bytes, at.start, at.end) - 1);
}

/** The value of a member, parsed. */
export function valueOf<Name extends string>(
  bytes: Uint8Array,
  found: Members<Name>,
  name: Name,
): JsonValue | undefined {
  const at = found.get(name);
  return at === undefined ? undefined : parseBytes(bytes, at.start, at.end);
}
