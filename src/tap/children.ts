import {
  scanArray,
  scannedText,
  scanObject,
  skipString,
  skipValue,
  textEquals,
  type StringWatch,
} from '../shared/json/scan.ts';
import { copyWithColons, onOneLine, type Issue } from './issue-bytes.ts';
import { isJiraDate, JIRA_DATE_LENGTH } from './jira-date.ts';

/** A comment, worklog or history inside the bytes of an answer. */
export type Child = {
  readonly id: string;
  readonly bytes: Buffer;
  readonly start: number;
  readonly end: number;
  readonly dates: readonly number[];
  /** Where `created` stands as a number: Cloud's bulk changelog is documented both ways. */
  readonly numericCreated?: { readonly start: number; readonly end: number };
};

/** Children as listed somewhere, and how many there are in all where that was said. */
export type ChildList = { readonly children: readonly Child[]; readonly total: number | undefined };

/**
 * The children listed in the object that a path of names leads to, from the object at `start`. Undefined when the
 * path or the list is missing: that means unknown, not none.
 */
export function childrenAt(
  bytes: Buffer,
  start: number,
  path: readonly string[],
  list: string,
): ChildList | undefined {
  const [name, ...rest] = path;
  if (bytes[start] !== 0x7b) return undefined;
  let found: ChildList | undefined;
  let children: Child[] | undefined;
  let total: number | undefined;
  scanObject(bytes, start, bytes.length, (nameStart, nameEnd, valueStart) => {
    if (name !== undefined) {
      if (textEquals(bytes, nameStart, nameEnd, name)) found = childrenAt(bytes, valueStart, rest, list);
    } else if (textEquals(bytes, nameStart, nameEnd, 'total')) {
      const end = skipValue(bytes, valueStart, bytes.length);
      total = Number(bytes.toString('latin1', valueStart, end));
      return end;
    } else if (textEquals(bytes, nameStart, nameEnd, list) && bytes[valueStart] === 0x5b) {
      const items: Child[] = [];
      children = items;
      return scanArray(bytes, valueStart, bytes.length, (at) => {
        const child = scanChild(bytes, at);
        items.push(child);
        return child.end;
      });
    }
    return -1;
  });
  if (name !== undefined) return found;
  return children === undefined ? undefined : { children, total };
}

/** The child whose object begins at `start`. */
export function scanChild(bytes: Buffer, start: number): Child {
  const watch: StringWatch = { length: JIRA_DATE_LENGTH, starts: [] };
  let id = '';
  let numericCreated: Child['numericCreated'];
  const end = scanObject(
    bytes,
    start,
    bytes.length,
    (nameStart, nameEnd, valueStart) => {
      if (textEquals(bytes, nameStart, nameEnd, 'id') && bytes[valueStart] === 0x22) {
        id = scannedText(bytes, valueStart + 1, skipString(bytes, valueStart, bytes.length) - 1);
      } else if (
        textEquals(bytes, nameStart, nameEnd, 'created') &&
        /\d/.test(String.fromCharCode(bytes[valueStart]!))
      ) {
        numericCreated = { start: valueStart, end: skipValue(bytes, valueStart, bytes.length) };
      }
      return -1;
    },
    watch,
  );
  const dates = watch.starts.filter((at) => isJiraDate(bytes, at));
  return { id, bytes, start, end, dates, ...(numericCreated === undefined ? {} : { numericCreated }) };
}

/** The child as a record: as it was served, with the issue it belongs to, and a colon in the offset of date-times. */
export function childRecord(issue: Issue, child: Child): Uint8Array {
  const project = issue.key?.replace(/-\d+$/, '');
  const parent = {
    issue_id: issue.id,
    ...(project === undefined ? {} : { issue_key: issue.key, project_key: project }),
  };
  const { bytes, start, end, dates, numericCreated } = child;
  // A child has at least an id, so a member follows what is put before it.
  const head = Buffer.from(`${JSON.stringify(parent).slice(0, -1)},`);
  const out = Buffer.allocUnsafe(head.length + (end - start) + dates.length + 32);
  let at = head.copy(out);
  if (numericCreated === undefined)
    return onOneLine(out.subarray(0, copyWithColons(child, start + 1, end, out, at)));
  at = copyWithColons(child, start + 1, numericCreated.start, out, at);
  at += out.write(
    JSON.stringify(instantOf(Number(bytes.toString('latin1', numericCreated.start, numericCreated.end)))),
    at,
  );
  return onOneLine(out.subarray(0, copyWithColons(child, numericCreated.end, end, out, at)));
}

/** Seconds or milliseconds since 1970: the vendor's example has seconds, and no issue is from before 1973. */
function instantOf(time: number): string {
  return new Date(time < 1e11 ? time * 1000 : time).toISOString();
}
