import yargs from 'yargs';
import type { AboutFormat } from '../shared/about.ts';
import { UsageError } from '../shared/errors.ts';
import { logFormatOf, parseLogLevel, type LogFormat, type LogLevel } from '../shared/log.ts';
import { usageError } from '../shared/usage.ts';
import { VERSION } from '../shared/version.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** What the user wants done. */
export type Command = { readonly logFormat: LogFormat; readonly logLevel: LogLevel } & Action;
type Action =
  | { readonly action: 'write'; readonly config: readonly string[]; readonly input: string | undefined }
  | { readonly action: 'state' | 'doctor'; readonly config: readonly string[] }
  | { readonly action: 'check'; readonly config: readonly string[] }
  | {
      readonly action: 'airbyte-write';
      readonly config: readonly string[];
      readonly catalog: string;
      readonly input: string | undefined;
    }
  | { readonly action: 'spec' }
  | {
      readonly action: 'vacuum';
      readonly config: readonly string[];
      readonly olderThanMs: number;
      readonly dryRun: boolean;
    }
  | { readonly action: 'about'; readonly format: AboutFormat }
  | { readonly action: 'print'; readonly text: string };

/** Reads a command line. Throws `UsageError`. */
export async function parseCommand(argv: readonly string[], env: Environment): Promise<Command> {
  const parser = yargs([...argv])
    .scriptName('target-s3')
    .help(false)
    .version(false)
    .usage('Usage: $0 --config FILE [--config FILE | --config=ENV]... < messages > states')
    .command('state', 'Print the STATE that was committed last.')
    .command('vacuum', 'Remove what ended runs have left behind and no commit names.', {
      'older-than': { type: 'string', requiresArg: true, describe: 'Such as 90m or 0s. Default: 24h.' },
      'dry-run': { type: 'boolean', describe: 'Only print what would be removed.' },
    })
    .command('doctor', 'Try out what the store allows and honours.')
    .command('spec', 'As an Airbyte destination: describe the settings.')
    .command('check', 'As an Airbyte destination: try the settings.')
    .command('write', 'As an Airbyte destination: write what stdin brings.', {
      catalog: { type: 'string', requiresArg: true, describe: 'A JSON file, the configured catalog.' },
    })
    .options({
      config: {
        alias: 'c',
        type: 'string',
        requiresArg: true,
        describe:
          'A JSON file with settings; may be repeated, later ones win. ENV reads TARGET_S3_* variables.',
      },
      input: { type: 'string', requiresArg: true, describe: 'Read messages from this file, not from stdin.' },
      about: { type: 'boolean', describe: 'Describe the program and its settings.' },
      format: { choices: ['json', 'markdown', 'text'] as const, describe: 'How to print --about.' },
      'log-format': { choices: ['text', 'json'] as const, describe: 'How to print the log on stderr.' },
      'log-level': {
        type: 'string',
        requiresArg: true,
        describe: 'debug, info, warning, error or critical.',
      },
      debug: { type: 'boolean', describe: 'The same as --log-level debug.' },
      version: { type: 'boolean', describe: 'Print the version.' },
      help: { alias: 'h', type: 'boolean', describe: 'Print this help.' },
    })
    .strict()
    .exitProcess(false)
    .parserConfiguration({ 'duplicate-arguments-array': true })
    .fail((message: string | null, error: Error | undefined) => {
      throw usageError(message, error);
    });
  const args = await parser.parse();
  const log = {
    logFormat: last(args['log-format']) ?? logFormatOf(env),
    logLevel: logLevel(last(args['log-level']) ?? (last(args.debug) === true ? 'debug' : undefined), env),
  };
  if (args.version === true) return { ...log, action: 'print', text: `target-s3 v${VERSION}` };
  if (args.help === true) return { ...log, action: 'print', text: await parser.getHelp() };
  if (args.about === true) return { ...log, action: 'about', format: last(args.format) ?? 'text' };
  const action = args._[0];
  if (action === 'spec') return { ...log, action };
  const config = args.config === undefined ? [] : [args.config].flat();
  if (config.length === 0) throw new UsageError('--config is missing');
  if (action === undefined) return { ...log, action: 'write', config, input: last(args.input) };
  if (action === 'state' || action === 'doctor') return { ...log, action, config };
  if (action === 'check') return { ...log, action, config };
  const {
    'older-than': age,
    'dry-run': dry,
    catalog: catalogs,
  } = args as {
    readonly catalog?: string | string[];
    readonly 'older-than'?: string | string[];
    readonly 'dry-run'?: boolean | boolean[];
  };
  if (action === 'write') {
    const catalog = last(catalogs);
    if (catalog === undefined) throw new UsageError('--catalog is missing');
    return { ...log, action: 'airbyte-write', config, catalog, input: last(args.input) };
  }
  const olderThanMs = duration(last(age) ?? '24h');
  return { ...log, action: 'vacuum', config, olderThanMs, dryRun: last(dry) === true };
}

const UNITS: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

function duration(text: string): number {
  const [, digits, unit] = /^(\d+)([smhd])$/.exec(text) ?? [];
  if (digits === undefined)
    throw new UsageError(`--older-than ${text}: give a number and s, m, h or d, as in 24h`);
  return Number(digits) * UNITS[unit!]!;
}

/** Of an option that was given several times. */
function last<T>(value: T | readonly T[] | undefined): T | undefined {
  return Array.isArray(value) ? (value.at(-1) as T | undefined) : (value as T | undefined);
}

function logLevel(given: string | undefined, env: Environment): LogLevel {
  const text = given ?? env['TARGET_S3_LOGLEVEL'] ?? env['LOGLEVEL'];
  if (text === undefined) return 'info';
  const level = parseLogLevel(text);
  if (level === undefined && given !== undefined) throw new UsageError(`${given} is not a log level`);
  return level ?? 'info';
}
