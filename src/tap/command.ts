import yargs from 'yargs';
import type { AboutFormat } from '../shared/about.ts';
import { UsageError } from '../shared/errors.ts';
import type { LogFormat } from '../shared/log.ts';
import { usageError } from '../shared/usage.ts';
import type { AuthorizeFlags } from './authorize/context.ts';

/** What the user asked for. */
export type Command =
  | { readonly do: 'print'; readonly text: string }
  | { readonly do: 'about'; readonly format: AboutFormat }
  | { readonly do: 'spec' }
  | ({ readonly do: 'discover' } & Common)
  | ({ readonly do: 'check' } & Common & Inputs)
  | ({ readonly do: 'authorize' } & Common & { readonly flags: AuthorizeFlags; readonly browser: boolean })
  | { readonly do: 'airbyte-catalog' }
  | ({ readonly do: 'read' } & Common & { readonly catalog: string; readonly state?: string })
  | ({ readonly do: 'sync' } & Common & Inputs & { readonly test?: 'records' | 'schema' });

type Common = { readonly config: readonly string[]; readonly log: LogChoice };
type Inputs = { readonly state?: string; readonly catalog?: string };

/** How to log; the environment may decide what the command line leaves open. */
export type LogChoice = { readonly format?: LogFormat; readonly level?: string };

// As `epilogue`, since `example` would break the lines of commands.
const EXAMPLES = `The first run, and the next ones:
  tap-jira -c tap.json | target-s3 -c target.json > state.jsonl
  tap-jira -c tap.json -s state.jsonl | target-s3 -c target.json >> state.jsonl`;

/** Reads the command line. Throws `UsageError`; touches nothing but its arguments. */
export async function parseCommand(argv: readonly string[], version: string): Promise<Command> {
  let printed = '';
  const parser = yargs([...argv])
    .scriptName('tap-jira')
    .usage(
      '$0 [check] --config FILE [--state FILE] [--catalog FILE]\n$0 authorize --config FILE [--keygen | --status] [--oob]\n$0 spec | discover | read --config FILE --catalog FILE [--state FILE]\n\nReads Jira issues incrementally and writes Singer messages to stdout.\ncheck: looks at address, login, projects and streams without reading.\nauthorize: logs in with OAuth in the browser, and stores the token where the configuration came from.\nspec, check, discover and read are the commands of an Airbyte source, which writes Airbyte messages.',
    )
    .option('config', {
      alias: 'c',
      type: 'string',
      requiresArg: true,
      array: true,
      nargs: 1,
      describe: 'Configuration file (may be repeated, later wins), or ENV for TAP_JIRA_* variables',
    })
    .option('state', {
      alias: 's',
      type: 'string',
      requiresArg: true,
      describe:
        'State file: one JSON document, or the lines a target printed; for read, a list of Airbyte states',
    })
    .option('catalog', {
      type: 'string',
      requiresArg: true,
      describe: 'Catalog that selects streams and properties',
    })
    .option('properties', {
      alias: 'p',
      type: 'string',
      requiresArg: true,
      describe: 'Old name of --catalog',
    })
    .option('discover', { alias: 'd', type: 'boolean', describe: 'Print the catalog' })
    .option('test', { type: 'string', describe: 'Read one record of each stream; --test=schema: no record' })
    .option('about', { type: 'boolean', describe: 'Print what this program is and its settings' })
    .option('format', {
      choices: ['text', 'json', 'markdown'] as const,
      default: 'text' as const,
      describe: 'Format of --about',
    })
    .option('keygen', {
      type: 'boolean',
      describe: 'authorize: only make the key pair, where there is none, and tell what to enter in Jira',
    })
    .option('oob', { type: 'boolean', describe: 'authorize: type in a code instead of being sent back here' })
    .option('status', { type: 'boolean', describe: 'authorize: only tell when the login ends' })
    .option('port', {
      type: 'number',
      requiresArg: true,
      describe:
        'authorize: port of this machine that the browser comes back to; default: a free one, or 8976 for OAuth 2.0',
    })
    .option('browser', {
      type: 'boolean',
      describe: 'authorize: open the browser; --no-browser only prints the address',
    })
    .option('log-format', { choices: ['text', 'json'] as const, describe: 'Format of the log on stderr' })
    .option('log-level', { type: 'string', requiresArg: true, describe: 'debug, info, warning or error' })
    .option('debug', { type: 'boolean', describe: 'The same as --log-level debug' })
    .epilogue(EXAMPLES)
    .version(`tap-jira v${version}`)
    .help()
    .strictOptions()
    .exitProcess(false)
    .fail((message, error) => {
      throw usageError(message, error);
    });
  const args = await parser.parseAsync([...argv], {}, (_error, _args, output) => {
    printed += output;
  });
  if (printed !== '') return { do: 'print', text: `${printed}\n` };
  const stray = args._[0];
  if (stray === 'spec') return { do: 'spec' };
  if (stray === 'discover') return { do: 'airbyte-catalog' };
  if (stray !== undefined && stray !== 'check' && stray !== 'read' && stray !== 'authorize')
    throw new UsageError(`unknown argument: ${stray}`);
  if (args.about === true) return { do: 'about', format: args.format };

  if (args.test !== undefined && !['', 'records', 'schema'].includes(args.test))
    throw new UsageError(`--test: "${args.test}" is not records or schema`);
  const config = args.config ?? [];
  const level = args.logLevel ?? (args.debug === true ? 'debug' : undefined);
  const log = {
    ...(args.logFormat === undefined ? {} : { format: args.logFormat }),
    ...(level === undefined ? {} : { level }),
  };
  if (args.discover === true) return { do: 'discover', config, log };
  if (config.length === 0) throw new UsageError('--config is missing');
  const { keygen = false, oob = false, status = false, port = 0, browser = true } = args;
  if (stray === 'authorize') {
    if (keygen && status) throw new UsageError('--keygen and --status exclude each other');
    if (!Number.isInteger(port) || port < 0 || port > 65_535)
      throw new UsageError('--port must be a number from 0 to 65535');
    return { do: 'authorize', config, log, flags: { keygen, oob, status, port }, browser };
  }
  if (keygen || oob || status || port !== 0 || !browser)
    throw new UsageError('--keygen, --oob, --status, --port and --no-browser belong to authorize');
  const catalog = args.catalog ?? args.properties;
  const inputs = {
    config,
    log,
    ...(args.state === undefined ? {} : { state: args.state }),
    ...(catalog === undefined ? {} : { catalog }),
  };
  if (stray === 'check') return { do: 'check', ...inputs };
  if (stray === 'read') {
    if (catalog === undefined) throw new UsageError('--catalog is missing');
    return { do: 'read', ...inputs, catalog };
  }
  return {
    do: 'sync',
    ...inputs,
    ...(args.test === undefined ? {} : { test: args.test === 'schema' ? 'schema' : 'records' }),
  };
}
