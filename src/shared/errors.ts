/**
 * Who has to act: the user (`config`), nobody but time (`transient`), or the authors (`system`).
 * The three kinds are Airbyte's failure types; every face of the programs reports one of them.
 */
export type ErrorKind = 'config' | 'transient' | 'system';

export type ErrorOptions = {
  /** Stable upper-case word that scripts may look for on stderr, such as `RECORD_BEFORE_SCHEMA`. */
  readonly code?: string;
  readonly cause?: unknown;
};

/** An error meant to be read by a person: its message names what, where, and what to do. */
export class ConnectorError extends Error {
  override readonly name: string = 'ConnectorError';
  readonly kind: ErrorKind;
  readonly code: string | undefined;

  constructor(kind: ErrorKind, message: string, options: ErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.kind = kind;
    this.code = options.code;
  }
}

/** The command line itself was wrong; the exit code is 2. */
export class UsageError extends ConnectorError {
  override readonly name = 'UsageError';

  constructor(message: string) {
    super('config', message);
  }
}

/** The user must change a setting, a file or a permission. */
export function configError(message: string, options?: ErrorOptions): ConnectorError {
  return new ConnectorError('config', message, options);
}

/** Worth trying again later; nothing has to be changed. */
export function transientError(message: string, options?: ErrorOptions): ConnectorError {
  return new ConnectorError('transient', message, options);
}

/** A promise of this program was broken by this program. */
export function systemError(message: string, options?: ErrorOptions): ConnectorError {
  return new ConnectorError('system', message, options);
}

/** Any thrown value as a `ConnectorError`; what nobody foresaw is a `system` error. */
export function toConnectorError(thrown: unknown): ConnectorError {
  if (thrown instanceof ConnectorError) return thrown;
  return systemError(messageOf(thrown), { cause: thrown });
}

/** What several errors come to: a bug of ours first, then what the user has to change, else time. */
export function worstKind(errors: readonly ConnectorError[]): ErrorKind {
  const kinds = new Set(errors.map(({ kind }) => kind));
  return (['system', 'config'] as const).find((kind) => kinds.has(kind)) ?? 'transient';
}

/** The message of any thrown value, never empty and never a stack trace. */
export function messageOf(thrown: unknown): string {
  if (thrown instanceof AggregateError && thrown.message === '') {
    return thrown.errors.map(messageOf).join('; ');
  }
  if (thrown instanceof Error) return thrown.message === '' ? thrown.name : thrown.message;
  return String(thrown);
}

/** The `code` Node gives system errors (`ENOENT`, `ECONNREFUSED`), searched down the chain of causes. */
export function errnoOf(thrown: unknown): string | undefined {
  for (let error = thrown; error instanceof Error; error = error.cause) {
    if ('code' in error && typeof error.code === 'string') return error.code;
    if (error instanceof AggregateError && error.errors.length > 0) return errnoOf(error.errors[0]);
  }
  return undefined;
}

/** One line for stderr: the code, if any, and the message with line breaks made visible. */
export function describe(thrown: unknown): string {
  const error = toConnectorError(thrown);
  const text = error.message.replaceAll(/\s*\n\s*/g, ' | ');
  return error.code === undefined ? text : `${error.code}: ${text}`;
}
