import { acceptsJson, html, json } from './http.ts';
import type { Answer, JiraRequest } from './http.ts';
import type { JiraUser, Login, ServerState } from './state.ts';

const realm = (state: ServerState): string => `OAuth realm="${encodeURIComponent(state.base)}"`;

const FAILED = { 'X-Seraph-LoginReason': 'AUTHENTICATED_FAILED' };
const REASON = 'Basic Authentication Failure - Reason : ';

/** Data Center's answer to a wrong password. */
const wrongPassword = (state: ServerState): Answer =>
  html(401, 'Unauthorized', `${REASON}AUTHENTICATED_FAILED`, { ...FAILED, 'WWW-Authenticate': realm(state) });

/** Data Center's answer, to the right password too, after three wrong ones. */
const captcha = (state: ServerState): Answer =>
  html(403, 'Forbidden', `${REASON}AUTHENTICATION_DENIED`, {
    ...FAILED,
    'X-Authentication-Denied-Reason': `CAPTCHA_CHALLENGE; login-url=${state.base}/login.jsp`,
    'WWW-Authenticate': realm(state),
  });

/** The answer of an operation that nobody may use without logging in. */
export const loginRequired = (state: ServerState, request: JiraRequest): Answer => {
  const text = 'Client must be authenticated to access this resource.';
  const headers = { 'WWW-Authenticate': realm(state) };
  if (state.flavour === 'datacenter') return json({ message: text, 'status-code': 401 }, 401, headers);
  // Plain text whatever the content type says.
  const type = acceptsJson(request) ? 'application/json' : 'text/html;charset=UTF-8';
  return { status: 401, headers: { ...headers, 'Content-Type': type }, body: text };
};

const basicPair = (credentials: string): [string, string] => {
  const text = Buffer.from(credentials, 'base64').toString();
  const colon = text.indexOf(':');
  return colon < 0 ? [text, ''] : [text.slice(0, colon), text.slice(colon + 1)];
};

const basic = (state: ServerState, name: string, secret: string): Login => {
  const cloud = state.flavour === 'cloud';
  const user = state.users.find((user) => name === (cloud ? user.email : user.name));
  const failures = state.failures.get(name) ?? 0;
  if (!cloud && failures >= 3) {
    state.loginFailures += 1;
    return { refusal: captcha(state) };
  }
  const expected = cloud ? user?.apiToken : user?.password;
  if (user !== undefined && expected !== undefined && secret === expected) {
    state.failures.delete(name);
    return { user, headers: cloud ? {} : { 'X-Seraph-LoginReason': 'OK' } };
  }
  state.loginFailures += 1;
  state.failures.set(name, failures + 1);
  // Cloud goes on as if nobody had asked; only a header tells.
  return cloud ? { headers: FAILED } : { refusal: wrongPassword(state) };
};

const bearer = (state: ServerState, token: string): Login => {
  const user = state.users.find((user) => user.token !== undefined && user.token === token);
  const gateway = state.contextPath.startsWith('/ex/jira/');
  if (user !== undefined && (state.flavour === 'datacenter' || gateway)) return { user };
  state.loginFailures += 1;
  if (state.flavour === 'datacenter') return {};
  if (gateway) return { refusal: json({ code: 401, message: 'Unauthorized' }, 401) };
  return { refusal: json({ error: 'Failed to parse Connect Session Auth Token' }, 403) };
};

const identify = (state: ServerState, request: JiraRequest): Login => {
  const [scheme, credentials] = (request.headers.authorization ?? '').split(' ', 2);
  switch (scheme?.toLowerCase()) {
    case 'basic':
      return basic(state, ...basicPair(credentials ?? ''));
    case 'bearer':
      return bearer(state, credentials ?? '');
    case 'oauth':
      return state.flavour === 'datacenter' ? state.oauth.login(request) : {};
    default:
      return {};
  }
};

/** Finds out who sends a request, with the server's own ways where the test brings none. */
export const authenticate = async (state: ServerState, request: JiraRequest): Promise<Login> => {
  const given = await state.options.authenticate?.(request);
  const login = given ?? identify(state, request);
  if (state.anonymousRequests === 0) return login;
  state.anonymousRequests -= 1;
  return {};
};

/** Headers that say who the server thinks is asking. */
export const identityHeaders = (
  state: ServerState,
  user: JiraUser | undefined,
  number: number,
): Record<string, string> => {
  if (state.flavour === 'datacenter')
    return {
      'X-AREQUESTID': `${number}x1`,
      'X-ANODEID': `node${1 + (number % (state.options.nodes ?? 1))}`,
      'X-AUSERNAME': user === undefined ? 'anonymous' : encodeURIComponent(user.name),
      'Set-Cookie': `JSESSIONID=S${number}; Path=${state.contextPath || '/'}; HttpOnly`,
    };
  const account = user && accountOf(state, user);
  return {
    Server: 'AtlassianEdge',
    ...(account && { 'X-AACCOUNTID': encodeURIComponent(account) }),
  };
};

/** A user's account id on Cloud. */
export const accountOf = (state: ServerState, user: JiraUser): string =>
  user.accountId ?? state.site.people.get(user.name)?.accountId ?? `712020:${user.name}`;
