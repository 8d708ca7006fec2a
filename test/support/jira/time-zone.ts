/** Instants and wall times in IANA zones, with the rules of the JVM that a real Jira runs on. */

const DAY = 86_400_000;

const formatters = new Map<string, Intl.DateTimeFormat>();
const offsetsByDay = new Map<string, Map<number, number>>();

const measureOffset = (zone: string, ms: number): number => {
  let formatter = formatters.get(zone);
  if (formatter === undefined) {
    formatter = new Intl.DateTimeFormat('en-US', { timeZone: zone, timeZoneName: 'longOffset' });
    formatters.set(zone, formatter);
  }
  const name = formatter.formatToParts(ms).find((part) => part.type === 'timeZoneName')?.value ?? 'GMT';
  const match = /^GMT([+-])(\d\d):(\d\d)(?::(\d\d))?$/.exec(name);
  if (match === null) return 0;
  const seconds = Number(match[2]) * 3600 + Number(match[3]) * 60 + Number(match[4] ?? 0);
  return (match[1] === '-' ? -seconds : seconds) * 1000;
};

/** How many milliseconds the wall clock of `zone` is ahead of UTC at an instant. */
export const offsetAt = (zone: string, ms: number): number => {
  if (zone === 'UTC') return 0;
  let days = offsetsByDay.get(zone);
  if (days === undefined) {
    days = new Map();
    offsetsByDay.set(zone, days);
  }
  const day = Math.floor(ms / DAY);
  let offset = days.get(day);
  if (offset === undefined) {
    const first = measureOffset(zone, day * DAY);
    // NaN marks a day on which the clocks are changed: measured anew for each instant.
    offset = first === measureOffset(zone, (day + 1) * DAY - 1) ? first : Number.NaN;
    days.set(day, offset);
  }
  return Number.isNaN(offset) ? measureOffset(zone, ms) : offset;
};

const offsetText = (offset: number): string => {
  const minutes = Math.floor(Math.abs(offset) / 60_000);
  const text = String(Math.floor(minutes / 60) * 100 + (minutes % 60)).padStart(4, '0');
  return (offset < 0 ? '-' : '+') + text;
};

const TWO = Array.from({ length: 60 }, (_, number) => String(number).padStart(2, '0'));
const THREE = Array.from({ length: 1000 }, (_, number) => String(number).padStart(3, '0'));
const dates = new Map<number, string>();

const dateText = (day: number): string => {
  let text = dates.get(day);
  if (text === undefined) {
    // A year of more than four digits comes with a sign and a zero that Jira does not write.
    text = new Date(day * DAY).toISOString().replace(/^\+0*/, '').split('T')[0] ?? '';
    if (dates.size < 100_000) dates.set(day, text);
  }
  return text;
};

/** An instant as Jira writes it: `2024-01-02T03:04:05.000+0000`, in the reader's zone. */
export const formatInstant = (ms: number, zone: string): string => {
  const offset = offsetAt(zone, ms);
  const day = Math.floor((ms + offset) / DAY);
  const rest = ms + offset - day * DAY;
  const hour = TWO[Math.floor(rest / 3_600_000)];
  const minute = TWO[Math.floor(rest / 60_000) % 60];
  const second = TWO[Math.floor(rest / 1000) % 60];
  const zoneText = offset === 0 ? '+0000' : offsetText(offset);
  return `${dateText(day)}T${hour}:${minute}:${second}.${THREE[rest % 1000]}${zoneText}`;
};

/**
 * The instant of a wall time, given as if it were UTC. An ambiguous wall time (clocks put back) is its LATER
 * instant; one that the clocks jump over has none, except that a date alone then means the first instant of
 * that day.
 */
export const instantOfWall = (wall: number, zone: string, dateOnly: boolean): number | undefined => {
  const before = offsetAt(zone, wall - DAY);
  const after = offsetAt(zone, wall + DAY);
  const candidates = [wall - before, wall - after].filter((at) => at + offsetAt(zone, at) === wall);
  if (candidates.length > 0) return Math.max(...candidates);
  return dateOnly ? wall - before : undefined;
};

const LITERAL = /^(\d{4,})([-/])(\d{1,2})\2(\d{1,2})(?: (\d{1,2}):(\d{1,2}))?$/;

/** A date literal's meaning: where it begins and how long the minute or day it names lasts. */
export type WallLiteral = { readonly at: number; readonly span: number };

/** Reads `yyyy-MM-dd HH:mm`, `yyyy/MM/dd HH:mm` or a date alone; `undefined` for anything else. */
export const parseWallLiteral = (text: string, zone: string): WallLiteral | undefined => {
  const match = LITERAL.exec(text.trim());
  if (match === null) return undefined;
  const [year, month, day] = [Number(match[1]), Number(match[3]), Number(match[4])];
  const dateOnly = match[5] === undefined;
  const [hour, minute] = [Number(match[5] ?? 0), Number(match[6] ?? 0)];
  const wall = Date.UTC(year, month - 1, day, hour, minute);
  const date = new Date(wall);
  // Not lenient: the 31st of June or 24:00 would roll over, and then differs from what was written.
  const exact = date.getUTCMonth() === month - 1 && date.getUTCDate() === day;
  if (!exact || date.getUTCHours() !== hour || date.getUTCMinutes() !== minute) return undefined;
  const at = instantOfWall(wall, zone, dateOnly);
  if (at === undefined) return undefined;
  const nextDay = dateOnly ? instantOfWall(wall + DAY, zone, true) : undefined;
  return { at, span: nextDay === undefined ? 60_000 : nextDay - at };
};
