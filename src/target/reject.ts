import { configError } from '../shared/errors.ts';
import type { Log } from '../shared/log.ts';
import type { OpenBatches } from './open-batches.ts';
import type { Ledger } from './ledger.ts';
import type { Problem } from './schema-check.ts';
import type { Stream } from './stream.ts';

export const NONE: readonly Problem[] = [];

const MOST_SHOWN = 3;
const MISSING_KEY = 'is missing, and it is a key property';

/** Everything that makes a record unfit for its stream. */
export function problemsOf(stream: Stream, record: Uint8Array): readonly Problem[] {
  const problems = stream.check(record);
  const key = stream.missingKey(record);
  if (key === undefined) return problems;
  const missing = { path: `/${key}`, message: MISSING_KEY };
  return [missing, ...problems.filter(({ path }) => path !== missing.path)];
}

/** The first of them. */
function shown(problems: readonly Problem[]): string {
  const first = problems.slice(0, MOST_SHOWN).map(({ path, message }) => `${path} ${message}`.trim());
  const more = problems.length > MOST_SHOWN ? ` and ${problems.length - MOST_SHOWN} more` : '';
  return first.join('; ') + more;
}

/** The error for a record that must not be stored. */
export function unfit(stream: Stream, problems: readonly Problem[]): Error {
  const [first] = problems;
  if (first?.message === MISSING_KEY)
    return configError(
      `stream ${JSON.stringify(stream.name)}: a RECORD has no ${JSON.stringify(first.path.slice(1))}, which its SCHEMA names as a key property; correct the tap, or set validate_records to quarantine or off`,
      { code: 'MISSING_KEY' },
    );
  return configError(
    `stream ${JSON.stringify(stream.name)}: a RECORD does not fit its SCHEMA: ${shown(problems)}; correct the tap, or set validate_records to quarantine or off`,
    { code: 'BAD_RECORD' },
  );
}

export type RejectContext = {
  readonly batches: OpenBatches;
  readonly ledger: Ledger;
  readonly log: Log;
  /** Rejected lines that a run may have. */
  readonly rejectedLimit: number;
  /** Hears of every row that is put aside. */
  readonly onRejected?: (stream: string) => void;
};

export type Rejection = {
  readonly stream: Stream;
  readonly problems: readonly Problem[];
  readonly line: { readonly bytes: Uint8Array; readonly number: number };
  /** How many there have been, with this one. */
  readonly count: number;
};

/** Puts a line aside with everything that is wrong with it. Throws when there have been too many. */
export function reject(
  { stream, problems, line, count }: Rejection,
  { batches, ledger, rejectedLimit, log, onRejected }: RejectContext,
): Promise<void> | undefined {
  if (count > rejectedLimit)
    throw configError(
      `more than ${rejectedLimit} rows were rejected (max_rejected_rows), this one because: ${shown(problems)}; correct the tap or the settings`,
      { code: 'TOO_MANY_REJECTED' },
    );
  if (count === 1)
    log.warning(`line ${line.number}: a row of stream ${JSON.stringify(stream.name)} is rejected`, {
      stream: stream.name,
    });
  onRejected?.(stream.name);
  const head = { line_number: line.number, stream: stream.name, errors: problems };
  const start = Buffer.from(`${JSON.stringify(head).slice(0, -1)},"message":`);
  return batches.reject(stream, [start, line.bytes, END], ledger.era);
}

const END = Buffer.from('}\n');
