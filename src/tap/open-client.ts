import { readText } from '../shared/config-file.ts';
import type { Clock } from '../shared/clock.ts';
import type { Send } from '../shared/http/request.ts';
import { transport } from '../shared/http/transport.ts';
import type { Log } from '../shared/log.ts';
import { VERSION } from '../shared/version.ts';
import { openAccess } from './access.ts';
import { createClient, type Client } from './client.ts';
import type { Config, Credential } from './config.ts';
import type { CredentialStore } from './credential-store.ts';
import type { Progress } from './progress.ts';

export type ClientContext = {
  readonly config: Config;
  /** Where renewed credentials go; without it none are renewed. */
  readonly store?: CredentialStore;
  readonly clock: Clock;
  readonly log: Log;
  readonly signal: AbortSignal;
  readonly progress?: Progress;
};

const MAX_BODY_BYTES = 256 * 1024 * 1024;

/** A client for the configured Jira, the credentials it uses, and how to close its connections. */
export async function openClient({ config, store, clock, log, signal, progress }: ClientContext): Promise<{
  readonly client: Client;
  readonly credentials: Credential;
  readonly close: () => Promise<void>;
}> {
  const { send, close } = await openTransport(config);
  try {
    const userAgent = userAgentOf(config);
    const maxRetryMs = config.max_retry_seconds * 1000;
    const atlassian = { send, userAgent, maxRetryMs, clock, signal };
    const { credentials, ...access } = await openAccess({ config, store, atlassian, log });
    const client = createClient({
      ...access,
      ...atlassian,
      concurrency: config.concurrency,
      log,
      ...(progress?.paused === undefined ? {} : { onPause: progress.paused }),
    });
    return { client, credentials, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** The network as the settings want it used: time limits, authorities, proxy. */
export async function openTransport(
  config: Config,
): Promise<{ readonly send: Send; readonly close: () => Promise<void> }> {
  return transport({
    timeoutMs: config.request_timeout_seconds * 1000,
    connections: config.concurrency,
    maxBodyBytes: MAX_BODY_BYTES,
    ...(config.ca_file === undefined ? {} : { ca: await readText(config.ca_file, 'ca_file') }),
    ...(config.proxy_url === undefined ? {} : { proxyUrl: config.proxy_url.reveal() }),
  });
}

/** How this program introduces itself. */
export function userAgentOf({ user_agent }: Config): string {
  return user_agent ?? `tap-jira/${VERSION}`;
}
