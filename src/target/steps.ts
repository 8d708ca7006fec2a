import type { Clock } from '../shared/clock.ts';
import type { Log } from '../shared/log.ts';
import type { Commits } from './commits.ts';
import type { Ledger } from './ledger.ts';
import type { OpenBatches } from './open-batches.ts';

export type StepContext = {
  readonly batches: OpenBatches;
  readonly ledger: Ledger;
  readonly commits: Commits;
  readonly clock: Clock;
  readonly log: Log;
  /** Aborted when the run is asked to stop. */
  readonly stop: AbortSignal;
  /** One commit at the very end. */
  readonly once: boolean;
};

/** Does what the ledger says is to be done now. Resolves when the input may go on. */
export async function advance({ ledger, clock, batches, commits, once }: StepContext): Promise<void> {
  if (once) return;
  const now = clock.elapsed();
  const step = ledger.next(now, () => batches.canSplit(ledger.era));
  switch (step) {
    case 'wait':
      return;
    case 'seal':
      await batches.closeAll('wait');
      ledger.sealed(now);
      return;
    case 'commit':
    case 'split': {
      const putBack = step === 'split' ? batches.split(ledger.era) : undefined;
      await batches.closeAll('commit');
      await commits.push({ objects: batches.takeClosed(), ...ledger.take(step === 'split') });
      await putBack?.();
      return;
    }
    default:
      step satisfies never;
  }
}

/**
 * Commits what the run still has: first up to the newest STATE, then the rows after it. A run that is asked to
 * stop leaves those rows to the next run, if there is a STATE to begin from.
 */
export async function finish({ ledger, batches, commits, stop, log }: StepContext): Promise<void> {
  const stopped = stop.aborted;
  const reason = stopped ? 'stop' : 'end of input';
  const rows = ledger.tailRows;
  const loose = rows > 0 && ledger.tailLoose && batches.canSplit(ledger.era);
  if (loose && ledger.era > 0) {
    const putBack = batches.split(ledger.era);
    await batches.closeAll(reason);
    await commits.push({ objects: batches.takeClosed(), ...ledger.take(true) });
    await putBack();
    if (stopped) {
      log.info(`${rows} rows after the last STATE are left out; a run from that STATE sends them again`);
      await batches.abort();
      return;
    }
  }
  await batches.closeAll(reason);
  await commits.push({ objects: batches.takeClosed(), ...ledger.take(false) });
}
