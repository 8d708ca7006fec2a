import { DestinationLines } from '../../protocol/airbyte-destination.ts';
import { airbyteLog, errorTrace } from '../../protocol/airbyte.ts';
import type { Clock } from '../../shared/clock.ts';
import { errnoOf, transientError } from '../../shared/errors.ts';
import type { LineWriter } from '../../shared/lines.ts';
import type { Log, LogLevel } from '../../shared/log.ts';
import { SharedOutput } from '../../shared/shared-output.ts';
import type { Config } from '../config.ts';
import type { Input } from '../input.ts';
import { run } from '../run.ts';
import type { Store } from '../stores/store.ts';
import { readLoads } from './catalog.ts';
import { airbytePlan } from './plan.ts';

export type AirbyteContext = {
  readonly config: () => Promise<Config>;
  readonly open: (config: Config, warn: Log['warning']) => Promise<Store>;
  readonly out: LineWriter;
  readonly logLevel: LogLevel;
  readonly clock: Clock;
};

export type WriteOptions = AirbyteContext & {
  /** Path of the configured catalog. */
  readonly catalog: string;
  readonly input: () => Promise<Input>;
  readonly stop: AbortSignal;
  readonly blocksAtOnce: number;
};

/**
 * Airbyte's `write`: one run of the target, told in Airbyte's words. Resolves to the exit code: 1 when something
 * failed or a stream is not complete, which a TRACE message then explains. Rejects only when nobody reads the
 * output any more.
 */
export async function write(options: WriteOptions): Promise<number> {
  const output = new SharedOutput(options.out);
  let code = 0;
  try {
    await load(options, output);
  } catch (error) {
    if (errnoOf(error) === 'EPIPE') throw error;
    await output.tell(errorTrace(error, options.clock.now()));
    code = 1;
  }
  await output.end();
  return code;
}

async function load(options: WriteOptions, output: SharedOutput): Promise<void> {
  const { clock, stop, blocksAtOnce } = options;
  const log = airbyteLog(options.logLevel, (line) => output.say(line));
  const config = await options.config();
  const loads = await readLoads(options.catalog);
  for (const { id, remark } of loads)
    if (remark !== undefined) log.warning(`stream ${JSON.stringify(id)}: ${remark}`);
  const lines = new DestinationLines(loads);
  const store = await options.open(config, log.warning);
  const input = await options.input();
  try {
    await run(config, input.chunks, {
      store,
      decode: (line) => lines.decode(line),
      plan: (config, generation) => airbytePlan(config, generation, loads, lines),
      print: (state) => output.tell(...lines.states.echo(state)),
      clock,
      log,
      onTerminal: false,
      stop,
      blocksAtOnce,
    });
  } finally {
    input.close();
  }
  if (lines.incomplete.size > 0) throw incomplete(lines.incomplete, stop.aborted);
}

function incomplete(streams: ReadonlySet<string>, stopped: boolean): Error {
  const names = [...streams].map((name) => JSON.stringify(name)).join(', ');
  const why = stopped ? 'this run was stopped' : 'the input ended';
  return transientError(
    `${why} before a COMPLETE status came for: ${names}; what was acknowledged stays, and nothing earlier was replaced for these streams; look at the log of the source and sync again`,
    { code: 'INPUT_INCOMPLETE' },
  );
}
