import { scannedText, scanObject, skipString, skipValue } from '../../shared/json/scan.ts';
import type { Format } from './format.ts';

const QUOTED = /[",\r\n]|^\s|\s$/;

/**
 * Lines of comma-separated values (RFC 4180) below a header: the properties of the schema, then what records
 * have beyond it. Null and absent values are empty, the empty text is `""`; numbers stay as they were written,
 * objects and arrays are JSON text.
 */
export const csv: Format = {
  extension: '.csv',
  contentType: 'text/csv',
  columns: (record, known) => {
    const index = indexOf(known);
    const added = new Set<string>();
    scanObject(record, 0, record.length, (start, end) => {
      const name = scannedText(record, start, end);
      if (!index.has(name)) added.add(name);
      return -1;
    });
    return added.size === 0 ? known : [...known, ...added];
  },
  header: (columns) => Buffer.from(`${columns.map(quoted).join(',')}\n`),
  row: (pieces, columns) => {
    const record = pieces.length === 1 ? pieces[0]! : Buffer.concat(pieces);
    const index = indexOf(columns);
    const cells: string[] = Array.from({ length: columns.length }, () => '');
    scanObject(record, 0, record.length, (start, end, valueStart) => {
      const at = index.get(scannedText(record, start, end));
      const valueEnd = skipValue(record, valueStart, record.length);
      if (at !== undefined) cells[at] = cell(record, valueStart, valueEnd);
      return valueEnd;
    });
    return [Buffer.from(`${cells.join(',')}\n`)];
  },
};

const indexes = new WeakMap<readonly string[], ReadonlyMap<string, number>>();

function indexOf(columns: readonly string[]): ReadonlyMap<string, number> {
  let index = indexes.get(columns);
  if (index === undefined) {
    index = new Map(columns.map((name, i) => [name, i]));
    indexes.set(columns, index);
  }
  return index;
}

function cell(record: Uint8Array, start: number, end: number): string {
  if (record[start] === 0x22) {
    const text = scannedText(record, start + 1, skipString(record, start, end) - 1);
    return text === '' ? '""' : quoted(text);
  }
  const text = Buffer.from(record.buffer, record.byteOffset + start, end - start).toString();
  return text === 'null' ? '' : quoted(text);
}

function quoted(text: string): string {
  return QUOTED.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
