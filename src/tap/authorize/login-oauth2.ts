import { createHash, randomBytes } from 'node:crypto';
import { configError } from '../../shared/errors.ts';
import type { CredentialStore } from '../credential-store.ts';
import { exchangeGrant, type Grant, type Oauth2Credential } from '../oauth2-token.ts';
import { openClient, openTransport, userAgentOf } from '../open-client.ts';
import { connect } from '../site.ts';
import { loginInBrowser } from './browser-login.ts';
import type { AuthorizeContext } from './context.ts';

/** Atlassian takes only addresses that the app's settings name, port included. */
const PORT = 8976;
const SCOPE = 'read:jira-work read:jira-user offline_access';

/**
 * The login of OAuth 2.0 with a code (RFC 6749), bound to this process by `state` and PKCE (RFC 7636). The refresh
 * token that it brings is tried out and stored.
 */
export async function loginWithOauth2(
  context: AuthorizeContext,
  credential: Oauth2Credential,
): Promise<void> {
  const { store, terminal, flags, configOptions, clock, signal } = context;
  if (flags.oob || flags.keygen)
    throw configError('--oob and --keygen are for OAuth 1.0a; run the command without them', {
      code: 'CONFIG',
    });
  await store.expectWritable?.(['refresh_token']);
  const state = random();
  const verifier = random();
  let callback = '';
  const user = await loginInBrowser({
    callback: { port: flags.port === 0 ? PORT : flags.port, host: 'localhost' },
    terminal,
    clock,
    signal,
    command: `tap-jira authorize ${configOptions}`,
    begin: async (address) => {
      callback = address;
      await terminal.say(
        `The app at developer.atlassian.com/console/myapps must have, once:\n\n  Permissions     Jira API: read:jira-work, read:jira-user\n  Authorization   OAuth 2.0 (3LO), Callback URL: ${address}\n\n`,
      );
      return {
        address: loginAddress(credential, { state, verifier, callback }),
        belongs: (query) => query.get('state') === state,
      };
    },
    finish: async (query) => finish(context, credential, grantFor(query, callback, verifier)),
    page: (name) => ({
      tone: 'good',
      title: `Logged in as ${name}`,
      text: `tap-jira may now read what you can see at ${context.config.base_url}, and the token for that is stored.`,
      next: ['Go back to the terminal.', `See whether a run will work: \`tap-jira check ${configOptions}\``],
    }),
  });
  await terminal.say(
    `\nLogged in as ${user}; the token is stored (${store.name}).\nEach run renews it; it ends when no run does for 90 days.\n\nNext, see whether a run will work:\n\n  tap-jira check ${configOptions}\n`,
  );
}

type Login = { readonly state: string; readonly verifier: string; readonly callback: string };

function loginAddress(credential: Oauth2Credential, { state, verifier, callback }: Login): string {
  const query = new URLSearchParams({
    audience: 'api.atlassian.com',
    client_id: credential.client_id,
    scope: SCOPE,
    redirect_uri: callback,
    state,
    response_type: 'code',
    prompt: 'consent',
    code_challenge: createHash('sha256').update(verifier).digest('base64url'),
    code_challenge_method: 'S256',
  });
  return `${credential.auth_url.replace(/\/+$/, '')}/authorize?${String(query)}`;
}

function grantFor(query: URLSearchParams, callback: string, verifier: string): Grant {
  const error = query.get('error');
  if (error === 'access_denied')
    throw configError(
      'somebody chose Cancel at Atlassian, so nothing was stored; run the command again and choose Accept',
      { code: 'DENIED' },
    );
  const code = query.get('code');
  if (error !== null || code === null)
    throw configError(
      `Atlassian ended the login (${error ?? 'no code'}: ${query.get('error_description') ?? 'no reason given'}); check credentials.client_id and the app's permissions`,
      { code: 'AUTH' },
    );
  return { grant_type: 'authorization_code', code, redirect_uri: callback, code_verifier: verifier };
}

/** The token is tried out before it takes the place of one that may still be good. */
async function finish(
  { config, store, clock, log, signal }: AuthorizeContext,
  credential: Oauth2Credential,
  grant: Grant,
): Promise<string> {
  let token = await firstToken({ config, clock, signal }, credential, grant);
  const inHand: CredentialStore = {
    name: 'memory',
    load: async () => ({ refresh_token: token }),
    save: async (members) => void (token = members['refresh_token'] ?? token),
  };
  const { client, close } = await openClient({ config, store: inHand, clock, log, signal });
  try {
    const { user } = await connect(client, clock.now);
    await store.save({ refresh_token: token });
    return user;
  } finally {
    await close();
  }
}

async function firstToken(
  { config, clock, signal }: Pick<AuthorizeContext, 'config' | 'clock' | 'signal'>,
  credential: Oauth2Credential,
  grant: Grant,
): Promise<string> {
  const { send, close } = await openTransport(config);
  try {
    const maxRetryMs = 0; // a code is good once
    const tokens = await exchangeGrant(credential, grant, {
      send,
      clock,
      signal,
      maxRetryMs,
      userAgent: userAgentOf(config),
    });
    if (tokens === 'refused')
      throw configError('Atlassian does not take the code of this login any more; run the command again', {
        code: 'AUTH',
      });
    if (tokens.refreshToken === undefined)
      throw configError(
        'Atlassian gave no refresh token; make the app one of OAuth 2.0 (3LO) with offline_access, and run the command again',
        { code: 'AUTH' },
      );
    return tokens.refreshToken.reveal();
  } finally {
    await close();
  }
}

function random(): string {
  return randomBytes(32).toString('base64url');
}
