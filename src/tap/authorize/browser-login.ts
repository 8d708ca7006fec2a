import type { Clock } from '../../shared/clock.ts';
import { configError, toConnectorError } from '../../shared/errors.ts';
import { redact } from '../../shared/secret.ts';
import { listenForCallback, type Call, type CallbackOptions } from './callback.ts';
import type { Page } from './page.ts';
import type { Terminal } from './context.ts';

/** A login under way: where the person has to go, and which calls back belong to it. */
export type LoginStep = {
  readonly address: string;
  readonly belongs: (query: URLSearchParams) => boolean;
};

export type BrowserLogin<T> = {
  readonly callback: CallbackOptions;
  readonly terminal: Terminal;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** The command that the person has given, to be given again. */
  readonly command: string;
  /** Begins the login, which has to end with a call of `callback`. */
  readonly begin: (callback: string) => Promise<LoginStep>;
  /** Finishes it with what the call brought. */
  readonly finish: (query: URLSearchParams) => Promise<T>;
  /** What the person reads in the browser then. */
  readonly page: (result: T) => Page;
};

const PATIENCE_MS = 10 * 60_000;

/**
 * Sends a person to a login in the browser and waits until the browser comes back. The browser shows how it ended,
 * well or not, before this resolves or rejects.
 */
export async function loginInBrowser<T>(login: BrowserLogin<T>): Promise<T> {
  const { terminal, clock, signal } = login;
  const server = await listenForCallback(login.callback);
  try {
    const { address, belongs } = await login.begin(server.address);
    const opened = await terminal.open(address);
    await terminal.say(
      `${opened ? 'Your browser opens' : 'Open'} this address; log in to Jira there and choose Allow:\n\n  ${address}\n\nWaiting for you to come back to ${server.address} ...\n`,
    );
    const call = await withPatience(clock, signal, (until) => server.next(belongs, until));
    return await finished(login, call);
  } finally {
    await server.close();
  }
}

async function finished<T>({ finish, page, command }: BrowserLogin<T>, call: Call): Promise<T> {
  let result: T;
  try {
    result = await finish(call.query);
  } catch (error) {
    await call.answer(failurePage(error, command));
    throw error;
  }
  await call.answer(page(result));
  return result;
}

async function withPatience<T>(
  clock: Clock,
  signal: AbortSignal,
  wait: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  signal.throwIfAborted();
  const until = new AbortController();
  const stop = (): void => until.abort(signal.reason);
  signal.addEventListener('abort', stop);
  const late = configError('nobody came back from the login within ten minutes; run the command again', {
    code: 'AUTH',
  });
  clock.sleep(PATIENCE_MS, until.signal).then(
    () => until.abort(late),
    () => undefined,
  );
  try {
    return await wait(until.signal);
  } finally {
    signal.removeEventListener('abort', stop);
    until.abort();
  }
}

function failurePage(thrown: unknown, command: string): Page {
  const { code, message } = toConnectorError(thrown);
  const again = `To try again, run: \`${command}\``;
  if (code === 'DENIED')
    return {
      tone: 'bad',
      title: 'Access was denied',
      text: 'Somebody chose Deny, so tap-jira got no token and cannot read anything.',
      next: ['If that was a mistake, log in once more and choose Allow.', again],
    };
  return {
    tone: 'bad',
    title: 'The login did not work',
    text: sentences(redact(message)),
    next: ['The terminal says the same.', again],
  };
}

/** A message made for one line of a terminal, to be read on a page. */
function sentences(message: string): string {
  return message
    .split('; ')
    .map((part) => `${part.charAt(0).toUpperCase()}${part.slice(1)}.`)
    .join(' ');
}
