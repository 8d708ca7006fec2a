import { ConnectorError, toConnectorError } from '../../shared/errors.ts';
import type { Log } from '../../shared/log.ts';
import { Stopped } from '../../shared/program.ts';
import { connectionStatus, errorTrace } from '../../protocol/airbyte.ts';
import type { Finding } from '../check.ts';
import type { SharedOutput } from '../../shared/shared-output.ts';

const LEVELS = { ok: 'info', warning: 'warning', failed: 'error' } as const;

/**
 * Airbyte's `check`: findings become lines of the log, and one CONNECTION_STATUS closes them. Resolves to the exit
 * code, which is 0 also for a check that failed, since the status says so; a fault of this program is a TRACE
 * message instead, and 1.
 */
export async function reportCheck(
  findings: AsyncIterable<Finding>,
  output: SharedOutput,
  log: Log,
  now: () => number,
): Promise<number> {
  const failures: ConnectorError[] = [];
  try {
    for await (const { verdict, about, text, kind } of findings) {
      log[LEVELS[verdict]](`${about}: ${text}`);
      if (verdict === 'failed') failures.push(new ConnectorError(kind ?? 'config', `${about}: ${text}`));
    }
  } catch (error) {
    if (error instanceof Stopped) throw error;
    failures.push(toConnectorError(error));
  }
  const bug = failures.find(({ kind }) => kind === 'system');
  const problems = failures.map(({ message }) => message).join('; ');
  await output.write(
    bug === undefined ? connectionStatus(problems === '' ? undefined : problems) : errorTrace(bug, now()),
  );
  await output.end();
  return bug === undefined ? 0 : 1;
}
