import { describe, expect, it } from 'vitest';
import { readSelection } from '../../src/protocol/catalog.ts';
import type { JsonObject } from '../../src/shared/json/value.ts';
import { loadSchemas } from '../../src/tap/schemas.ts';
import { selectedStreams, streamNames } from '../../src/tap/streams.ts';

/** A catalog that selects every stream and deselects all their properties, inclusion unsaid. */
function sparse(): JsonObject {
  return {
    streams: Object.entries(loadSchemas()).map(([name, { properties }]) => ({
      tap_stream_id: name,
      metadata: [
        { breadcrumb: [], metadata: { selected: true } },
        ...Object.keys(properties as JsonObject).map((property) => ({
          breadcrumb: ['properties', property],
          metadata: { selected: false },
        })),
      ],
    })),
  };
}

describe('the selected streams', () => {
  it('have their keys and their cursor, whatever a catalog deselects', async () => {
    const selected = selectedStreams(loadSchemas(), readSelection(sparse(), 'c.json'));
    expect(selected.map(({ name }) => name)).toEqual(streamNames);
    for (const { keyProperties, replicationKey, schema } of selected) {
      const cursor = replicationKey === undefined ? [] : [replicationKey];
      expect(Object.keys(schema['properties'] as JsonObject).toSorted()).toEqual(
        [...keyProperties, ...cursor].toSorted(),
      );
    }
  });
});
