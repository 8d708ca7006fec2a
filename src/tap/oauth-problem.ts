import { configError, type ConnectorError } from '../shared/errors.ts';
import type { HttpResponse } from '../shared/http/request.ts';

/** A refusal in the words of OAuth 1.0a's problem reporting; the members are named as Jira names them. */
export type OauthProblem = ReadonlyMap<string, string>;

/** What Jira objects to in an OAuth 1.0a request, from the header or the form in the body of its answer. */
export function oauthProblemOf({ headers, body }: HttpResponse): OauthProblem | undefined {
  const text = `${headers.get('www-authenticate') ?? ''}\n${body.toString('latin1', 0, 65_536)}`;
  const found = new Map<string, string>();
  for (const [, name, quoted, bare] of text.matchAll(/\b(oauth_\w+)=(?:"([^"]*)"|([^"&\s<,]*))/g))
    found.set(name!, decoded(quoted ?? bare ?? ''));
  return found.has('oauth_problem') ? found : undefined;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    return text;
  }
}

export type ProblemContext = {
  /** Names the request for a person. */
  readonly what: string;
  readonly baseUrl: string;
  /** This machine's clock when the answer came. */
  readonly now: number;
  /** What a token that Jira does not take means at this request; default: that it is not valid any more. */
  readonly deadToken?: string;
};

/** The error for a refused OAuth 1.0a request: what is wrong, and what to do. The base string Jira echoes stays out. */
export function oauthError(
  problem: OauthProblem,
  response: HttpResponse,
  context: ProblemContext,
): ConnectorError {
  const name = /^[a-z_]{1,60}/.exec(problem.get('oauth_problem')!)?.[0] ?? 'unknown';
  const advice = adviceFor(name, problem, response, context);
  return configError(`${context.what}: Jira rejected the OAuth 1.0a request: ${name}; ${advice}`, {
    code: DENIALS.has(name) ? 'DENIED' : 'AUTH',
  });
}

/** The words for "no" of the person who was asked. */
const DENIALS: ReadonlySet<string> = new Set(['permission_denied', 'user_refused']);

const AUTHORIZE = 'run tap-jira authorize --config FILE again';
const KEYGEN =
  'tap-jira authorize --config FILE --keygen prints what belongs into the incoming application link';

function adviceFor(
  name: string,
  problem: OauthProblem,
  response: HttpResponse,
  { baseUrl, now, deadToken }: ProblemContext,
): string {
  switch (name) {
    case 'timestamp_refused':
      return clockAdvice(serverTime(problem, response), now);
    case 'nonce_used':
      return 'a proxy between here and Jira repeated the request; have it pass POST and GET on once only';
    case 'consumer_key_unknown':
      return `no incoming application link of this Jira has the consumer key in credentials.consumer_key; ${KEYGEN}`;
    case 'consumer_key_rejected':
    case 'consumer_key_refused':
      return 'the application link is there but not enabled for this; enable incoming authentication (OAuth) in it';
    case 'signature_invalid':
      return signatureAdvice(problem.get('oauth_signature_base_string'), baseUrl);
    case 'signature_method_rejected':
    case 'version_rejected':
      return 'this application link does not take OAuth 1.0a with RSA-SHA1; make it anew as an incoming link with a public key';
    case 'token_rejected':
    case 'token_used':
      return deadToken ?? `the access token is not valid (any more); ${AUTHORIZE}`;
    case 'token_expired':
      return deadToken ?? `the access token has expired; ${AUTHORIZE}`;
    case 'token_revoked':
      return `the access token was revoked, perhaps in the user's profile under Authorized Applications; ${AUTHORIZE}`;
    case 'permission_denied':
    case 'user_refused':
      return `somebody chose Deny, or the user may not use this application link; ${AUTHORIZE} and choose Allow`;
    case 'permission_unknown':
    case 'additional_authorization_required':
      return `nobody has allowed this token yet; ${AUTHORIZE}`;
    case 'parameter_absent':
    case 'parameter_rejected':
      return 'a proxy between here and Jira takes something out of the Authorization header; have it pass that header on';
    default:
      return 'look at the incoming application link in Jira (Administration > Applications > Application links)';
  }
}

function serverTime(problem: OauthProblem, { headers }: HttpResponse): number | undefined {
  const date = Date.parse(headers.get('date') ?? '');
  if (!Number.isNaN(date)) return date;
  const [, from, to] = /^(\d+)-(\d+)$/.exec(problem.get('oauth_acceptable_timestamps') ?? '') ?? [];
  return from === undefined ? undefined : ((Number(from) + Number(to)) / 2) * 1000;
}

const WINDOW_SECONDS = 300;

function clockAdvice(server: number | undefined, now: number): string {
  const set = 'set the clock of this machine right (NTP)';
  if (server === undefined) return `the clocks differ by more than five minutes; ${set}`;
  const seconds = Math.round((now - server) / 1000);
  const apart = Math.abs(seconds);
  if (apart < WINDOW_SECONDS)
    return `yet the clocks differ by ${apart} s only; have the clocks of Jira's nodes set right`;
  const said = `the clock of this machine is ${duration(apart)} ${seconds < 0 ? 'behind' : 'ahead of'} Jira's`;
  return `${said}, and five minutes is the most that Jira takes; ${set}, or Jira's`;
}

function duration(seconds: number): string {
  const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60];
  return hours > 0 ? `${hours} h ${minutes} min` : `${minutes} min ${seconds % 60} s`;
}

/** Of the base string only the address is looked at: it says under which one Jira believes to have been asked. */
function signatureAdvice(baseString: string | undefined, baseUrl: string): string {
  const wrongKey = `credentials.private_key does not belong to the public key in the application link; ${KEYGEN}`;
  const address = addressIn(baseString);
  if (address === undefined)
    return `either ${wrongKey}; or a proxy changes scheme, host or port on the way to Jira`;
  if (`${address}/`.startsWith(`${baseUrl}/`)) return wrongKey;
  return `Jira believes that it was asked for ${address}, because a proxy changes scheme, host or port; give the proxy's to Jira (scheme, proxyName and proxyPort of the connector in its server.xml), or set base_url to an address without that proxy`;
}

function addressIn(baseString: string | undefined): string | undefined {
  const address = decoded(/^[A-Z]+&([^&]+)&/.exec(baseString ?? '')?.[1] ?? '');
  return /^https?:/.test(address) && URL.canParse(address) ? address : undefined;
}
