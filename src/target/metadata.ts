import type { RecordMessage } from '../protocol/message.ts';
import { scannedText, scanObject, skipSpace, skipValue } from '../shared/json/scan.ts';

/** When a record came in, and when the object that holds it was begun; milliseconds since 1970. */
export type RowTimes = { readonly receivedAt: number; readonly batchedAt: number };

/** Gives the bytes of a record with columns that tell where it comes from. */
export type AddMetadata = (message: RecordMessage, times: RowTimes) => readonly Uint8Array[];

const OPEN = Buffer.from('{');
const COMMA = Buffer.from(',');
/** What a letter of a name may begin with instead. */
const ESCAPE = Buffer.from(String.raw`\u00`);
const MARK = Buffer.from('_sdc_');
const NAMES: ReadonlySet<string> = new Set([
  '_sdc_extracted_at',
  '_sdc_received_at',
  '_sdc_batched_at',
  '_sdc_deleted_at',
  '_sdc_sequence',
  '_sdc_table_version',
]);

/**
 * The bytes of a record with the metadata columns after its own members, which stay as they are. Members of
 * those names that the record already has are replaced, but `_sdc_deleted_at` keeps its value.
 */
export function withMetadata(message: RecordMessage, times: RowTimes): readonly Uint8Array[] {
  let deletedAt = 'null';
  const members = membersBut(message.record, MARK, (name, value) => {
    if (name === '_sdc_deleted_at') deletedAt = Buffer.from(value).toString();
    return NAMES.has(name);
  });
  const columns = [
    `"_sdc_extracted_at":${JSON.stringify(message.timeExtracted ?? null)}`,
    `"_sdc_received_at":"${iso(times.receivedAt)}"`,
    `"_sdc_batched_at":"${iso(times.batchedAt)}"`,
    `"_sdc_deleted_at":${deletedAt}`,
    `"_sdc_sequence":${times.receivedAt}`,
    `"_sdc_table_version":${message.version ?? 'null'}`,
  ].join(',');
  return objectOf(members, columns);
}

/** An object of members as they are, and then others. */
export function objectOf(members: readonly Uint8Array[], others: string): readonly Uint8Array[] {
  return [OPEN, ...members.flatMap((member) => [member, COMMA]), Buffer.from(`${others}}`)];
}

/**
 * The members of a record without those that are to be left out: all in one piece if `mark`, which such names
 * have in them, can be nowhere.
 */
export function membersBut(
  record: Uint8Array,
  mark: Buffer,
  leaveOut: (name: string, value: Uint8Array) => boolean,
): readonly Uint8Array[] {
  const own = Buffer.from(record.buffer, record.byteOffset, record.length);
  if (!own.includes(mark) && !own.includes(ESCAPE))
    return skipSpace(own, 1, own.length) === own.length - 1 ? [] : [own.subarray(1, -1)];
  const members: Uint8Array[] = [];
  scanObject(own, 0, own.length, (nameStart, nameEnd, valueStart) => {
    const end = skipValue(own, valueStart, own.length);
    const name = scannedText(own, nameStart, nameEnd);
    if (!leaveOut(name, own.subarray(valueStart, end))) members.push(own.subarray(nameStart - 1, end));
    return end;
  });
  return members;
}

const lastIso = { at: Number.NaN, text: '' };

/** Rows of one moment come in thousands. */
function iso(at: number): string {
  if (at !== lastIso.at) [lastIso.at, lastIso.text] = [at, new Date(at).toISOString()];
  return lastIso.text;
}
