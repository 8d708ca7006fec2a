import { stringOf, type JsonObject } from '../shared/json/value.ts';
import type { CredentialMembers } from './credential-store.ts';

/** The three parameters that the AWS blog post "Ingesting Jira data into Amazon S3" makes. */
const KEY = 'ssm:jira_access_private_key';
const URLS = 'ssm:jira_access_urls';
const SECRETS = 'ssm:jira_access_secrets';

/** Where the post keeps addresses from which that of Jira follows. */
export const URLS_OF_POST = ['data_url', 'request_token_url', 'access_token_url'].map(
  (key) => `${URLS}#${key}`,
);

const BESIDE_TOKEN: Readonly<Record<string, readonly string[]>> = {
  oauth1: ['access_token_secret', 'session_handle', 'expires_at', 'session_expires_at'],
};

/** Whether the credentials are those of the blog post. */
export function areOfPost({ auth_type, ssm }: JsonObject): boolean {
  return auth_type === 'oauth1' && ssm === true;
}

/**
 * Credentials with the references that they leave unsaid: with `"ssm": true` those of the blog post, and beside an
 * access token that AWS keeps under a JSON key, the other members that a login brings.
 */
export function withImpliedReferences(credentials: JsonObject): JsonObject {
  const given: JsonObject = areOfPost(credentials)
    ? {
        private_key: KEY,
        consumer_key: `${URLS}#consumer_key`,
        access_token: `${SECRETS}#access_token`,
        ...credentials,
      }
    : credentials;
  const { auth_type, access_token } = given;
  const [, place] = /^((?:ssm|secretsmanager):[^#]+)#/.exec(stringOf(access_token)) ?? [];
  if (place === undefined) return given;
  const members = BESIDE_TOKEN[stringOf(auth_type)] ?? [];
  return { ...Object.fromEntries(members.map((name) => [name, `${place}#${name}`])), ...given };
}

/**
 * Members as the post's notebook leaves them: its `access_token` is all that Jira answered, as a form
 * (`oauth_token=...&oauth_token_secret=...`), as JSON or as Python prints it, and a key may have `\n` for its lines.
 */
export function readAsInPost(members: CredentialMembers): CredentialMembers {
  const { access_token: answer = '', private_key: key } = members;
  const token = partOf(answer, 'oauth_token');
  const tokenSecret = partOf(answer, 'oauth_token_secret');
  return {
    ...members,
    ...(key === undefined ? {} : { private_key: key.replaceAll('\\n', '\n') }),
    ...(token === undefined ? {} : { access_token: token }),
    ...(tokenSecret === undefined ? {} : { access_token_secret: tokenSecret }),
  };
}

function partOf(answer: string, name: string): string | undefined {
  const quoted = new RegExp(`b?(['"])${name}\\1\\s*:\\s*b?(['"])(.+?)\\2`).exec(answer)?.[3];
  return quoted ?? new URLSearchParams(answer.replaceAll(/^b?['"]|['"]$/g, '')).get(name) ?? undefined;
}

/** Jira's own address, from that of one of its pages. */
export function siteOf(address: string): string {
  return address.replace(/\/(rest|plugins\/servlet\/oauth)\/.*$/s, '');
}
