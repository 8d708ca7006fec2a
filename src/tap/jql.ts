import type { JqlTimes } from './jql-time.ts';

/** A JQL string literal. Every key is quoted, since words such as `AND` and `TO` are valid project keys. */
export function quoted(text: string): string {
  return `"${text.replaceAll(/["\\]/g, (c) => `\\${c}`)}"`;
}

/** Bounds of `updated` in ms: at or after `since`, before `until`. */
export type UpdatedBounds = { readonly since?: number | undefined; readonly until?: number | undefined };

/** The issues of a project that are to be read: those that fulfil the user's condition and the bounds. */
export function projectCondition(
  key: string,
  jql: string | undefined,
  times: JqlTimes,
  bounds: UpdatedBounds = {},
): string {
  return [
    `project = ${quoted(key)}`,
    ...(jql === undefined ? [] : [`(${jql})`]),
    ...(bounds.since === undefined ? [] : [`updated >= ${times.atMost(bounds.since).text}`]),
    ...(bounds.until === undefined ? [] : [`updated < ${times.atMost(bounds.until).text}`]),
  ].join(' AND ');
}
