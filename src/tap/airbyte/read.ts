import type { Clock } from '../../shared/clock.ts';
import { ConnectorError, errnoOf, worstKind } from '../../shared/errors.ts';
import type { JsonObject } from '../../shared/json/value.ts';
import type { LineWriter } from '../../shared/lines.ts';
import type { LogLevel } from '../../shared/log.ts';
import { Stopped } from '../../shared/program.ts';
import { airbyteLog, errorTrace } from '../../protocol/airbyte.ts';
import { SourceLines } from '../../protocol/airbyte-source.ts';
import type { TapSetup } from '../load-config.ts';
import { run } from '../run.ts';
import { loadSchemas } from '../schemas.ts';
import { offeredStreams, selectedStreams, type SelectedStream } from '../streams.ts';
import { logReporter } from '../summary.ts';
import { readConfiguredCatalog, type Configured } from './catalog.ts';
import { SharedOutput } from '../../shared/shared-output.ts';
import { credentialsOfHost } from './renewed-credentials.ts';
import { readAirbyteState, startingState } from './state.ts';

export type ReadOptions = {
  readonly setup: () => Promise<TapSetup>;
  /** Paths of files. */
  readonly catalog: string;
  readonly state?: string;
  readonly out: LineWriter;
  readonly logLevel: LogLevel;
  readonly clock: Clock;
  readonly signal: AbortSignal;
};

/**
 * Airbyte's `read`: one run of the tap, told in Airbyte's words. Resolves to the exit code: 1 when a stream is not
 * complete, which TRACE messages then explain. Rejects only when nobody reads the output any more.
 */
export async function read(options: ReadOptions): Promise<number> {
  const output = new SharedOutput(options.out);
  let thrown: unknown;
  let failed = false;
  try {
    failed = !(await readStreams(options, output, await prepare(options)));
  } catch (error) {
    if (errnoOf(error) === 'EPIPE') throw error;
    thrown = error;
    if (!(error instanceof Stopped)) await output.write(errorTrace(error, options.clock.now()));
  }
  await output.end();
  if (thrown instanceof Stopped) return thrown.exitCode;
  return failed || thrown !== undefined ? 1 : 0;
}

type Prepared = {
  readonly setup: TapSetup;
  readonly configured: Configured;
  readonly streams: readonly SelectedStream[];
  readonly state: JsonObject;
};

async function prepare(options: ReadOptions): Promise<Prepared> {
  const schemas = loadSchemas();
  const setup = await options.setup();
  const configured = await readConfiguredCatalog(options.catalog, offeredStreams(schemas));
  const saved = options.state === undefined ? {} : await readAirbyteState(options.state);
  return {
    setup,
    configured,
    streams: selectedStreams(schemas, configured.selection),
    state: startingState(saved, configured.streams),
  };
}

/** False if a stream was refused or failed; an error that ended the run is thrown after the streams' last words. */
async function readStreams(
  { state: stateSource = 'state', logLevel, clock, signal }: ReadOptions,
  output: SharedOutput,
  { setup: { config, store, written }, configured, streams, state }: Prepared,
): Promise<boolean> {
  const lines = new SourceLines(configured.streams, clock.now);
  const log = airbyteLog(logLevel, (line) => output.say(line));
  const failures = new Map([...configured.refused].map(([name, error]) => [name, [error]]));
  const reporter = logReporter(log);
  const progress = {
    ...reporter,
    failed: (names: readonly string[], error: ConnectorError) => {
      for (const name of names) failures.set(name, [...(failures.get(name) ?? []), error]);
    },
    paused: (ms: number) => output.say(...lines.waiting(clock.now() + ms)),
  };
  await output.write(...lines.started());
  let thrown: unknown;
  try {
    if (streams.length > 0) {
      for await (const message of run({
        config,
        store: credentialsOfHost(store, written, (line) => output.tell(line), clock.now),
        streams,
        state,
        stateSource,
        clock,
        log,
        progress,
        signal,
      })) {
        await output.write(...lines.encode(message));
        if (message.type === 'state') await output.flush();
      }
    }
  } catch (error) {
    if (errnoOf(error) === 'EPIPE') throw error;
    thrown = error;
  }
  reporter.close();
  // An error that names failed projects comes after all streams were read.
  const finished =
    thrown === undefined || (thrown instanceof ConnectorError && thrown.code === 'PROJECTS_FAILED');
  const failed = new Map([...failures].map(([name, errors]) => [name, oneOf(errors)]));
  await output.write(...lines.ended(finished, failed));
  if (thrown !== undefined) throw thrown;
  return failed.size === 0;
}

function oneOf(errors: readonly ConnectorError[]): ConnectorError {
  const [first, ...others] = errors;
  if (others.length === 0) return first!;
  const text = errors.map(({ message }) => message).join('; ');
  return new ConnectorError(worstKind(errors), text, first!.code === undefined ? {} : { code: first!.code });
}
