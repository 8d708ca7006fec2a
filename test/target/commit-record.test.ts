import { describe, expect, it } from 'vitest';
import { encodeCommit, stateOf } from '../../src/target/commit-record.ts';

const commit = {
  runId: 'RUN',
  number: 3,
  committedAt: Date.UTC(2026, 0, 1),
  program: 'target-s3 v1',
  rowsAfterState: 0,
  replaces: [],
  objects: [{ key: 's/a', stream: 's', schema: 'f', rows: 2, bytes: 10, sha256: '00' }],
};

describe('a commit record', () => {
  it('is JSON that names its objects and ends with the STATE as it was received', () => {
    const state = Buffer.from('{"n":9223372036854775807, "state":{"state":1}}');
    const bytes = encodeCommit({ ...commit, state });
    expect(JSON.parse(Buffer.from(bytes).toString())).toMatchObject({
      version: 1,
      run_id: 'RUN',
      number: 3,
      committed_at: '2026-01-01T00:00:00.000Z',
      objects: commit.objects,
    });
    expect(Buffer.from(stateOf(bytes)!)).toEqual(state);
  });

  it('may have no STATE and no objects', () => {
    const bytes = encodeCommit({ ...commit, objects: [], state: undefined, rowsAfterState: 4 });
    expect(JSON.parse(Buffer.from(bytes).toString())).toMatchObject({ objects: [], rows_after_state: 4 });
    expect(stateOf(bytes)).toBeUndefined();
  });
});
