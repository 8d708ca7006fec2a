import { configError } from '../../shared/errors.ts';
import { HttpFailure, type HttpResponse, type Send } from '../../shared/http/request.ts';
import { Secret } from '../../shared/secret.ts';
import { oauth1Signer, type Consumer } from '../auth-oauth1.ts';
import type { CredentialMembers } from '../credential-store.ts';
import { errorFor, errorForFailure, isHtml } from '../jira-errors.ts';
import { oauthError, oauthProblemOf } from '../oauth-problem.ts';

/** The two who talk: Jira, and the consumer of one of its incoming application links. */
export type Parties = {
  readonly baseUrl: string;
  readonly consumer: Consumer;
  readonly userAgent: string;
  readonly send: Send;
  readonly now: () => number;
  readonly signal: AbortSignal;
};

/** What a login brings. Instants are milliseconds; a Jira that does not tell one leaves it out. */
export type Tokens = {
  readonly token: Secret;
  readonly tokenSecret: Secret | undefined;
  readonly sessionHandle: Secret | undefined;
  readonly expiresAt: number | undefined;
  readonly sessionExpiresAt: number | undefined;
};

/** The names of the members of `credentials` that a login writes. */
export const TOKEN_MEMBERS = [
  'access_token',
  'access_token_secret',
  'session_handle',
  'expires_at',
  'session_expires_at',
] as const;

/** Asks for a request token; the person who allows it is sent to `callback`, or shown a code if that is `oob`. */
export async function requestToken(parties: Parties, callback: string): Promise<string> {
  const what = 'asking Jira for a request token';
  const answer = await ask(parties, 'request-token', { oauth_callback: callback }, what);
  return answer.get('oauth_token')!;
}

/** Where a person allows or denies the access. */
export function approvalAddress(baseUrl: string, token: string): string {
  return `${servlet(baseUrl, 'authorize')}?oauth_token=${encodeURIComponent(token)}`;
}

/** Exchanges a request token that a person has allowed. */
export async function accessToken(parties: Parties, token: string, verifier: string): Promise<Tokens> {
  const answer = await ask(
    parties,
    'access-token',
    { oauth_token: token, oauth_verifier: verifier },
    'exchanging the approval for an access token',
    'the approval was used before, has expired (it lasts ten minutes) or the code was mistyped; log in once more',
  );
  return tokensOf(answer, parties.now());
}

/** A new access token for an old one, which ends. Nobody has to be there. */
export async function renewedToken(parties: Parties, token: Secret, session: Secret): Promise<Tokens> {
  const answer = await ask(
    parties,
    'access-token',
    { oauth_token: token.reveal(), oauth_session_handle: session.reveal() },
    'renewing the access token',
    'the session has ended, so the token cannot be renewed; run tap-jira authorize --config FILE',
  );
  return tokensOf(answer, parties.now());
}

/** Tokens as the members of `credentials` in which they are kept. */
export function membersOf({ token, tokenSecret, sessionHandle, ...ends }: Tokens): CredentialMembers {
  const instant = (ms: number | undefined): string | undefined =>
    ms === undefined ? undefined : new Date(ms).toISOString();
  const members: Readonly<Record<(typeof TOKEN_MEMBERS)[number], string | undefined>> = {
    access_token: token.reveal(),
    access_token_secret: tokenSecret?.reveal(),
    session_handle: sessionHandle?.reveal(),
    expires_at: instant(ends.expiresAt),
    session_expires_at: instant(ends.sessionExpiresAt),
  };
  return Object.fromEntries(
    Object.entries(members).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
}

function servlet(baseUrl: string, name: string): string {
  return `${baseUrl}/plugins/servlet/oauth/${name}`;
}

async function ask(
  { baseUrl, consumer, userAgent, send, now, signal }: Parties,
  name: string,
  parameters: Readonly<Record<string, string>>,
  what: string,
  deadToken?: string,
): Promise<URLSearchParams> {
  const request = { method: 'POST', url: servlet(baseUrl, name) } as const;
  const headers = {
    accept: 'application/x-www-form-urlencoded',
    'user-agent': userAgent,
    authorization: oauth1Signer(consumer, now)(request, parameters),
  };
  let response: HttpResponse;
  try {
    response = await send({ ...request, headers }, signal);
  } catch (error) {
    throw error instanceof HttpFailure ? errorForFailure(error, what, baseUrl) : error;
  }
  const problem = response.status < 400 ? undefined : oauthProblemOf(response);
  if (problem !== undefined) {
    const context = { what, baseUrl, now: now(), ...(deadToken === undefined ? {} : { deadToken }) };
    throw oauthError(problem, response, context);
  }
  if (response.status === 404)
    throw configError(
      `${what}: ${request.url} does not exist (404); check base_url, context path included. Jira Cloud has no OAuth 1.0a: use an API token there`,
      { code: 'NOT_JIRA' },
    );
  if (response.status !== 200 || isHtml(response)) throw errorFor(response, what, baseUrl, now());
  const answer = new URLSearchParams(response.body.toString('utf8'));
  if ((answer.get('oauth_token') ?? '') === '')
    throw configError(`${what}: ${baseUrl} does not answer like Jira; check base_url`, { code: 'NOT_JIRA' });
  return answer;
}

function tokensOf(answer: URLSearchParams, now: number): Tokens {
  const secret = (name: string): Secret | undefined => {
    const text = answer.get(name) ?? '';
    return text === '' ? undefined : new Secret(text);
  };
  const end = (name: string): number | undefined => {
    const seconds = answer.get(name) ?? '';
    return /^\d{1,12}$/.test(seconds) ? now + Number(seconds) * 1000 : undefined;
  };
  return {
    token: new Secret(answer.get('oauth_token')!),
    tokenSecret: secret('oauth_token_secret'),
    sessionHandle: secret('oauth_session_handle'),
    expiresAt: end('oauth_expires_in'),
    sessionExpiresAt: end('oauth_authorization_expires_in'),
  };
}
