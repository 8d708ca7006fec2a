import { z } from 'zod';
import { secret } from '../shared/config.ts';

/** A text that is shown. */
export const text = (title: string, description: string, meta: { readonly examples?: string[] } = {}) =>
  z
    .string()
    .min(1)
    .meta({ title, description, ...meta });

const credential = <T extends string>(authType: T) =>
  z.literal(authType).meta({ title: 'Kind of credential', description: 'Which way to log in.' });

const instant = (title: string, description: string) =>
  z.iso
    .datetime({ offset: true, error: 'must be an RFC 3339 date-time, such as 2031-01-01T00:00:00Z' })
    .optional()
    .meta({ title, description });

/** An address that is shown. */
export const address = (title: string, description: string) =>
  z.url({ protocol: /^https?$/, error: 'must be an http or https address' }).meta({ title, description });

/** How to log in: one of several, told apart by `auth_type`. */
export const Credentials = z
  .discriminatedUnion('auth_type', [
    z
      .strictObject({
        auth_type: credential('personal_access_token'),
        token: secret({
          title: 'Token',
          description: 'A personal access token (Data Center 8.14 and later).',
        }),
      })
      .meta({ title: 'Personal access token (Data Center)' }),
    z
      .strictObject({
        auth_type: credential('basic'),
        username: text('User name', 'The name used to log in.'),
        password: secret({
          title: 'Password',
          description: 'A wrong one is never tried twice: Jira would lock the account.',
        }),
      })
      .meta({ title: 'User name and password (Data Center)' }),
    z
      .strictObject({
        auth_type: credential('api_token'),
        email: text('E-mail', 'The address of the Atlassian account.', { examples: ['me@example.com'] }),
        api_token: secret({
          title: 'API token',
          description: 'An API token of that account.',
        }),
        scoped: z.boolean().optional().meta({
          title: 'With scopes',
          description: 'True for an API token with scopes; Atlassian takes it at its gateway only.',
        }),
      })
      .meta({ title: 'API token (Cloud)' }),
    z
      .strictObject({
        auth_type: credential('oauth1'),
        ssm: z.boolean().optional().meta({
          title: 'AWS parameters',
          description:
            'True: everything else is in the parameters jira_access_private_key, jira_access_urls and jira_access_secrets of the AWS Parameter Store.',
        }),
        consumer_key: text('Consumer key', 'As entered in the incoming application link.').default(
          'OauthKey',
        ),
        private_key: secret({
          title: 'Private key',
          description: 'The RSA private key, PEM (PKCS#8 or PKCS#1). tap-jira authorize makes one.',
          multiline: true,
        }).optional(),
        access_token: secret({
          title: 'Access token',
          description: 'The result of the three-legged OAuth 1.0a dance, which tap-jira authorize does.',
        }).optional(),
        access_token_secret: secret({
          title: 'Access token secret',
          description: 'Comes with the access token.',
        }).optional(),
        session_handle: secret({
          title: 'Session handle',
          description: 'Comes with the access token; renews it.',
        }).optional(),
        expires_at: instant('Expiry', 'When the access token ends.'),
        session_expires_at: instant('Expiry of the session', 'Until when the access token can be renewed.'),
      })
      .meta({ title: 'OAuth 1.0a (Data Center)' }),
    z
      .strictObject({
        auth_type: credential('oauth2'),
        client_id: text('Client ID', 'Of an OAuth 2.0 app, from developer.atlassian.com/console/myapps.'),
        client_secret: secret({ title: 'Client secret', description: 'Comes with the client ID.' }),
        refresh_token: secret({
          title: 'Refresh token',
          description:
            'The result of tap-jira authorize. Each use makes a new one, which is stored in its place.',
        }).optional(),
        auth_url: address('Address of the login', 'Where tokens are given out.').default(
          'https://auth.atlassian.com',
        ),
      })
      .meta({ title: 'OAuth 2.0 (Cloud)' }),
    z
      .strictObject({
        auth_type: credential('service_account'),
        token: secret({ title: 'API token', description: 'An API token of the service account.' }),
      })
      .meta({ title: 'Service account (Cloud)' }),
  ])
  .meta({ title: 'Credentials', description: 'How to log in to Jira.' });
