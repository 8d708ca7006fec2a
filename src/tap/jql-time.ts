/** A bound of a JQL window: its text, and the instant (ms) that Jira will take it for. */
export type Bound = { readonly text: string; readonly ms: number };

/** How instants are written in JQL. */
export type JqlTimes = {
  /** A lower bound at or before `ms`. */
  readonly atMost: (ms: number) => Bound;
  /** An upper bound at or after `ms`. */
  readonly atLeast: (ms: number) => Bound;
};

export const MINUTE_MS = 60_000;

export function floorMinute(ms: number): number {
  return Math.floor(ms / MINUTE_MS) * MINUTE_MS;
}

/** Milliseconds since 1970, unquoted: quoted, Jira would take the number for a duration in minutes. */
export const epochTimes: JqlTimes = {
  atMost: (ms) => ({ text: String(ms), ms }),
  atLeast: (ms) => ({ text: String(ms), ms }),
};

/**
 * Wall-clock minutes in the user's time zone (IANA name), as the JQL of every Jira understands. Where a wall time
 * happens twice (clocks put back), Jira takes the later one; a lower bound therefore moves back to the last
 * minute that is not ambiguous. Wall times that do not exist (clocks put forward) are never written, since only
 * instants are rendered. Throws `RangeError` for an unknown zone.
 */
export function zoneTimes(zone: string): JqlTimes {
  const format = new Intl.DateTimeFormat('en-US', {
    timeZone: zone,
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
  });
  /** The wall clock at an instant, written as if it were UTC. */
  const wallAt = (ms: number): number => {
    const parts: Record<string, number> = {};
    for (const { type, value } of format.formatToParts(ms)) parts[type] = Number(value);
    return Date.UTC(parts['year']!, parts['month']! - 1, parts['day'], parts['hour'], parts['minute']);
  };
  /** The latest instant at which the wall clock shows `wall`. */
  const lastInstantOf = (wall: number): number => {
    const dayMs = 24 * 60 * MINUTE_MS;
    const candidates = [wall - dayMs, wall + dayMs]
      .map((near) => wall - (wallAt(near) - near))
      .filter((ms) => wallAt(ms) === wall);
    return Math.max(...candidates);
  };
  const bound = (ms: number): Bound => {
    const wall = wallAt(ms);
    return {
      text: `"${new Date(wall).toISOString().slice(0, 16).replace('T', ' ')}"`,
      ms: lastInstantOf(wall),
    };
  };
  return {
    atMost: (ms) => {
      let minute = floorMinute(ms);
      let found = bound(minute);
      while (found.ms > ms) found = bound((minute -= MINUTE_MS));
      return found;
    },
    atLeast: (ms) => bound(Math.ceil(ms / MINUTE_MS) * MINUTE_MS),
  };
}
