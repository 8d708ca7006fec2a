import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { retryAfterMs } from '../../src/shared/http/retry-after.ts';

const NOW = Date.parse('2026-11-23T10:00:00Z');

describe('Retry-After', () => {
  it.each<[string, Record<string, string>, number | undefined]>([
    ['absent', {}, undefined],
    ['empty', { 'retry-after': ' ' }, undefined],
    ['0, as Data Center sends with success', { 'retry-after': '0' }, 0],
    ['seconds', { 'retry-after': '120' }, 120_000],
    ['seconds with a fraction', { 'retry-after': ' 1.5 ' }, 1500],
    ['Long.MAX, of a user without quota', { 'retry-after': '9223372036854775807' }, Infinity],
    ['a date in the future', { 'retry-after': 'Mon, 23 Nov 2026 10:00:30 GMT' }, 30_000],
    ['a date that has passed', { 'retry-after': 'Mon, 23 Nov 2026 09:00:00 GMT' }, 0],
    [
      "a date, by the server's own clock",
      { 'retry-after': 'Mon, 23 Nov 2026 11:00:30 GMT', date: 'Mon, 23 Nov 2026 11:00:00 GMT' },
      30_000,
    ],
    ['a date in another year', { 'retry-after': 'Mon, 23 Nov 2027 10:00:30 GMT' }, Infinity],
    ['nonsense', { 'retry-after': 'soon' }, undefined],
    ['Beta-Retry-After', { 'beta-retry-after': '5' }, 5000],
    ['X-RateLimit-Reset, minutes only', { 'x-ratelimit-reset': '2026-11-23T10:02Z' }, 120_000],
    [
      'Retry-After before X-RateLimit-Reset',
      { 'retry-after': '3', 'x-ratelimit-reset': '2026-11-23T10:02Z' },
      3000,
    ],
    [
      'nonsense with X-RateLimit-Reset',
      { 'retry-after': 'x', 'x-ratelimit-reset': '2026-11-23T10:02Z' },
      120_000,
    ],
  ])('%s', (_, headers, expected) => {
    expect(retryAfterMs(new Headers(headers), NOW)).toBe(expected);
  });

  it('is never negative and never NaN', () => {
    const text = fc.string({ unit: fc.constantFrom(...'0123456789-:.TZ GMTMonNov,'), maxLength: 30 });
    fc.assert(
      fc.property(text, text, (after, reset) => {
        const ms = retryAfterMs(new Headers({ 'retry-after': after, 'x-ratelimit-reset': reset }), NOW);
        expect(ms === undefined || ms >= 0).toBe(true);
      }),
    );
  });
});
