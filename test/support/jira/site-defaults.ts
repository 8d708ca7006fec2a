import type { Fields, History, Person } from './model.ts';
import { Special } from './model.ts';
import { link } from './values.ts';

const freeze = <T extends object>(value: T): T => Object.freeze(value);

/** A status with its category. */
export const statusOf = (id: string, name: string, category: 'new' | 'indeterminate' | 'done'): object => {
  const categoryId = { new: 2, indeterminate: 4, done: 3 }[category];
  const self = link(`statuscategory/${categoryId}`);
  const statusCategory = { self, id: categoryId, key: category, colorName: 'blue-gray', name: category };
  return freeze({ self: link(`status/${id}`), description: '', name, id, statusCategory });
};

/** An issue type. */
export const typeOf = (id: string, name: string, subtask = false): object =>
  freeze({ self: link(`issuetype/${id}`), id, description: '', name, subtask, avatarId: 10_318 });

/** A priority. */
export const priorityOf = (id: string, name: string): object =>
  freeze({ self: link(`priority/${id}`), iconUrl: `/images/icons/priorities/${id}.svg`, name, id });

/** The fields that an issue gets when a test does not care. */
export const DEFAULT_FIELDS: Fields = freeze({
  summary: 'Something is to be done',
  issuetype: typeOf('10001', 'Task'),
  status: statusOf('10000', 'To Do', 'new'),
  priority: priorityOf('3', 'Medium'),
  resolution: null,
  labels: freeze([]),
});

/** The system's fields and their names. */
export const FIELD_NAMES: readonly [string, string][] = [
  ['summary', 'Summary'],
  ['issuetype', 'Issue Type'],
  ['status', 'Status'],
  ['priority', 'Priority'],
  ['resolution', 'Resolution'],
  ['labels', 'Labels'],
  ['project', 'Project'],
  ['created', 'Created'],
  ['updated', 'Updated'],
  ['comment', 'Comment'],
  ['worklog', 'Log Work'],
  ['description', 'Description'],
  ['assignee', 'Assignee'],
  ['reporter', 'Reporter'],
];

const newPerson = (name: string, displayName: string, number: number): [string, Person] => [
  name,
  {
    name,
    key: `JIRAUSER101${String(number).padStart(2, '0')}`,
    accountId: `712020:0a1b2c3d-0000-4000-8000-0000000000${String(number).padStart(2, '0')}`,
    displayName,
    email: `${name}@example.com`,
    active: true,
    timeZone: 'Etc/UTC',
  },
];

/** People whom every site has. */
export const PEOPLE: readonly [string, Person][] = [
  newPerson('ada', 'Ada Lindqvist', 1),
  newPerson('bruno', 'Bruno Okafor', 2),
  newPerson('chiara', 'Chiara Nakamura-Šimić', 3),
  newPerson('dmitri', 'Dmitri Haddad', 4),
  newPerson('eun', 'Eun-ji Park 박은지', 5),
  newPerson('robot', 'Build Robot 🤖', 6),
];

/** What JQL and the changelog show of a value. */
export const plainText = (value: unknown): string | null => {
  if (value instanceof Special) return plainText(value.plain);
  if (value === null || value === undefined) return null;
  if (typeof value !== 'object') return JSON.stringify(value).replaceAll('"', '');
  const named = value as { name?: unknown; value?: unknown };
  if (typeof named.name === 'string') return named.name;
  return typeof named.value === 'string' ? named.value : JSON.stringify(value);
};

/** The history entry of an edit. */
export const historyOf = (
  id: string,
  author: string,
  created: number,
  old: Fields,
  patch: Fields,
): History => ({
  id,
  author,
  created,
  items: Object.keys(patch).map((field) => ({
    field,
    from: null,
    fromText: plainText(old[field]),
    to: null,
    toText: plainText(patch[field]),
  })),
});
