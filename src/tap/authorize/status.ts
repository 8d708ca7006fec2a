import type { Credential } from '../config.ts';

type Ends = Pick<Extract<Credential, { auth_type: 'oauth1' }>, 'expires_at' | 'session_expires_at'>;

const DAY_MS = 24 * 3600 * 1000;

/** A token is renewed when it ends within this time. */
export const RENEW_BEFORE_MS = 7 * DAY_MS;

/** Whether an instant (RFC 3339) is known and near, or past. */
export function endsSoon(instant: string | undefined, now: number): boolean {
  return instant !== undefined && Date.parse(instant) - now < RENEW_BEFORE_MS;
}

/** Whether an instant (RFC 3339) is known and past. */
export function isOver(instant: string | undefined, now: number): boolean {
  return instant !== undefined && Date.parse(instant) <= now;
}

/** When the login ends, in a sentence or two. */
export function lifeOf({ expires_at, session_expires_at }: Ends, now: number): string {
  if (expires_at === undefined) return 'Jira has not told when the access token ends.';
  const verb = isOver(expires_at, now) ? 'ended' : 'ends';
  const renewal =
    session_expires_at === undefined || isOver(session_expires_at, now)
      ? ''
      : ` Runs in its last ${RENEW_BEFORE_MS / DAY_MS} days renew it by themselves, until ${day(session_expires_at)}.`;
  return `The access token ${verb} on ${day(expires_at)} (${distance(Date.parse(expires_at) - now)}).${renewal}`;
}

function day(instant: string): string {
  return new Date(instant).toISOString().slice(0, 10);
}

function distance(ms: number): string {
  const days = Math.floor(Math.abs(ms) / DAY_MS);
  const text = days === 0 ? 'less than a day' : `${days} day${days === 1 ? '' : 's'}`;
  return ms < 0 ? `${text} ago` : `in ${text}`;
}
