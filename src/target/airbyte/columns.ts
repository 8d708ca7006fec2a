import { randomUUID } from 'node:crypto';
import { membersBut, objectOf, type AddMetadata } from '../metadata.ts';

/** What Airbyte says of the load that a record belongs to. */
export type Sync = { readonly generationId: number; readonly syncId: number | undefined };

const MARK = Buffer.from('_airbyte_');
const NAMES: ReadonlySet<string> = new Set([
  '_airbyte_raw_id',
  '_airbyte_extracted_at',
  '_airbyte_generation_id',
  '_airbyte_meta',
]);

/**
 * Adds Airbyte's columns after the members of a record, which stay as they are; members of those names are
 * replaced. `syncOf` knows each stream.
 */
export function airbyteColumns(syncOf: (stream: string) => Sync): AddMetadata {
  return ({ stream, record, timeExtracted, changes }, { receivedAt }) => {
    const { generationId, syncId } = syncOf(stream);
    const meta = [
      ...(syncId === undefined ? [] : [`"sync_id":${syncId}`]),
      `"changes":${changes === undefined ? '[]' : Buffer.from(changes).toString()}`,
    ];
    const columns = [
      `"_airbyte_raw_id":"${randomUUID()}"`,
      `"_airbyte_extracted_at":${timeExtracted === undefined ? receivedAt : Date.parse(timeExtracted)}`,
      `"_airbyte_generation_id":${generationId}`,
      `"_airbyte_meta":{${meta.join(',')}}`,
    ];
    return objectOf(
      membersBut(record, MARK, (name) => NAMES.has(name)),
      columns.join(','),
    );
  };
}
