import type { Compiled, Plan } from './jql.ts';
import type { SortKey } from './jql-parse.ts';
import { compareKeys, dataOf } from './model.ts';
import type { Issue } from './model.ts';
import { plainText } from './site-defaults.ts';
import type { ProjectRows, SearchIndex } from './site-index.ts';
import type { Site } from './site.ts';

/** The rows a query names: how many, and any stretch of them. */
export type Found = {
  readonly total: number;
  readonly slice: (from: number, count: number) => readonly Issue[];
};

const mix = (id: string, salt: number): number => {
  let hash = salt | 0;
  for (let at = 0; at < id.length; at += 1) hash = Math.imul(hash ^ id.charCodeAt(at), 0x01000193);
  return hash ^ (hash >>> 15);
};

const comparator = (order: readonly SortKey[], index: SearchIndex, salt: number) => {
  const keys = order.length === 0 ? [{ field: 'key', direction: 'desc' as const }] : order;
  const compareBy = (field: string, a: Issue, b: Issue): number => {
    if (field === 'updated' || field === 'created') return index.floor(a[field]) - index.floor(b[field]);
    if (field === 'key') return compareKeys(a, b);
    const [left, right] =
      field === 'project'
        ? [a.projectKey, b.projectKey]
        : [plainText(dataOf(a).fields[field]) ?? '', plainText(dataOf(b).fields[field]) ?? ''];
    return left < right ? -1 : Number(left > right);
  };
  return (a: Issue, b: Issue): number => {
    for (const { field, direction } of keys) {
      const result = compareBy(field, a, b);
      // Without a direction dates are newest first, as in Jira.
      const down =
        direction === undefined ? field === 'updated' || field === 'created' : direction === 'desc';
      if (result !== 0) return down ? -result : result;
    }
    // Jira breaks ties by the place in the index, which differs between nodes and changes with time.
    return mix(a.id, salt) - mix(b.id, salt);
  };
};

type Stretch = { readonly items: readonly Issue[]; readonly from: number; readonly to: number };

/** The part of a project's rows that lies within the plan's bounds of one of the two dates. */
const stretchOf = (rows: ProjectRows, plan: Plan, by: 'updated' | 'created'): Stretch => {
  const { items } = rows[by];
  const from = rows[by].lowerBound(plan[by].from);
  const to = plan[by].to === Number.POSITIVE_INFINITY ? items.length : rows[by].lowerBound(plan[by].to);
  return { items, from, to: Math.max(from, to) };
};

const unbounded = (range: { from: number; to: number }): boolean =>
  range.from === Number.NEGATIVE_INFINITY && range.to === Number.POSITIVE_INFINITY;

/** `updated ASC, key ASC` and its like: the index's own order, so that a page is a slice of it. */
const naturalOrder = (order: readonly SortKey[]): 'updated' | 'created' | undefined => {
  const [first, second] = order;
  if (order.length !== 2 || first?.direction !== 'asc' || second?.field !== 'key') return undefined;
  if (second.direction === 'desc') return undefined;
  return first.field === 'updated' || first.field === 'created' ? first.field : undefined;
};

/** Runs a query on the index. `salt` decides ties; `sees` says which projects the user may browse. */
export const search = (
  site: Site,
  { plan, test, order }: Compiled,
  sees: (projectKey: string) => boolean,
  salt: number,
): Found => {
  const { index, hidden } = site;
  const searchable = (key: string): boolean => sees(key) && site.projects.get(key)?.archived !== true;
  const within = (row: Issue): boolean => {
    const [updated, created] = [index.floor(row.updated), index.floor(row.created)];
    if (updated < plan.updated.from || updated >= plan.updated.to) return false;
    if (created < plan.created.from || created >= plan.created.to) return false;
    return (plan.projects?.has(row.projectKey) ?? true) && searchable(row.projectKey);
  };
  const passes = (row: Issue): boolean => !hidden.has(row.id) && within(row) && (plan.exact || test(row));
  let found: Issue[];
  if (plan.ids !== undefined) {
    const rows = plan.ids.map((id) => index.rows.get(id)).filter((row) => row !== undefined);
    found = rows.filter(passes);
  } else {
    const keys = [...(plan.projects ?? index.projects.keys())].filter(searchable);
    const projects = keys.map((key) => index.projects.get(key)).filter((rows) => rows !== undefined);
    const natural = naturalOrder(order);
    const only = projects.length === 1 ? projects[0] : undefined;
    const other = natural === 'updated' ? plan.created : plan.updated;
    if (only && natural && plan.exact && hidden.size === 0 && unbounded(other)) {
      const { items, from, to } = stretchOf(only, plan, natural);
      const slice = (start: number, count: number): readonly Issue[] =>
        items.slice(Math.min(from + start, to), Math.min(from + start + count, to));
      return { total: to - from, slice };
    }
    const by = unbounded(plan.updated) ? 'created' : 'updated';
    found = projects.flatMap((rows) => {
      const { items, from, to } = stretchOf(rows, plan, by);
      return items.slice(from, to).filter(passes);
    });
  }
  if (found.length > 1) found.sort(comparator(order, index, salt));
  return { total: found.length, slice: (from, count) => found.slice(from, from + count) };
};
