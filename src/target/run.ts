import type { Codec } from '../protocol/message.ts';
import { streamOf } from '../protocol/stream-of.ts';
import type { Clock } from '../shared/clock.ts';
import { readLines } from '../shared/lines.ts';
import type { Log } from '../shared/log.ts';
import { Slots } from '../shared/slots.ts';
import { VERSION } from '../shared/version.ts';
import { beginLife } from './alive.ts';
import { Blocks } from './blocks.ts';
import { Commits } from './commits.ts';
import type { Config } from './config.ts';
import { gzip, none, zstd } from './formats/compression.ts';
import { csv } from './formats/csv.ts';
import { jsonl } from './formats/jsonl.ts';
import { newRunId } from './key.ts';
import type { Generation } from './generation.ts';
import { Ledger } from './ledger.ts';
import { Memory } from './memory.ts';
import { ofStream } from './messages.ts';
import { OpenBatches } from './open-batches.ts';
import { paths } from './path.ts';
import { singerPlan, type Plan } from './plan.ts';
import type { Store } from './stores/store.ts';
import { toStream } from './stream.ts';
import { write } from './write.ts';

export type RunContext = {
  readonly store: Store;
  readonly decode: Codec['decode'];
  /** Without it, the input is a Singer one. */
  readonly plan?: (config: Config, generation: Generation) => Plan;
  readonly print: (state: Uint8Array) => Promise<void>;
  readonly clock: Clock;
  readonly log: Log;
  /** A person watches: one line at the end will do. */
  readonly onTerminal: boolean;
  readonly stop: AbortSignal;
  /** Blocks between batch and part at one time. */
  readonly blocksAtOnce: number;
};

/**
 * Writes an input to a store, see `write`, and logs what was committed. It fails before reading when the store
 * cannot be written.
 */
export async function run(
  config: Config,
  input: AsyncIterable<Uint8Array>,
  context: RunContext,
): Promise<void> {
  const { store, clock, log, print, stop, decode, plan: planOf = singerPlan } = context;
  const begun = clock.elapsed();
  const runId = newRunId(clock);
  const prefix = config.s3_key_prefix;
  const life = await beginLife(store, prefix, runId, clock);

  const plan = planOf(config, { store, prefix, runId });
  const places = paths(prefix, config.path_template, config.partition_by ?? []);
  const failure = new AbortController();
  const memory = new Memory();
  const failed = (error: unknown): void => {
    if (failure.signal.aborted) return;
    failure.abort(error);
    memory.giveUp();
  };
  const batches = new OpenBatches({
    store,
    prefix,
    runId,
    paths: places,
    format: config.format === 'csv' ? csv : jsonl,
    compression: { gzip, none, zstd }[config.compression],
    openLimit: config.max_open_objects,
    addMetadata: plan.addMetadata,
    generations: plan.generations,
    rowLimit: config.batch_size_rows,
    byteLimit: config.batch_size_bytes,
    memoryLimit: config.max_memory_bytes,
    room: new Slots(context.blocksAtOnce),
    blocks: new Blocks(),
    memory,
    partBytes: store.partBytes,
    failed,
    clock,
    log: context.onTerminal ? { ...log, info: log.debug } : log,
  });
  const program = `target-s3 v${VERSION}`;
  const commits = new Commits({
    store,
    prefix,
    runId,
    program,
    now: clock.now,
    print,
    failed,
    check: life.check,
  });
  const waitMs = config.batch_wait_seconds * 1000;
  try {
    await write(
      readLines(input, config.max_line_bytes, (line) => ofStream(streamOf(line))),
      {
        decode,
        batches,
        ledger: new Ledger(waitMs, plan.mostStateBytes),
        commits,
        once: plan.once,
        known: plan.known.map(toStream),
        end: plan.end,
        ...(plan.onRejected === undefined ? {} : { onRejected: plan.onRejected }),
        maxLineBytes: config.max_line_bytes,
        validate: config.validate_records,
        rejectedLimit: config.max_rejected_rows,
        onTick: life.refresh,
        tickMs: Math.min(1000, Math.max(10, waitMs / 4)),
        clock,
        log,
        stop,
        failure: failure.signal,
      },
    );
    // Not after a failure: a commit may still be on its way.
    await life.end();
  } finally {
    const { rows, commits: records } = commits.totals;
    const { objects, bytes } = batches.stored;
    const seconds = Math.round(clock.elapsed() - begun) / 1000;
    log.info(
      `${rows} rows committed in ${records} commits; ${objects} objects with ${bytes} bytes stored in ${store.name}; ${seconds} s`,
      { extra: { rows, commits: records, objects, bytes, seconds } },
    );
  }
}
