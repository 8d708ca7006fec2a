import { html } from './http.ts';
import type { Answer } from './http.ts';
import type { BrowserSession } from './oauth-servlets.ts';
import type { RequestToken } from './oauth.ts';
import type { ServerState } from './state.ts';

const escaped = (text: string): string => text.replaceAll(/[&<>"']/g, (c) => `&#${c.charCodeAt(0)};`);

const hidden = (name: string, value: string): string =>
  `<input type="hidden" name="${name}" value="${escaped(value)}">`;

const page = (title: string, body: string): Answer => ({
  ...html(200, title, ''),
  body: `<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>${escaped(title)} - Jira</title></head><body><h1>${escaped(title)}</h1>${body}</body></html>`,
});

/** Asks who is there. */
export const loginPage = (state: ServerState, destination: string, problem = ''): Answer =>
  page(
    'Welcome to Jira',
    `<p id="problem">${escaped(problem)}</p><form method="post" action="${state.contextPath}/login.jsp">
     <input name="os_username" id="login-form-username"><input type="password" name="os_password" id="login-form-password">
     ${hidden('os_destination', destination)}<button id="login-form-submit">Log In</button></form>`,
  );

/** Asks whether a consumer may act for the user. */
export const questionPage = (
  state: ServerState,
  { consumer, token, decision }: RequestToken,
  { user, proof }: BrowserSession,
): Answer =>
  decision === undefined
    ? page(
        'Allow access?',
        `<p>${escaped(consumer.name)} would like to have read and write access to your data on Jira, ${escaped(user.name)}.</p>
         <form method="post" action="${state.contextPath}/plugins/servlet/oauth/authorize">
         ${hidden('oauth_token', token)}${hidden('atl_token', proof)}
         <button name="approve" id="approve" value="Allow">Allow</button><button name="deny" id="deny" value="Deny">Deny</button></form>`,
      )
    : page('Access already decided', '<p>This request has been answered.</p>');

/** Shows what the user has to carry to the consumer. */
export const verifierPage = ({ consumer }: RequestToken, verifier: string): Answer =>
  verifier === 'denied'
    ? page('Access Denied', `<p>You have denied ${escaped(consumer.name)} access to your data.</p>`)
    : page(
        'Access Approved',
        `<p>You have successfully authorized '${escaped(consumer.name)}'. Your verification code is '<b id="verifier">${verifier}</b>'. You will need to enter this exact text when prompted. You should write this value down before closing the browser window.</p>`,
      );

/** Says what Jira objects to. */
export const errorPage = (status: number, problem: string): Answer => html(status, 'Oops', escaped(problem));
