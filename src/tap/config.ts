import { z } from 'zod';
import { remember, Secret } from '../shared/secret.ts';
import { address, Credentials, text } from './config-credentials.ts';

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
  cloud_id: text(
    'Cloud ID',
    'Of the site, for credentials that go through the gateway. Default: looked up by base_url.',
    { examples: ['11223344-a1b2-3b33-c444-def123456789'] },
  ).optional(),
  gateway_url: address(
    'Address of the gateway',
    "Atlassian's, for oauth2, service_account and API tokens with scopes.",
  ).default('https://api.atlassian.com'),
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
  fields: z
    .array(z.string().min(1))
    .min(1)
    .default(['*all'])
    .meta({
      title: 'Fields',
      description: 'Fields to ask for, as in the REST API; updated and created are always added.',
      examples: [['summary', 'status', 'assignee']],
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
  ca_file: z
    .string()
    .min(1)
    .optional()
    .meta({
      title: 'CA file',
      description: 'PEM file of certificate authorities to trust beside the public ones.',
      examples: ['/etc/ssl/company-ca.pem'],
    }),
  proxy_url: z
    .url({
      protocol: /^https?$/,
      error: 'must be the address of a proxy, such as http://proxy.example.com:3128',
    })
    .transform(secretAddress)
    .optional()
    .meta({
      title: 'Proxy',
      description:
        'HTTP proxy, with user name and password if it wants them; default: the environment (HTTPS_PROXY, HTTP_PROXY, NO_PROXY).',
      examples: ['http://proxy.example.com:3128'],
      airbyte_secret: true,
    }),
});

/** An address that may have a password in it, which is a secret by itself as well. */
function secretAddress(text: string): Secret {
  const { password } = new URL(text);
  for (const form of new Set([password, decoded(password)])) remember(form);
  return new Secret(text);
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

export type Config = z.output<typeof TapConfig>;
export type Credential = Config['credentials'];
export type { Secret };
