import { configError, type ConnectorError } from '../../shared/errors.ts';
import { Secret } from '../../shared/secret.ts';
import { readPrivateKey } from '../auth-oauth1.ts';
import { siteAddress } from '../client.ts';
import type { CredentialMembers } from '../credential-store.ts';
import { openClient, openTransport, userAgentOf } from '../open-client.ts';
import { connect } from '../site.ts';
import { linkInstructions, newPrivateKey } from './application-link.ts';
import { loginInBrowser } from './browser-login.ts';
import type { AuthorizeContext } from './context.ts';
import {
  accessToken,
  approvalAddress,
  membersOf,
  requestToken,
  TOKEN_MEMBERS,
  type Parties,
} from './oauth1-tokens.ts';
import { withMembers, type Oauth1Credential } from './renew-oauth1.ts';
import { lifeOf } from './status.ts';

/**
 * The three-legged dance of OAuth 1.0a, from no key at all to tokens that are tried out and stored. Ends early, and
 * says what is next, when somebody has to make the application link first.
 */
export async function loginWithOauth1(context: AuthorizeContext, given: Oauth1Credential): Promise<void> {
  const { config, store, terminal, flags, configOptions } = context;
  const isNew = given.private_key === undefined;
  if (!flags.keygen || isNew)
    await store.expectWritable?.([...(isNew ? ['private_key'] : []), ...(flags.keygen ? [] : TOKEN_MEMBERS)]);
  const credential = { ...given, private_key: given.private_key ?? new Secret(newPrivateKey()) };
  const key = readPrivateKey(credential.private_key.reveal());
  if (isNew) {
    await store.save({ private_key: credential.private_key.reveal() });
    await terminal.say(`A new RSA key pair was made, and its private half is stored (${store.name}).\n\n`);
  }
  if (isNew || flags.keygen) {
    await terminal.say(linkInstructions(config.base_url, credential.consumer_key, key));
    if (flags.keygen || !terminal.interactive)
      return terminal.say(`\nWhen that is done, log in:\n\n  tap-jira authorize ${configOptions}\n`);
    await terminal.ask('\nPress Enter when the link is saved. ', context.signal);
  }

  const { send, close } = await openTransport(config);
  try {
    const parties: Parties = {
      baseUrl: siteAddress(config.base_url),
      consumer: { consumerKey: credential.consumer_key, key },
      userAgent: userAgentOf(config),
      send,
      now: context.clock.now,
      signal: context.signal,
    };
    const { user, members } = flags.oob
      ? await withCode(context, credential, parties)
      : await withBrowser(context, credential, parties);
    const life = lifeOf(withMembers(credential, members), context.clock.now());
    await terminal.say(
      `\nLogged in as ${user}; the token is stored (${store.name}).\n${life}\n\nNext, see whether a run will work:\n\n  tap-jira check ${configOptions}\n`,
    );
  } finally {
    await close();
  }
}

type Login = { readonly user: string; readonly members: CredentialMembers };

async function withBrowser(
  context: AuthorizeContext,
  credential: Oauth1Credential,
  parties: Parties,
): Promise<Login> {
  const { flags, terminal, clock, signal, configOptions } = context;
  let token = '';
  return loginInBrowser({
    callback: { port: flags.port },
    terminal,
    clock,
    signal,
    command: `tap-jira authorize ${configOptions}`,
    begin: async (callback) => {
      token = await requestToken(parties, callback);
      const belongs = (query: URLSearchParams): boolean =>
        query.get('oauth_token') === token || (!query.has('oauth_token') && query.has('oauth_problem'));
      return { address: approvalAddress(parties.baseUrl, token), belongs };
    },
    finish: async (query) => {
      const verifier = query.get('oauth_verifier') ?? 'denied';
      if (verifier === 'denied') throw denied();
      return finish(context, credential, parties, token, verifier);
    },
    page: ({ user }) => ({
      tone: 'good',
      title: `Logged in as ${user}`,
      text: `tap-jira may now read what you can see at ${parties.baseUrl}, and the token for that is stored.`,
      next: [
        'Go back to the terminal.',
        `See whether a run will work: \`tap-jira check ${configOptions}\``,
        `Then copy your issues: \`tap-jira ${configOptions} | target-s3 --config target.json > state.jsonl\``,
      ],
    }),
  });
}

async function withCode(
  context: AuthorizeContext,
  credential: Oauth1Credential,
  parties: Parties,
): Promise<Login> {
  const { terminal, signal } = context;
  const token = await requestToken(parties, 'oob');
  await terminal.say(
    `Open this address in a browser, on any machine; log in to Jira there and choose Allow:\n\n  ${approvalAddress(parties.baseUrl, token)}\n\n`,
  );
  const typed = await terminal.ask('The verification code that Jira shows then: ', signal);
  // Jira shows it in quotes, with a full stop behind.
  const code = typed?.replaceAll(/^['"\s]+|['".\s]+$/g, '') ?? '';
  if (code === '')
    throw configError('no verification code was given, so nothing was stored; run the command again', {
      code: 'AUTH',
    });
  return finish(context, credential, parties, token, code);
}

/** The token is tried out before it takes the place of one that may still be good. */
async function finish(
  { config, store, clock, log, signal }: AuthorizeContext,
  credential: Oauth1Credential,
  parties: Parties,
  token: string,
  verifier: string,
): Promise<Login> {
  const members = membersOf(await accessToken(parties, token, verifier));
  const credentials = withMembers(credential, members);
  const { client, close } = await openClient({ config: { ...config, credentials }, clock, log, signal });
  try {
    const { user } = await connect(client, clock.now);
    await store.save(members);
    return { user, members };
  } finally {
    await close();
  }
}

function denied(): ConnectorError {
  return configError(
    'somebody chose Deny in Jira, so nothing was stored; run the command again and choose Allow',
    { code: 'DENIED' },
  );
}
