import type { ConnectorError } from '../shared/errors.ts';

/** What a run accounts for, per project. Every issue that the query named is one of the four kinds. */
export type Tally = { named: number; emitted: number; unchanged: number; gone: number; unread: number };

/** Told what happens as it happens; the summary and the progress bar are made of it. */
export type Progress = {
  /** `expected`: how many issues the project's query has, where Jira tells. */
  readonly started: (project: string, expected: number | undefined) => void;
  readonly counted: (project: string, tally: Readonly<Tally>) => void;
  readonly finished: (project: string, tally: Readonly<Tally>, seconds: number, error?: Error) => void;
  /** How many records of each stream the run emitted, at its end. */
  readonly emitted?: (records: ReadonlyMap<string, number>) => void;
  /** Some streams are not complete, since one project could not be read whole. */
  readonly failed?: (streams: readonly string[], error: ConnectorError) => void;
  /** Jira limits the rate: no request is made for so many milliseconds. */
  readonly paused?: (ms: number) => void;
};

export function emptyTally(): Tally {
  return { named: 0, emitted: 0, unchanged: 0, gone: 0, unread: 0 };
}
