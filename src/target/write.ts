import { describe } from '../shared/errors.ts';
import type { LineBlock } from '../shared/lines.ts';
import { TICK, withTicks } from '../shared/ticks.ts';
import { finishGeneration, type Generation } from './generation.ts';
import { takeLines } from './messages.ts';
import type { Heard, MessageContext } from './take-record.ts';
import { advance, finish } from './steps.ts';

export type WriteContext = MessageContext & {
  readonly tickMs: number;
  /** With load_method overwrite. */
  readonly generation?: Generation;
  /** Called about every second. */
  readonly onTick: () => void;
};

/**
 * Writes every record of the input and prints the STATEs that became safe. Input that cannot be used is thrown
 * as a config error naming its line, after what came before it is committed. After a failure of the store
 * nothing is committed any more.
 */
export async function write(input: AsyncIterable<LineBlock>, context: WriteContext): Promise<void> {
  const { batches, commits, stop, failure, clock, log, tickMs } = context;
  const heard: Heard = { streams: new Map(), unknown: new Set(), full: new Set(), rejected: 0 };
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
    if (!failure.aborted)
      await (context.generation === undefined
        ? finish(context)
        : finishGeneration(context, context.generation, heard, problem === undefined));
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
