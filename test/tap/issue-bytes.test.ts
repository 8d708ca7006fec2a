import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isBrokenAnswer, issueRecords, scanIssue, scanIssues } from '../../src/tap/issue-bytes.ts';
import { parseJiraDate } from '../../src/tap/jira-date.ts';

const pad = (n: number, digits: number): string => String(n).padStart(digits, '0');

/** Jira's form of an instant in a zone of so many minutes. */
function jiraDate(ms: number, offset: number): string {
  const local = new Date(ms + offset * 60_000).toISOString().slice(0, -1);
  const minutes = Math.abs(offset);
  return `${local}${offset < 0 ? '-' : '+'}${pad(Math.floor(minutes / 60), 2)}${pad(minutes % 60, 2)}`;
}

const instant = fc.integer({ min: Date.UTC(1970, 0, 2), max: Date.UTC(2099, 0) });
const offset = fc.integer({ min: -12 * 60, max: 14 * 60 });
const recordsOf = (text: string): string[] =>
  Array.from(issueRecords(scanIssues(Buffer.from(text)).issues), (record) => Buffer.from(record).toString());

/** The same value with every date-time in Jira's form given its colon: what a record has to be. */
function withColons(value: unknown): unknown {
  if (typeof value === 'string')
    return value.replace(/^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}[+-]\d\d)(\d\d)$/, '$1:$2');
  if (Array.isArray(value)) return value.map(withColons);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, withColons(member)]));
}

describe('the bytes of issues', () => {
  it('become records that differ by their dates only', () => {
    const date = fc.tuple(instant, offset).map(([ms, minutes]) => jiraDate(ms, minutes));
    const text = fc.oneof(
      fc.string({ unit: 'grapheme' }),
      date,
      date.map((text) => `${text} `),
      fc.constant('\\"'),
    );
    const value = fc.oneof(text, fc.jsonValue({ maxDepth: 2 }), fc.array(text, { maxLength: 3 }));
    const issue = fc.record({
      id: fc.nat().map(String),
      key: fc.constant('ABC-1'),
      fields: fc
        .tuple(fc.dictionary(fc.string(), value, { noNullPrototype: true, maxKeys: 5 }), date, date)
        .map(([fields, updated, created]) => ({ ...fields, updated, created })),
    });
    fc.assert(
      fc.property(fc.array(issue, { maxLength: 4 }), fc.constantFrom(undefined, 1), (issues, indent) => {
        const page = JSON.stringify({ total: 7, issues, x: [1] }, null, indent);
        expect(scanIssues(Buffer.from(page)).total).toBe(7);
        const records = recordsOf(page).map((record) => JSON.parse(record) as Record<string, unknown>);
        expect(records).toEqual(
          (JSON.parse(page) as { issues: typeof issues }).issues.map((issue) => ({
            ...(withColons(issue) as object),
            updated: new Date(parseJiraDate(issue.fields.updated)!).toISOString(),
            created: new Date(parseJiraDate(issue.fields.created)!).toISOString(),
          })),
        );
      }),
      { numRuns: 300 },
    );
  });

  it('show the few values that the tap needs, however they are written', () => {
    const text = String.raw`{"\u0069d":"\u0031","fields":{"a":{"updated":"no","id":"9"},"\u0075pdated":"2026-01-02T03:04:05.678+0900"},"key":"A-1","changelog":{"id":"3"}}`;
    const issue = scanIssue(Buffer.from(`  ${text}`), 2);
    expect(issue).toMatchObject({ id: '1', key: 'A-1', created: undefined, start: 2, end: 2 + text.length });
    expect(issue.updated).toBe(Date.parse('2026-01-02T03:04:05.678+09:00'));
  });

  it.each([
    ['no fields', '{"id":"1"}', '{"id":"1"}'],
    ['null fields', '{"id":"1","fields":null}', '{"id":"1","fields":null}'],
    [
      'a date that is none',
      '{"id":"1","fields":{"updated":"soon"}}',
      '{"id":"1","fields":{"updated":"soon"}}',
    ],
    ['no date at all', '{"id":"1","fields":{"updated":null}}', '{"id":"1","fields":{"updated":null}}'],
    [
      'another form of date',
      '{"id":"1","fields":{"updated":"2026-01-02T03:04:05Z"}}',
      '{"updated":"2026-01-02T03:04:05.000Z","id":"1","fields":{"updated":"2026-01-02T03:04:05Z"}}',
    ],
  ])('with %s are kept', (_, issue, record) => {
    expect(recordsOf(`{"issues":[${issue}]}`)).toEqual([record]);
  });

  it.each([
    ['cut', '{"issues":[{"id":"1","fields":{"a":'],
    ['two values', '{"issues":[{"id" "1"}]}'],
    ['a web page', '<html>'],
    ['empty', ''],
  ])('that are %s are a broken answer', (_, text) => {
    let error: unknown;
    try {
      scanIssues(Buffer.from(text));
    } catch (thrown) {
      error = thrown;
    }
    expect(isBrokenAnswer(error)).toBe(true);
  });

  it.each([
    ['has no list', '{"total":1}'],
    ['has another list', '{"issues":{}}'],
    ['has an issue without id', '{"issues":[{"key":"A-1"}]}'],
    ['has a number as id', '{"issues":[{"id":1}]}'],
  ])('of an answer that %s are an error', (_, text) => {
    expect(() => scanIssues(Buffer.from(text))).toThrow(/an answer of Jira has/);
  });
});

describe("Jira's dates", () => {
  it('are read to the millisecond, in any zone', () => {
    fc.assert(
      fc.property(instant, offset, (ms, minutes) => {
        const text = jiraDate(ms, minutes);
        expect(parseJiraDate(text)).toBe(ms);
        const issue = scanIssue(Buffer.from(`{"id":"1","fields":{"updated":"${text}"}}`), 0);
        expect(issue.updated).toBe(ms);
      }),
    );
  });

  it.each([undefined, null, 5, '', 'soon', '51502-01-01T00:00:00.000+0000', '2026-13-45T00:00:00.000+0000'])(
    '%s is none',
    (value) => {
      expect(parseJiraDate(value)).toBeUndefined();
    },
  );
});
