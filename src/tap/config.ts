import { z } from 'zod';
import { secret } from '../shared/config.ts';
import type { Secret } from '../shared/secret.ts';

const text = (title: string, description: string, meta: { readonly examples?: string[] } = {}) =>
  z
    .string()
    .min(1)
    .meta({ title, description, ...meta });

const credential = <T extends string>(authType: T) =>
  z.literal(authType).meta({ title: 'Kind of credential' });

const Credentials = z
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
          description: 'An API token of that account, without scopes.',
        }),
      })
      .meta({ title: 'API token (Cloud)' }),
    z
      .strictObject({
        auth_type: credential('oauth1'),
        consumer_key: text('Consumer key', 'As entered in the incoming application link.', {
          examples: ['OauthKey'],
        }),
        private_key: secret({
          title: 'Private key',
          description: 'The RSA private key, PEM (PKCS#8 or PKCS#1).',
        }),
        access_token: secret({
          title: 'Access token',
          description: 'The result of the three-legged OAuth 1.0a dance.',
        }),
        access_token_secret: secret({
          title: 'Access token secret',
          description: 'Comes with the access token.',
        }).optional(),
        session_handle: secret({
          title: 'Session handle',
          description: 'Comes with the access token; renews it.',
        }).optional(),
      })
      .meta({ title: 'OAuth 1.0a (Data Center)' }),
  ])
  .meta({ title: 'Credentials', description: 'How to log in to Jira.' });

function isBare({ username, password, search, hash }: URL): boolean {
  return [username, password, search, hash].every((part) => part === '');
}

/** The settings of tap-jira: the one declaration that is checked at run time and printed by `--about`. */
export const TapConfig = z.strictObject({
  base_url: z
    .url({
      protocol: /^https?$/,
      error: 'must be the address of Jira, such as https://jira.example.com/jira',
    })
    .refine((text) => !URL.canParse(text) || isBare(new URL(text)), {
      error: 'must have no user name, password, query or fragment; how to log in belongs in credentials',
    })
    .meta({
      title: 'Address of Jira',
      description: 'The address in the browser, context path included, without /rest or /browse.',
      examples: ['https://your-site.atlassian.net', 'https://jira.example.com/jira'],
      order: 0,
    }),
  credentials: Credentials,
  projects: z
    .array(z.string().min(1))
    .min(1)
    .optional()
    .meta({
      title: 'Projects',
      description: 'Keys of the projects to read. Default: every project the user can browse.',
      examples: [['ABC', 'WEB']],
    }),
  start_date: z.iso
    .datetime({ offset: true, error: 'must be an RFC 3339 date-time, such as 2026-01-01T00:00:00Z' })
    .optional()
    .meta({
      title: 'Start date',
      description: 'A project without state is read from here: issues updated since. Default: everything.',
      examples: ['2026-01-01T00:00:00Z'],
    }),
  jql: z
    .string()
    .min(1)
    .refine((jql) => !/\border\s+by\b/i.test(jql.replaceAll(/"[^"]*"|'[^']*'/g, '')), {
      error: 'must be a condition only; the tap orders the issues itself, so remove ORDER BY',
    })
    .optional()
    .meta({
      title: 'JQL condition',
      description: 'Only issues that also fulfil this condition; it is put in parentheses.',
      examples: ['issuetype != Epic'],
    }),
  fields: z.array(z.string().min(1)).min(1).default(['*all']).meta({
    title: 'Fields',
    description: 'Fields to ask for, as in the REST API; updated and created are always added.',
  }),
  round_to: z
    .enum(['minute', 'hour'])
    .default('minute')
    .meta({ title: 'Round to', description: 'A new last_ingest_date is rounded down to this unit.' }),
  overlap_minutes: z.int().min(0).max(10_080).optional().meta({
    title: 'Overlap (minutes)',
    description:
      'How far before last_ingest_date to look again for issues that the search index showed late. Default: 720 on Cloud, 5 on Data Center.',
  }),
  jql_time: z.enum(['epoch_ms', 'user_time_zone']).default('epoch_ms').meta({
    title: 'Times in JQL',
    description:
      'epoch_ms needs no time zone; user_time_zone writes minutes in the zone of the user, for sites that refuse numbers.',
  }),
  page_size: z
    .int()
    .min(1)
    .max(1000)
    .default(100)
    .meta({ title: 'Page size', description: 'Issues per request (Cloud: at most 100).' }),
  pages_per_commit: z.int().min(1).max(10_000).default(4).meta({
    title: 'Pages per commit',
    description: 'A bulk load writes a resumable STATE after this many pages.',
  }),
  concurrency: z
    .int()
    .min(1)
    .max(64)
    .default(5)
    .meta({ title: 'Concurrency', description: 'Requests under way at a time, at most.' }),
  request_timeout_seconds: z.number().min(0.1).max(3600).default(120).meta({
    title: 'Request timeout (seconds)',
    description: 'For one request, from its start to the last byte of the answer.',
  }),
  max_retry_seconds: z.number().min(0).max(86_400).default(600).meta({
    title: 'Retry budget (seconds)',
    description: 'For how long a failing request is tried again before the run gives up.',
  }),
  user_agent: z
    .string()
    .min(1)
    .optional()
    .meta({ title: 'User agent', description: 'Sent with every request.' }),
  ca_file: z.string().min(1).optional().meta({
    title: 'CA file',
    description: 'PEM file of certificate authorities to trust beside the public ones.',
  }),
  proxy_url: z
    .url({
      protocol: /^https?$/,
      error: 'must be the address of a proxy, such as http://proxy.example.com:3128',
    })
    .optional()
    .meta({
      title: 'Proxy',
      description: 'HTTP proxy; default: the environment (HTTPS_PROXY, HTTP_PROXY, NO_PROXY).',
    }),
});

export type Config = z.output<typeof TapConfig>;
export type Credential = Config['credentials'];
export type { Secret };
