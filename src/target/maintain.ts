import type { Clock } from '../shared/clock.ts';
import type { Log } from '../shared/log.ts';
import type { Command } from './command.ts';
import type { Config } from './config.ts';
import { doctor } from './doctor.ts';
import { lastState } from './last-state.ts';
import { paths } from './path.ts';
import type { Store } from './stores/store.ts';
import { vacuum } from './vacuum.ts';

export type MaintainContext = {
  readonly open: (config: Config) => Promise<Store>;
  readonly print: (line: Uint8Array) => Promise<void>;
  readonly clock: Clock;
  readonly log: Log;
};

/** Does what a sub-command says; the result is the exit code. */
export async function maintain(
  command: Extract<Command, { action: 'state' | 'vacuum' | 'doctor' }>,
  config: Config,
  { open, print, clock, log }: MaintainContext,
): Promise<number> {
  const prefix = config.s3_key_prefix;
  const say = (line: string): Promise<void> => print(Buffer.from(line));
  switch (command.action) {
    case 'state': {
      const state = await lastState(await open(config), prefix);
      if (state !== undefined) await print(state);
      return 0;
    }
    case 'vacuum': {
      const { olderThanMs, dryRun } = command;
      const store = await open(config);
      const removing = (what: string): Promise<void> => say(`${dryRun ? 'would remove' : 'removed'} ${what}`);
      const places = paths(prefix, config.path_template, config.partition_by ?? []);
      const done = await vacuum({ store, prefix, paths: places, olderThanMs, dryRun, clock, removing });
      log.info(
        `${done.objects} objects with ${done.bytes} bytes and ${done.uploads} unfinished uploads ${dryRun ? 'would be ' : ''}removed from ${store.name}`,
        { extra: { ...done, dry_run: dryRun } },
      );
      return 0;
    }
    case 'doctor': {
      let code = 0;
      for await (const { grade, text } of doctor({ config, open })) {
        await say(`${grade.padEnd(4)} ${text.replaceAll(/\s*\n\s*/g, ' | ')}`);
        if (grade === 'fail') code = 1;
      }
      return code;
    }
    default:
      return command satisfies never;
  }
}
