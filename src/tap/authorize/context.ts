import type { Clock } from '../../shared/clock.ts';
import type { Log } from '../../shared/log.ts';
import type { TapSetup } from '../load-config.ts';

/** The person in front of the program. */
export type Terminal = {
  readonly say: (text: string) => Promise<void>;
  /** A line of input, without its end; undefined when there is no more. */
  readonly ask: (question: string, signal: AbortSignal) => Promise<string | undefined>;
  /** Whether somebody can answer questions. */
  readonly interactive: boolean;
  /** Opens a browser; false if that cannot be done here. */
  readonly open: (address: string) => Promise<boolean>;
};

/** What the person asked for. */
export type AuthorizeFlags = {
  /** Only make the key, where there is none, and tell what to do with it. */
  readonly keygen: boolean;
  /** The person copies a code instead of being sent back by the browser. */
  readonly oob: boolean;
  /** Only say how things are. */
  readonly status: boolean;
  /** Where the browser comes back to; 0 for any free port. */
  readonly port: number;
};

/** Everything a login needs. */
export type AuthorizeContext = TapSetup & {
  readonly flags: AuthorizeFlags;
  readonly terminal: Terminal;
  /** The options that name the configuration, for commands that the person is told to give. */
  readonly configOptions: string;
  readonly clock: Clock;
  readonly log: Log;
  readonly signal: AbortSignal;
};
