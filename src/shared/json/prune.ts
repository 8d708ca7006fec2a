import { scannedText, scanObject, skipValue } from './scan.ts';

/** Members to leave out of an object: by name, either altogether or some of the member's own. */
export type Pruning = ReadonlyMap<string, 'all' | Pruning>;

const OPEN = Buffer.from('{');
const CLOSE = Buffer.from('}');
const COMMA = Buffer.from(',');

/** A copy of a JSON object without some members. What is kept is kept byte for byte. */
export function pruned(object: Uint8Array, without: Pruning): Uint8Array {
  if (without.size === 0) return object;
  const pieces: Uint8Array[] = [];
  copyObject(object, 0, without, pieces);
  return Buffer.concat(pieces);
}

function copyObject(bytes: Uint8Array, at: number, without: Pruning, pieces: Uint8Array[]): number {
  let first = true;
  pieces.push(OPEN);
  const end = scanObject(bytes, at, bytes.length, (nameStart, nameEnd, valueStart) => {
    const rule = without.get(scannedText(bytes, nameStart, nameEnd));
    if (rule === 'all') return -1;
    if (!first) pieces.push(COMMA);
    first = false;
    if (rule !== undefined && bytes[valueStart] === OPEN[0]) {
      pieces.push(bytes.subarray(nameStart - 1, valueStart));
      return copyObject(bytes, valueStart, rule, pieces);
    }
    const valueEnd = skipValue(bytes, valueStart, bytes.length);
    pieces.push(bytes.subarray(nameStart - 1, valueEnd));
    return valueEnd;
  });
  pieces.push(CLOSE);
  return end;
}
