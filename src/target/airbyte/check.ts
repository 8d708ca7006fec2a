import { airbyteLog, connectionStatus, errorTrace } from '../../protocol/airbyte.ts';
import { errnoOf, toConnectorError } from '../../shared/errors.ts';
import { SharedOutput } from '../../shared/shared-output.ts';
import { checkStore } from '../check.ts';
import type { AirbyteContext } from './write.ts';

/**
 * Airbyte's `check`: one CONNECTION_STATUS. Resolves to the exit code, which is 0 also for a check that failed, since
 * the status says so; a fault of this program is a TRACE message instead, and 1.
 */
export async function check({ config, open, out, logLevel, clock }: AirbyteContext): Promise<number> {
  const output = new SharedOutput(out);
  const log = airbyteLog(logLevel, (line) => output.say(line));
  let code = 0;
  try {
    const settings = await config();
    await checkStore(await open(settings, log.warning), settings.s3_key_prefix, clock);
    await output.tell(connectionStatus());
  } catch (thrown) {
    if (errnoOf(thrown) === 'EPIPE') throw thrown;
    const { kind, message } = toConnectorError(thrown);
    const failed = kind !== 'system';
    await output.tell(failed ? connectionStatus(message) : errorTrace(thrown, clock.now()));
    code = failed ? 0 : 1;
  }
  await output.end();
  return code;
}
