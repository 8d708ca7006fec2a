import type { Operand } from './jql-parse.ts';
import { parseWallLiteral } from './time-zone.ts';

const UNITS: Readonly<Record<string, number>> = { w: 604_800_000, d: 86_400_000, h: 3_600_000, m: 60_000 };

/** A date operand: its instant, and the length of the minute or day that it names (1 for an exact instant). */
export type DateOperand = { readonly at: number; readonly span: number };

const duration = (text: string): number | undefined => {
  const match = /^([+-])?\s*((?:\d+[wdhm]\s*)+)$/i.exec(text);
  if (match === null) return undefined;
  let sum = 0;
  for (const [, count, unit] of (match[2] ?? '').matchAll(/(\d+)([wdhm])/gi))
    sum += Number(count) * (UNITS[unit!.toLowerCase()] ?? 0);
  return match[1] === '-' ? -sum : sum;
};

/**
 * What a date operand means to a user in `zone`: bare digits are epoch milliseconds, but digits in quotes are
 * a duration in minutes; durations count from now; the rest are wall times. `undefined` when it is invalid.
 */
export const dateOperand = (operand: Operand, zone: string, now: number): DateOperand | undefined => {
  const { text, quoted, call } = operand;
  if (call) return text.toLowerCase() === 'now' ? { at: now, span: 1 } : undefined;
  if (!quoted && /^-?\d{5,}$/.test(text)) return { at: Number(text), span: 1 };
  if (!quoted && text === '0') return { at: 0, span: 1 };
  const minutes = /^[+-]?\d+$/.test(text.trim()) ? Number(text) * 60_000 : duration(text.trim());
  if (minutes !== undefined) return { at: now + minutes, span: 1 };
  return parseWallLiteral(text, zone);
};

/** Jira's words about a date it cannot read. */
export const invalidDate = (text: string, field: string): string =>
  `Date value '${text}' for field '${field}' is invalid. Valid formats include: 'yyyy/MM/dd HH:mm', ` +
  `'yyyy-MM-dd HH:mm', 'yyyy/MM/dd', 'yyyy-MM-dd', or a period format e.g. '-5d', '4w 2d'.`;

/** The half-open range of instants that an operator and an operand select. */
export const dateRange = (
  operator: string,
  { at, span }: DateOperand,
  resolution: number,
): { from: number; to: number } | undefined => {
  const instant = Math.floor(at / resolution) * resolution;
  switch (operator) {
    case '>=':
      return { from: instant, to: Number.POSITIVE_INFINITY };
    case '>':
      return { from: instant + resolution, to: Number.POSITIVE_INFINITY };
    case '<':
      return { from: Number.NEGATIVE_INFINITY, to: instant };
    // Takes the plain instant: `<= "10:00"` leaves out the rest of that minute.
    case '<=':
      return { from: Number.NEGATIVE_INFINITY, to: instant + resolution };
    case '=':
      return { from: instant, to: instant + Math.max(span, resolution) };
    default:
      return undefined;
  }
};
