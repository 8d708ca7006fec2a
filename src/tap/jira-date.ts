/** Bytes of Jira's only date-time form, `2026-01-02T03:04:05.678+0900`. */
export const JIRA_DATE_LENGTH = 28;

/** Where in that form the two digits of the offset's minutes begin: RFC 3339 wants a colon before them. */
export const COLON_AT = 26;

const SHAPE = 'dddd-dd-ddTdd:dd:dd.ddd+dddd';

/** True if the 28 bytes at `start` are a date-time as Jira writes it. The caller has checked the length. */
export function isJiraDate(bytes: Uint8Array, start: number): boolean {
  for (let i = 0; i < JIRA_DATE_LENGTH; i++) {
    const c = bytes[start + i]!;
    const shape = SHAPE.charCodeAt(i);
    if (shape === 0x64) {
      if (c < 0x30 || c > 0x39) return false;
    } else if (c !== shape && !(shape === 0x2b && c === 0x2d)) return false;
  }
  return true;
}

/** The instant (ms) of the date-time that the 28 bytes at `start` are; the caller has checked its form. */
export function jiraInstant(bytes: Uint8Array, start: number): number {
  const number = (at: number, digits: number): number => {
    let value = 0;
    for (let i = at; i < at + digits; i++) value = value * 10 + (bytes[start + i]! - 0x30);
    return value;
  };
  const local = Date.UTC(
    number(0, 4),
    number(5, 2) - 1,
    number(8, 2),
    number(11, 2),
    number(14, 2),
    number(17, 2),
    number(20, 3),
  );
  const offsetMs = (number(24, 2) * 60 + number(26, 2)) * 60_000;
  return bytes[start + 23] === 0x2d ? local + offsetMs : local - offsetMs;
}

/** Jira's date-time, or any form `Date.parse` knows, in ms; undefined for anything else. */
export function parseJiraDate(value: unknown): number | undefined {
  if (typeof value !== 'string') return undefined;
  const offset = value.length - 5;
  const colon =
    value.length === JIRA_DATE_LENGTH && '+-'.includes(value[offset]!)
      ? `${value.slice(0, -2)}:${value.slice(-2)}`
      : value;
  const ms = Date.parse(colon);
  return Number.isNaN(ms) ? undefined : ms;
}
