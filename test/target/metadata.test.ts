import { describe, expect, it } from 'vitest';
import { withMetadata } from '../../src/target/metadata.ts';

const times = { receivedAt: Date.UTC(2026, 0, 1), batchedAt: Date.UTC(2025, 11, 31) };
const added = (record: string, more: object = {}): string =>
  Buffer.concat(
    withMetadata({ type: 'record', stream: 's', record: Buffer.from(record), ...more }, times),
  ).toString();
const columns = (version: unknown = null, extracted: unknown = null, deleted: unknown = null): string =>
  `"_sdc_extracted_at":${JSON.stringify(extracted)},"_sdc_received_at":"2026-01-01T00:00:00.000Z","_sdc_batched_at":"2025-12-31T00:00:00.000Z","_sdc_deleted_at":${JSON.stringify(deleted)},"_sdc_sequence":${times.receivedAt},"_sdc_table_version":${JSON.stringify(version)}}`;

describe('withMetadata', () => {
  it.each([
    ['{"id":12345678901234567890}', `{"id":12345678901234567890,${columns()}`],
    ['{}', `{${columns()}`],
    ['{ }', `{${columns()}`],
    ['{ "a" : 1 }', `{ "a" : 1 ,${columns()}`],
    ['{"_sdc_sequence":5,"a":"_sdc_x"}', `{"a":"_sdc_x",${columns()}`],
    ['{"_sdc_sequence":5}', `{${columns()}`],
    [String.raw`{"\u005fsdc_sequence":5,"a":"\u00e9"}`, String.raw`{"a":"\u00e9",${columns()}`],
    [String.raw`{"_\u0073dc_x":1}`, String.raw`{"_\u0073dc_x":1,${columns()}`],
    ['{"a":{"_sdc_sequence":5},"_sdc_own":1}', `{"a":{"_sdc_sequence":5},"_sdc_own":1,${columns()}`],
  ])('%s', (record, expected) => {
    expect(added(record)).toBe(expected);
    expect(() => JSON.parse(added(record)) as unknown).not.toThrow();
  });

  it('tells version and time of extraction, and keeps when a row was deleted', () => {
    const record = '{"_sdc_deleted_at":"2020-01-01T00:00:00Z","id":1}';
    expect(added(record, { version: 3, timeExtracted: '2026-01-01T01:00:00+01:00' })).toBe(
      `{"id":1,${columns(3, '2026-01-01T01:00:00+01:00', '2020-01-01T00:00:00Z')}`,
    );
    const escaped = String.raw`{"_\u0073dc_deleted_at":"2020-01-01T00:00:00Z","id":1}`;
    expect(added(escaped)).toBe(`{"id":1,${columns(null, null, '2020-01-01T00:00:00Z')}`);
    expect(added('{"id":1}', { version: 1_795_341_600_123_456_789n })).toContain(
      '"_sdc_table_version":1795341600123456789}',
    );
  });
});
