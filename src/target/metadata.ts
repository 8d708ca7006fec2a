import type { RecordMessage } from '../protocol/message.ts';
import { scannedText, scanObject, skipSpace, skipValue } from '../shared/json/scan.ts';

/** When a record came in, and when the object that holds it was begun; milliseconds since 1970. */
export type RowTimes = { readonly receivedAt: number; readonly batchedAt: number };

const OPEN = Buffer.from('{');
const COMMA = Buffer.from(',');
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
  const { record } = message;
  const own = Buffer.from(record.buffer, record.byteOffset, record.length);
  const { members, deletedAt } = own.includes(MARK)
    ? split(own)
    : {
        members: skipSpace(own, 1, own.length) === own.length - 1 ? [] : [own.subarray(1, -1)],
        deletedAt: 'null',
      };
  const columns = [
    `"_sdc_extracted_at":${JSON.stringify(message.timeExtracted ?? null)}`,
    `"_sdc_received_at":"${iso(times.receivedAt)}"`,
    `"_sdc_batched_at":"${iso(times.batchedAt)}"`,
    `"_sdc_deleted_at":${deletedAt}`,
    `"_sdc_sequence":${times.receivedAt}`,
    `"_sdc_table_version":${message.version ?? 'null'}`,
  ].join(',');
  return [OPEN, ...members.flatMap((member) => [member, COMMA]), Buffer.from(`${columns}}`)];
}

/** The members of a record one by one, without those that are written anew. */
function split(record: Buffer): { members: Uint8Array[]; deletedAt: string } {
  const members: Uint8Array[] = [];
  let deletedAt = 'null';
  scanObject(record, 0, record.length, (nameStart, nameEnd, valueStart) => {
    const end = skipValue(record, valueStart, record.length);
    const name = scannedText(record, nameStart, nameEnd);
    if (name === '_sdc_deleted_at') deletedAt = record.toString('utf8', valueStart, end);
    if (!NAMES.has(name)) members.push(record.subarray(nameStart - 1, end));
    return end;
  });
  return { members, deletedAt };
}

const lastIso = { at: Number.NaN, text: '' };

/** Rows of one moment come in thousands. */
function iso(at: number): string {
  if (at !== lastIso.at) [lastIso.at, lastIso.text] = [at, new Date(at).toISOString()];
  return lastIso.text;
}
