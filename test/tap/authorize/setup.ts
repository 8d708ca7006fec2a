import { generateKeyPairSync } from 'node:crypto';
import { systemClock, type Clock } from '../../../src/shared/clock.ts';
import type { Log } from '../../../src/shared/log.ts';
import { authorize } from '../../../src/tap/authorize/authorize.ts';
import type { AuthorizeFlags } from '../../../src/tap/authorize/context.ts';
import { configOptions, loadBeforeLogin } from '../../../src/tap/load-config.ts';
import type { Jira } from '../../support/jira/server.ts';
import type { Scratch } from '../../support/programs.ts';

export const CONSUMER = 'OauthKey';

const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
const KEY = privateKey.export({ type: 'pkcs8', format: 'pem' });

/** A configuration file of somebody who has never logged in; who has no key either gives none in `credentials`. */
export function writeConfig(
  scratch: Scratch,
  jira: Jira,
  credentials: object = { private_key: KEY },
): Promise<string> {
  const config = {
    base_url: jira.url,
    credentials: { auth_type: 'oauth1', consumer_key: CONSUMER, ...credentials },
  };
  return scratch.write('tap.json', `${JSON.stringify(config, null, 4)}\n`);
}

/** The public key that `authorize` prints. */
export function publicKeyIn(text: string): string {
  return /-----BEGIN PUBLIC KEY-----[\s\S]+-----END PUBLIC KEY-----/.exec(text)![0];
}

export type Attempt = { readonly text: string; readonly logged: string[]; readonly error?: Error };

export type AttemptOptions = {
  readonly flags?: Partial<AuthorizeFlags>;
  /** Is given the address for the browser; what it does goes on beside the program. */
  readonly person?: (address: string) => Promise<unknown>;
  /** Answers what the program asks; `said` is all it has said. */
  readonly answer?: (said: string) => Promise<string | undefined>;
  readonly clock?: Clock;
};

/** Runs `tap-jira authorize` in this process. */
export async function attempt(config: string, options: AttemptOptions = {}): Promise<Attempt> {
  let text = '';
  const logged: string[] = [];
  const print = (message: string): void => void logged.push(message);
  const log: Log = { debug: print, info: print, warning: print, error: print, critical: print };
  let beside: Promise<unknown> | undefined;
  const setup = await loadBeforeLogin({ paths: [config], env: process.env, envPrefix: 'TAP_JIRA_' });
  const run = authorize({
    ...setup,
    flags: { keygen: false, oob: false, status: false, port: 0, ...options.flags },
    terminal: {
      say: async (more) => void (text += more),
      ask: async (question) => {
        text += question;
        return options.answer?.(text);
      },
      interactive: options.answer !== undefined,
      open: async (address) => {
        beside = options.person?.(address);
        return beside !== undefined;
      },
    },
    configOptions: configOptions([config]),
    clock: options.clock ?? systemClock,
    log,
    signal: AbortSignal.timeout(20_000),
  });
  try {
    await run;
    await beside;
    return { text, logged };
  } catch (error) {
    await beside;
    return { text, logged, error: error as Error };
  }
}

/** Makes the key of a configuration, and the application link for it. */
export async function makeLink(config: string, jira: Jira): Promise<void> {
  const { text, error } = await attempt(config, { flags: { keygen: true } });
  if (error !== undefined) throw error;
  jira.oauth.link(CONSUMER, publicKeyIn(text));
}

/** The address that is shown for the browser. */
export function addressIn(text: string): string {
  return /^ {2}(http\S+\/authorize\?\S+)$/m.exec(text)![1]!;
}
