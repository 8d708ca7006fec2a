import { setFlagsFromString } from 'node:v8';
import { describe, errnoOf, toConnectorError, UsageError } from './errors.ts';
import type { Log } from './log.ts';

/** Why a run was asked to stop. */
export class Stopped extends Error {
  override readonly name = 'Stopped';
  readonly exitCode: number;

  constructor(signal: 'SIGTERM' | 'SIGINT') {
    super(`stopped by ${signal}`);
    this.exitCode = signal === 'SIGINT' ? 130 : 0;
  }
}

// What these programs move is outside of V8's heap: a young generation that grows costs 30 MB and is not faster.
setFlagsFromString('--semi-space-growth-factor=1');

/**
 * Runs a program's main function to its end and sets `process.exitCode`: its result, 1 for an error (printed as
 * one line), 2 for a wrong command line, 130 after SIGINT, 0 after SIGTERM. The signals abort `signal`, once; a
 * second one changes nothing, so that a run always finishes what it has in hand. It never calls
 * `process.exit`, which would cut output that is still in a pipe.
 */
export async function runProgram(
  main: (signal: AbortSignal) => Promise<number>,
  log: () => Log,
): Promise<void> {
  const stop = new AbortController();
  for (const name of ['SIGTERM', 'SIGINT'] as const) {
    process.on(name, () => {
      if (!stop.signal.aborted) stop.abort(new Stopped(name));
    });
  }
  process.stdout.on('error', () => undefined); // the writer that is waiting gets the error
  process.stderr.on('error', () => undefined);
  try {
    process.exitCode = await main(stop.signal);
    if (process.exitCode === 0 && stop.signal.reason instanceof Stopped)
      process.exitCode = stop.signal.reason.exitCode;
  } catch (thrown) {
    process.exitCode = report(thrown, log());
  }
  process.stdin.destroy();
}

function report(thrown: unknown, log: Log): number {
  if (thrown instanceof Stopped) {
    log.info(thrown.message);
    return thrown.exitCode;
  }
  if (errnoOf(thrown) === 'EPIPE') {
    log.error(
      'the program reading the output ended before this one; what it acknowledged is safe, run again from its last state',
    );
    return 1;
  }
  if (thrown instanceof UsageError) {
    log.error(`${thrown.message} (see --help)`);
    return 2;
  }
  const error = toConnectorError(thrown);
  log.critical(describe(error));
  if (error.kind === 'system' && error.cause instanceof Error) log.debug(error.cause.stack ?? '');
  return 1;
}
