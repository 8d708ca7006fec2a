import { systemError } from '../shared/errors.ts';
import {
  JsonSyntaxError,
  scanArray,
  scannedText,
  scanObject,
  skipString,
  skipValue,
  textEquals,
  type StringWatch,
} from '../shared/json/scan.ts';
import { COLON_AT, isJiraDate, JIRA_DATE_LENGTH, jiraInstant, parseJiraDate } from './jira-date.ts';

/** An issue inside the bytes of an answer: where it is, and the few values that the tap needs. */
export type Issue = {
  readonly id: string;
  /** Changes when the issue is moved; undefined when it was not served. */
  readonly key: string | undefined;
  /** ms; undefined when the issue does not show it. */
  readonly updated: number | undefined;
  readonly created: number | undefined;
  /** The answer, and the range of the issue's object in it. */
  readonly bytes: Buffer;
  readonly start: number;
  readonly end: number;
  /** Where strings in Jira's date-time form begin, ascending. */
  readonly dates: readonly number[];
};

/** The issues of an answer, and how many the query has in all where the server tells it. */
export type IssuePage = { readonly issues: readonly Issue[]; readonly total: number | undefined };

/**
 * Finds the issues of an answer (`{"issues":[...]}`) in one pass over its bytes, which are checked to be JSON.
 * Throws `JsonSyntaxError` for a broken answer and a system error for one of another shape.
 */
export function scanIssues(bytes: Buffer): IssuePage {
  const issues: Issue[] = [];
  let listed = false;
  let total: number | undefined;
  scanObject(bytes, 0, bytes.length, (nameStart, nameEnd, valueStart) => {
    if (textEquals(bytes, nameStart, nameEnd, 'total')) {
      const end = skipValue(bytes, valueStart, bytes.length);
      total = Number(bytes.toString('latin1', valueStart, end));
      return end;
    }
    if (!textEquals(bytes, nameStart, nameEnd, 'issues') || bytes[valueStart] !== 0x5b) return -1;
    listed = true;
    return scanArray(bytes, valueStart, bytes.length, (start) => {
      const issue = scanIssue(bytes, start);
      issues.push(issue);
      return issue.end;
    });
  });
  if (!listed) throw systemError('an answer of Jira has no list of issues');
  return { issues, total };
}

/** As `scanIssues`, for the issue whose object begins at `start`. */
export function scanIssue(bytes: Buffer, start: number): Issue {
  const watch: StringWatch = { length: JIRA_DATE_LENGTH, starts: [] };
  const end = bytes.length;
  let id: string | undefined;
  let key: string | undefined;
  let updated: number | undefined;
  let created: number | undefined;
  const text = (at: number): string | undefined =>
    bytes[at] === 0x22 ? scannedText(bytes, at + 1, skipString(bytes, at, end) - 1) : undefined;
  const instant = (at: number): number | undefined => {
    const plain = bytes[at + 1 + JIRA_DATE_LENGTH] === 0x22 && isJiraDate(bytes, at + 1);
    return plain ? jiraInstant(bytes, at + 1) : parseJiraDate(text(at));
  };
  const after = scanObject(
    bytes,
    start,
    end,
    (nameStart, nameEnd, valueStart) => {
      if (textEquals(bytes, nameStart, nameEnd, 'id')) id = text(valueStart);
      else if (textEquals(bytes, nameStart, nameEnd, 'key')) key = text(valueStart);
      if (!textEquals(bytes, nameStart, nameEnd, 'fields') || bytes[valueStart] !== 0x7b) return -1;
      return scanObject(
        bytes,
        valueStart,
        end,
        (fieldStart, fieldEnd, at) => {
          if (textEquals(bytes, fieldStart, fieldEnd, 'updated')) updated = instant(at);
          else if (textEquals(bytes, fieldStart, fieldEnd, 'created')) created = instant(at);
          return -1;
        },
        watch,
      );
    },
    watch,
  );
  if (id === undefined) throw systemError('an answer of Jira has an issue without id');
  return {
    id,
    key,
    updated,
    created,
    bytes,
    start,
    end: after,
    dates: watch.starts.filter((at) => isJiraDate(bytes, at)),
  };
}

/** True if an error says that an answer was not JSON: it was cut, or something on the way changed it. */
export function isBrokenAnswer(error: unknown): boolean {
  return error instanceof JsonSyntaxError;
}

/**
 * The records of issues: the issues as they were served, with `updated` and `created` lifted to the top as UTC,
 * and a colon in the offset of every date-time. A record is valid until the next one is asked for: all are made in
 * one piece of memory.
 */
export function* issueRecords(issues: readonly Issue[]): Generator<Uint8Array> {
  let out = Buffer.alloc(0);
  for (const issue of issues) {
    const head = recordHead(issue);
    const size = head.length + (issue.end - issue.start) + issue.dates.length;
    if (size > out.length) out = Buffer.allocUnsafeSlow(2 * size);
    const at = out.write(head, 'latin1');
    yield onOneLine(out.subarray(0, copyWithColons(issue, issue.start + 1, issue.end, out, at)));
  }
}

function recordHead({ updated, created }: Issue): string {
  const lifted = [
    updated === undefined ? '' : `"updated":"${new Date(updated).toISOString()}",`,
    created === undefined ? '' : `"created":"${new Date(created).toISOString()}",`,
  ].join('');
  // An issue has at least an id, so a member follows; the brace itself is written here.
  return `{${lifted}`;
}

/** A record with its line breaks, which JSON allows between tokens only, made spaces; in place. */
export function onOneLine(record: Buffer): Buffer {
  for (const lineBreak of [0x0a, 0x0d]) {
    for (let at = record.indexOf(lineBreak); at !== -1; at = record.indexOf(lineBreak, at + 1))
      record[at] = 0x20;
  }
  return record;
}

/** Copies a range of an issue and gives the date-times in it their colon; returns where the copy ends. */
export function copyWithColons(
  { bytes, dates }: Pick<Issue, 'bytes' | 'dates'>,
  from: number,
  to: number,
  out: Buffer,
  at: number,
): number {
  let read = from;
  let write = at;
  for (const date of dates) {
    if (date < from) continue;
    if (date >= to) break;
    write += bytes.copy(out, write, read, date + COLON_AT);
    out[write++] = 0x3a;
    read = date + COLON_AT;
  }
  return write + bytes.copy(out, write, read, to);
}
