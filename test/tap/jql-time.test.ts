import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { epochTimes, floorMinute, MINUTE_MS, zoneTimes } from '../../src/tap/jql-time.ts';
import { parseWallLiteral } from '../support/jira/time-zone.ts';

const HOUR = 60 * MINUTE_MS;

/** What Jira takes a literal for, in a zone; undefined if it refuses it. */
const meaning = (text: string, zone: string): number | undefined =>
  parseWallLiteral(text.slice(1, -1), zone)?.at;

const CHANGES: readonly [string, string][] = [
  ['America/New_York', '2024-03-10T07:00:00Z'],
  ['America/New_York', '2024-11-03T06:00:00Z'],
  ['Australia/Lord_Howe', '2024-04-06T15:00:00Z'],
  ['Australia/Lord_Howe', '2024-10-05T15:30:00Z'],
  ['America/Sao_Paulo', '2018-11-04T03:00:00Z'],
  ['America/Sao_Paulo', '2018-02-18T02:00:00Z'],
  ['America/St_Johns', '2024-03-10T05:30:00Z'],
  ['America/St_Johns', '2024-11-03T04:30:00Z'],
  ['Asia/Kathmandu', '1985-12-31T18:30:00Z'],
];

describe("times in the user's zone", () => {
  it.each(CHANGES)('hold for every minute around the change of clocks in %s at %s', (zone, change) => {
    const times = zoneTimes(zone);
    for (let ms = Date.parse(change) - 3 * HOUR; ms <= Date.parse(change) + 3 * HOUR; ms += 37_123) {
      const lower = times.atMost(ms);
      expect(meaning(lower.text, zone), lower.text).toBe(lower.ms);
      expect(lower.ms).toBeLessThanOrEqual(ms);
      expect(lower.ms).toBeGreaterThan(ms - HOUR - 2 * MINUTE_MS);
      const upper = times.atLeast(ms);
      expect(meaning(upper.text, zone), upper.text).toBe(upper.ms);
      expect(upper.ms).toBeGreaterThanOrEqual(ms);
      expect(upper.ms).toBeLessThan(ms + HOUR + 2 * MINUTE_MS);
    }
  });

  it('hold for any instant in any zone', () => {
    const zone = fc.constantFrom(
      ...new Set(CHANGES.map(([zone]) => zone)),
      'UTC',
      'Pacific/Kiritimati',
      'Etc/GMT+8',
    );
    const instant = fc.integer({ min: Date.UTC(1975, 0), max: Date.UTC(2037, 0) });
    fc.assert(
      fc.property(zone, instant, (zone, ms) => {
        const { atMost, atLeast } = zoneTimes(zone);
        expect(meaning(atMost(ms).text, zone)).toBe(atMost(ms).ms);
        expect(meaning(atLeast(ms).text, zone)).toBe(atLeast(ms).ms);
        expect(atMost(ms).ms <= ms && ms <= atLeast(ms).ms).toBe(true);
        expect(atMost(atMost(ms).ms)).toEqual(atMost(ms));
      }),
      { numRuns: 300 },
    );
  });

  it('never go back as lower bounds when time goes on', () => {
    for (const [zone, change] of CHANGES) {
      const times = zoneTimes(zone);
      let last = -Infinity;
      for (let ms = Date.parse(change) - 2 * HOUR; ms < Date.parse(change) + 2 * HOUR; ms += MINUTE_MS) {
        expect(times.atMost(ms).ms).toBeGreaterThanOrEqual(last);
        last = times.atMost(ms).ms;
      }
    }
  });

  it.each([
    ['America/New_York', '2024-11-03T05:30:00Z', '"2024-11-03 00:59"'],
    ['America/New_York', '2024-11-03T06:30:30Z', '"2024-11-03 01:30"'],
    ['Asia/Kathmandu', '2024-01-01T21:19:00Z', '"2024-01-02 03:04"'],
    ['Australia/Lord_Howe', '2024-04-06T14:45:00Z', '"2024-04-07 01:29"'],
  ])('in %s, %s is at most %s', (zone, instant, text) => {
    expect(zoneTimes(zone).atMost(Date.parse(instant)).text).toBe(text);
  });

  it('need a zone that this program knows', () => {
    expect(() => zoneTimes('Mars/Olympus')).toThrow(RangeError);
  });
});

describe('epoch times', () => {
  it('are plain digits and exact', () => {
    expect(epochTimes.atMost(1_732_877_091_001)).toEqual({ text: '1732877091001', ms: 1_732_877_091_001 });
    expect(epochTimes.atLeast(1)).toEqual({ text: '1', ms: 1 });
  });
});

it.each([
  [0, 0],
  [59_999, 0],
  [60_000, 60_000],
  [-1, -60_000],
])('the minute of %s begins at %s', (ms, expected) => {
  expect(floorMinute(ms)).toBe(expected);
});
