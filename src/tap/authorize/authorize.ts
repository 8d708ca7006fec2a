import { configError } from '../../shared/errors.ts';
import { expectAuthorized, notLoggedIn } from '../auth.ts';
import type { Oauth2Credential } from '../oauth2-token.ts';
import { openClient } from '../open-client.ts';
import { connect } from '../site.ts';
import type { AuthorizeContext } from './context.ts';
import { loginWithOauth1 } from './login-oauth1.ts';
import { loginWithOauth2 } from './login-oauth2.ts';
import type { Oauth1Credential } from './renew-oauth1.ts';
import { lifeOf } from './status.ts';

/** `tap-jira authorize`: a login that needs a person, or how an earlier one is doing. */
export async function authorize(context: AuthorizeContext): Promise<void> {
  const { credentials } = context.config;
  switch (credentials.auth_type) {
    case 'oauth1':
      return context.flags.status
        ? oauth1Status(context, credentials)
        : loginWithOauth1(context, credentials);
    case 'oauth2':
      return context.flags.status
        ? oauth2Status(context, credentials)
        : loginWithOauth2(context, credentials);
    default:
      throw configError(
        `credentials: ${credentials.auth_type} needs no login of this kind; tap-jira check ${context.configOptions} tries it out`,
        { code: 'CONFIG' },
      );
  }
}

/** Says whether Atlassian takes the token, which renews it. */
async function oauth2Status(context: AuthorizeContext, { refresh_token }: Oauth2Credential): Promise<void> {
  const { terminal, clock, store, configOptions } = context;
  if (refresh_token === undefined) throw notLoggedIn(['refresh_token'], configOptions);
  const { client, close } = await openClient(context);
  try {
    const { user } = await connect(client, clock.now);
    await terminal.say(
      `Atlassian takes the token: logged in as ${user}.\nIt was renewed, is stored in ${store.name}, and ends when no run renews it for 90 days.\n`,
    );
  } finally {
    await close();
  }
}

/** Says when the token ends and whether Jira takes it; one that ends soon is renewed as at the start of a run. */
async function oauth1Status(context: AuthorizeContext, credential: Oauth1Credential): Promise<void> {
  const { terminal, clock, store } = context;
  expectAuthorized(credential, context.configOptions);
  const { client, credentials, close } = await openClient(context);
  try {
    if (credentials.auth_type === 'oauth1')
      await terminal.say(`${lifeOf(credentials, clock.now())}\nIt is stored in ${store.name}.\n`);
    const { user } = await connect(client, clock.now);
    await terminal.say(`Jira takes it: logged in as ${user}.\n`);
  } finally {
    await close();
  }
}
