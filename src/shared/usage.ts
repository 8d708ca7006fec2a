import { UsageError } from './errors.ts';

/** What yargs found wrong with a command line, in one line and in the user's words. */
export function usageError(message: string | null | undefined, error: Error | undefined): UsageError {
  const text = (message ?? error?.message ?? 'wrong arguments').replaceAll('\n', ' ');
  const lacking = /^Not enough arguments following: (\S+)$/.exec(text)?.[1];
  return new UsageError(
    lacking === undefined ? text : `${lacking.length === 1 ? '-' : '--'}${lacking} needs a value`,
  );
}
