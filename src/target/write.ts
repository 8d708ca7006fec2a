import { describe } from '../shared/errors.ts';
import type { LineBlock } from '../shared/lines.ts';
import { TICK, withTicks } from '../shared/ticks.ts';
import type { Contents } from './generation.ts';
import { takeLines } from './messages.ts';
import type { Heard, MessageContext } from './take-record.ts';
import { advance, type StepContext } from './steps.ts';
import type { Stream } from './stream.ts';

export type WriteContext = MessageContext & {
  readonly tickMs: number;
  /** Streams whose schema is known before the input says it. */
  readonly known: readonly Stream[];
  /** Commits what is left, after an input that came to its end or did not. */
  readonly end: (context: StepContext, contents: Contents, succeeded: boolean) => Promise<void>;
};

/**
 * Writes every record of the input and prints the STATEs that became safe. Input that cannot be used is thrown
 * as a config error naming its line, after what came before it is committed. After a failure of the store
 * nothing is committed any more.
 */
export async function write(input: AsyncIterable<LineBlock>, context: WriteContext): Promise<void> {
  const { batches, commits, stop, failure, clock, log, tickMs, known } = context;
  const streams = new Map(known.map((stream) => [stream.name, stream]));
  const heard: Heard = { streams, unknown: new Set(), full: new Set(), unfinished: new Set(), rejected: 0 };
  let problem: unknown;
  try {
    const events = withTicks(input, tickMs, clock, AbortSignal.any([stop, failure]));
    for await (const event of events) {
      if (event === TICK) context.onTick();
      await (event === TICK ? advance(context) : takeLines(event, heard, context));
    }
  } catch (error) {
    problem = error;
  }
  try {
    if (!failure.aborted) await context.end(context, heard, problem === undefined);
    await commits.drain();
    failure.throwIfAborted();
    if (heard.rejected > 0)
      log.warning(
        `${heard.rejected} rows were rejected; they are below _rejected/, with what is wrong with them`,
      );
  } catch (error) {
    await batches.abort();
    if (problem !== undefined && problem !== error) log.error(describe(problem));
    throw error;
  }
  if (problem !== undefined) throw problem;
}
