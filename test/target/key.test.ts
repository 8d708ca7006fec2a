import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { commitKey, decodeName, encodeName, newRunId, objectKey } from '../../src/target/key.ts';
import { handClock } from '../support/hand-clock.ts';

const anyText = fc.oneof(
  fc.string({ unit: 'grapheme' }),
  fc.string({ unit: fc.nat(0xffff).map((unit) => String.fromCharCode(unit)) }),
  fc
    .array(fc.constantFrom('.', '..', '/', '\\', '%', '_', ':', '?', '~', 'a', '\0', '\n'))
    .map((parts) => parts.join('')),
);

describe('encodeName', () => {
  it.each([
    ['issues', 'issues'],
    ['issue_comments-2.v1', 'issue_comments-2.v1'],
    ['../../etc', '%2E.%2F..%2Fetc'],
    ['a/b', 'a%2Fb'],
    ['.', '%2E'],
    ['..', '%2E.'],
    ['', '%'],
    ['%', '%25'],
    ['_commits', '%5Fcommits'],
    ['test:Special!in?x', 'test%3ASpecial%21in%3Fx'],
    ['a=b c', 'a%3Db%20c'],
    ['é😀', '%C3%A9%F0%9F%98%80'],
    ['\0\n', '%00%0A'],
    ['\ud800x', '%ud800x'],
  ])('%j becomes %s', (name, encoded) => {
    expect(encodeName(name)).toBe(encoded);
  });

  it('has a way back for every text, and never leaves its place', () => {
    fc.assert(
      fc.property(anyText, (text) => {
        const encoded = encodeName(text);
        expect(encoded).toMatch(/^[A-Za-z0-9%-][A-Za-z0-9_.%~-]*$/);
        expect(encoded.length).toBeLessThanOrEqual(180);
        if (!encoded.includes('%~')) expect(decodeName(encoded)).toBe(text);
      }),
    );
  });

  it('shortens long names and keeps them apart', () => {
    const [a, b] = [encodeName('é'.repeat(300)), encodeName(`${'é'.repeat(299)}e`)];
    expect(a).not.toBe(b);
    expect(Buffer.byteLength(a)).toBeLessThanOrEqual(180);
    expect(decodeName(a)).toBeUndefined();
  });
});

describe('keys', () => {
  const name = {
    stream: 's',
    runId: 'RUN',
    number: 7,
    begunAt: Date.UTC(2026, 10, 23, 23, 59, 59),
    extension: '.jsonl.gz',
  };

  it('name stream, day, run and number', () => {
    expect(objectKey('raw/jira', name)).toBe('raw/jira/s/ingest_date=2026-11-23/s-RUN-000007.jsonl.gz');
    expect(objectKey('', name)).toBe('s/ingest_date=2026-11-23/s-RUN-000007.jsonl.gz');
    expect(commitKey('p', 'RUN', 12)).toBe('p/_commits/RUN/000012.json');
  });

  it('fit into the names of file systems', () => {
    const clock = handClock();
    const key = objectKey('', { ...name, stream: 'x'.repeat(1000), runId: newRunId(clock), number: 10 ** 9 });
    for (const part of key.split('/')) expect(`.${part}.tmp`.length).toBeLessThanOrEqual(255);
  });

  it('of later runs sort later', () => {
    const clock = handClock();
    const ids = Array.from({ length: 50 }, () => {
      clock.advance(1 + clock.random() * 1e9);
      return newRunId(clock);
    });
    expect(ids.toSorted()).toEqual(ids);
    expect(new Set(ids).size).toBe(50);
  });
});
