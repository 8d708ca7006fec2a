import { randomBytes } from 'node:crypto';
import type { Answer, JiraRequest } from './http.ts';
import { errorPage, loginPage, questionPage, verifierPage } from './oauth-pages.ts';
import { OAuthRefusal } from './oauth.ts';
import type { AccessToken } from './oauth.ts';
import type { JiraUser, ServerState } from './state.ts';

/** Somebody who is logged in with a browser; `proof` keeps other pages from answering for him. */
export type BrowserSession = { readonly user: JiraUser; readonly proof: string };

const COOKIE = 'jira.session';

const form = (values: Readonly<Record<string, string>>): Answer => ({
  status: 200,
  headers: { 'Content-Type': 'text/plain;charset=UTF-8' },
  body: String(new URLSearchParams(values)),
});

const redirect = (location: string, headers: Answer['headers'] = {}): Answer => ({
  status: 302,
  headers: { Location: location, ...headers },
  body: '',
});

const sessionOf = (state: ServerState, request: JiraRequest): BrowserSession | undefined => {
  const id = new RegExp(`${COOKIE}=([\\w-]+)`).exec(request.headers.cookie ?? '')?.[1];
  return id === undefined ? undefined : state.browserSessions.get(id);
};

const requestToken = (state: ServerState, request: JiraRequest): Answer => {
  const { consumer, given } = state.oauth.verified(request);
  const callback = given.get('oauth_callback');
  if (callback === undefined)
    throw new OAuthRefusal('parameter_absent', { oauth_parameters_absent: 'oauth_callback' });
  const { token } = state.oauth.ask(consumer, callback);
  return form({ oauth_token: token, oauth_token_secret: 'unused', oauth_callback_confirmed: 'true' });
};

const tokenAnswer = (state: ServerState, { token, ends, session }: AccessToken): Answer => {
  const secondsTo = (ms: number): string => String(Math.round((ms - state.site.now()) / 1000));
  return form({
    oauth_token: token,
    oauth_token_secret: randomBytes(8).toString('hex'),
    oauth_expires_in: secondsTo(ends),
    oauth_session_handle: session.handle,
    oauth_authorization_expires_in: secondsTo(session.ends),
  });
};

const accessToken = (state: ServerState, request: JiraRequest): Answer => {
  const { consumer, given } = state.oauth.verified(request);
  const token = given.get('oauth_token') ?? '';
  const handle = given.get('oauth_session_handle');
  return tokenAnswer(
    state,
    handle === undefined
      ? state.oauth.exchange(consumer, token, given.get('oauth_verifier'))
      : state.oauth.renew(consumer, token, handle),
  );
};

const login = (state: ServerState, request: JiraRequest): Answer => {
  const asked = new URLSearchParams(request.method === 'POST' ? request.body : request.query);
  const destination = asked.get('os_destination') ?? '/';
  if (request.method !== 'POST') return loginPage(state, destination);
  const user = state.users.find(({ name }) => name === asked.get('os_username'));
  if (user?.password === undefined || user.password !== asked.get('os_password'))
    return loginPage(state, destination, 'Sorry, your username and password are incorrect.');
  const [id, proof] = [randomBytes(12).toString('hex'), randomBytes(12).toString('hex')];
  state.browserSessions.set(id, { user, proof });
  const cookie = `${COOKIE}=${id}; Path=${state.contextPath || '/'}; HttpOnly`;
  return redirect(state.contextPath + destination, { 'Set-Cookie': cookie });
};

const authorize = (state: ServerState, request: JiraRequest): Answer => {
  const asked = new URLSearchParams(request.method === 'POST' ? request.body : request.query);
  const session = sessionOf(state, request);
  if (session === undefined) {
    const destination = `${request.route}?${request.query.toString()}`;
    return redirect(
      `${state.contextPath}/login.jsp?${new URLSearchParams({ os_destination: destination }).toString()}`,
    );
  }
  const open = state.oauth.openRequest(asked.get('oauth_token') ?? '');
  if (request.method !== 'POST' || open.decision !== undefined) return questionPage(state, open, session);
  if (asked.get('atl_token') !== session.proof) return errorPage(403, 'XSRF Security Token Missing');
  const verifier = state.oauth.decide(open, asked.has('approve') ? session.user : undefined);
  if (open.callback === 'oob') return verifierPage(open, verifier);
  const back = new URL(open.callback);
  back.searchParams.set('oauth_token', open.token);
  back.searchParams.set('oauth_verifier', verifier);
  return redirect(back.href);
};

/** Answers what a browser or a consumer asks outside the REST API while somebody logs in; else undefined. */
export const oauthServlet = (state: ServerState, request: JiraRequest): Answer | undefined => {
  if (state.flavour !== 'datacenter') return undefined;
  try {
    switch (request.route) {
      case '/plugins/servlet/oauth/request-token':
        return requestToken(state, request);
      case '/plugins/servlet/oauth/access-token':
        return accessToken(state, request);
      case '/plugins/servlet/oauth/authorize':
        return authorize(state, request);
      case '/login.jsp':
        return login(state, request);
      default:
        return undefined;
    }
  } catch (error) {
    const refusal = state.oauth.refusal(error);
    return request.route.endsWith('/authorize') ? errorPage(401, (error as Error).message) : refusal;
  }
};
