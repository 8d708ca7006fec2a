/**
 * What a token needs for each request of a run: a classic scope, or all of the granular ones. From Atlassian's
 * description of the REST API.
 */
const NEEDED: readonly (readonly [path: RegExp, classic: string, granular: readonly string[]])[] = [
  [
    /\/myself$/,
    'read:jira-user',
    ['read:user:jira', 'read:group:jira', 'read:application-role:jira', 'read:avatar:jira'],
  ],
  [
    /\/project\//,
    'read:jira-work',
    [
      'read:project:jira',
      'read:project.property:jira',
      'read:project.component:jira',
      'read:project-category:jira',
      'read:project-version:jira',
      'read:issue-type:jira',
      'read:issue-type-hierarchy:jira',
      'read:user:jira',
      'read:group:jira',
      'read:application-role:jira',
      'read:avatar:jira',
    ],
  ],
  [
    /\/search/,
    'read:jira-work',
    [
      'read:issue-details:jira',
      'read:field:jira',
      'read:field.default-value:jira',
      'read:field.option:jira',
      'read:group:jira',
    ],
  ],
  [
    /\/comment$/,
    'read:jira-work',
    [
      'read:comment:jira',
      'read:comment.property:jira',
      'read:group:jira',
      'read:project:jira',
      'read:project-role:jira',
      'read:user:jira',
      'read:avatar:jira',
    ],
  ],
  [
    /\/worklog$/,
    'read:jira-work',
    [
      'read:issue-worklog:jira',
      'read:issue-worklog.property:jira',
      'read:group:jira',
      'read:project-role:jira',
      'read:user:jira',
      'read:avatar:jira',
    ],
  ],
  [
    /\/changelog/,
    'read:jira-work',
    ['read:issue-meta:jira', 'read:issue.changelog:jira', 'read:avatar:jira'],
  ],
  [
    /\/issue\//,
    'read:jira-work',
    [
      'read:issue:jira',
      'read:issue-meta:jira',
      'read:issue-security-level:jira',
      'read:issue.vote:jira',
      'read:issue.changelog:jira',
      'read:status:jira',
      'read:field-configuration:jira',
      'read:user:jira',
      'read:avatar:jira',
    ],
  ],
];

/** The scopes that a request at this address needs, in words. */
export function scopesFor(url: string): string {
  const { pathname } = new URL(url);
  const row = NEEDED.find(([path]) => path.test(pathname));
  if (row === undefined) return 'read:jira-work and read:jira-user';
  const [, classic, granular] = row;
  return `${classic} (or all of the granular ${granular.join(' ')})`;
}
