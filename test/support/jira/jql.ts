import { dateOperand, dateRange, invalidDate } from './jql-dates.ts';
import type { Clause, Operand, Query, SortKey, Term } from './jql-parse.ts';
import { dataOf } from './model.ts';
import type { Flavour, Issue, Project } from './model.ts';
import { plainText } from './site-defaults.ts';
import type { Site } from './site.ts';

type Test = (row: Issue) => boolean;
type Range = { from: number; to: number };

/** Who asks, and where. */
export type JqlContext = {
  readonly site: Site;
  readonly flavour: Flavour;
  readonly zone: string;
  readonly now: number;
  /** Whether somebody is logged in; nobody gets empty answers instead of errors. */
  readonly known: boolean;
  readonly sees: (projectKey: string) => boolean;
};

/** What can be answered from the sorted index, taken from the conditions that all must hold. */
export type Plan = {
  projects: Set<string> | undefined;
  ids: string[] | undefined;
  updated: Range;
  created: Range;
  /** The plan says everything: no row in it needs to be tested. */
  exact: boolean;
};

export type Compiled = {
  readonly test: Test;
  readonly plan: Plan;
  readonly order: readonly SortKey[];
  readonly bounded: boolean;
  /** In Jira's words; a query with errors is refused, or with `validateQuery=false` matches nothing there. */
  readonly errors: readonly string[];
};

const ALIASES: Readonly<Record<string, string>> = {
  id: 'key',
  issue: 'key',
  issuekey: 'key',
  updateddate: 'updated',
  createddate: 'created',
  type: 'issuetype',
};
const SORTABLE = new Set(['updated', 'created', 'key', 'project']);
const FIELDS = new Set([
  'labels',
  'status',
  'summary',
  'issuetype',
  'priority',
  'assignee',
  'reporter',
  'text',
]);

const canonical = (field: string): string => ALIASES[field.toLowerCase()] ?? field.toLowerCase();

const texts = (value: unknown): string[] =>
  (Array.isArray(value) ? value : [value]).map(plainText).filter((text) => text !== null);

class Compiler {
  readonly #context: JqlContext;
  readonly errors: string[] = [];

  constructor(context: JqlContext) {
    this.#context = context;
  }

  clause(clause: Clause): Test {
    if (clause.kind === 'term') return this.term(clause);
    if (clause.kind === 'not') {
      const test = this.clause(clause.part);
      return (row) => !test(row);
    }
    const tests = clause.parts.map((part) => this.clause(part));
    return clause.kind === 'and'
      ? (row) => tests.every((test) => test(row))
      : (row) => tests.some((test) => test(row));
  }

  term(term: Term): Test {
    const field = canonical(term.field);
    if (field === 'project') return this.#project(term);
    if (field === 'key') return this.#key(term);
    if (field === 'updated' || field === 'created') return this.#date(term, field);
    if (FIELDS.has(field)) return this.#text(term, field);
    this.errors.push(`Field '${term.field}' does not exist or you do not have permission to view it.`);
    return () => false;
  }

  projects(term: Term): Project[] {
    const { site, sees, known, flavour } = this.#context;
    const found: Project[] = [];
    for (const { text } of term.operands) {
      const project = site.findProject(text);
      if (project !== undefined && sees(project.key)) found.push(project);
      else if (flavour === 'datacenter' && known)
        this.errors.push(`The value '${text}' does not exist for the field 'project'.`);
    }
    return found;
  }

  issues(term: Term): Issue[] {
    const { site, sees, known, flavour } = this.#context;
    const found: Issue[] = [];
    for (const { text } of term.operands) {
      const issue = site.get(text);
      if (issue !== undefined && sees(issue.projectKey) && !site.hidden.has(issue.id)) found.push(issue);
      else if (flavour === 'datacenter' && known)
        this.errors.push(`An issue with key or ID '${text}' does not exist for field '${term.field}'.`);
    }
    return found;
  }

  range(term: Term): Range | undefined {
    const { site, zone, now } = this.#context;
    const operand = term.operands[0] as Operand;
    const date = dateOperand(operand, zone, now);
    if (date !== undefined) return dateRange(term.operator, date, site.index.resolution);
    this.errors.push(invalidDate(operand.text, term.field));
    return { from: 0, to: 0 };
  }

  #project(term: Term): Test {
    if (term.operator === 'is not') return () => true;
    const keys = new Set(this.projects(term).map((project) => project.key));
    const negated = term.operator === '!=' || term.operator === 'not in';
    return (row) => keys.has(row.projectKey) !== negated;
  }

  #key(term: Term): Test {
    const issues = this.issues(term);
    const ids = new Set(issues.map((issue) => issue.id));
    const anchor = issues[0];
    // Relational operators compare numbers inside the operand's project, never ids.
    const compare = (test: (a: number, b: number) => boolean): Test =>
      anchor === undefined
        ? () => false
        : (row) => row.projectKey === anchor.projectKey && test(row.number, anchor.number);
    switch (term.operator) {
      case '>':
        return compare((a, b) => a > b);
      case '>=':
        return compare((a, b) => a >= b);
      case '<':
        return compare((a, b) => a < b);
      case '<=':
        return compare((a, b) => a <= b);
      case '!=':
      case 'not in':
        return (row) => !ids.has(row.id);
      default:
        return (row) => ids.has(row.id);
    }
  }

  #date(term: Term, field: 'updated' | 'created'): Test {
    const { index } = this.#context.site;
    const range = this.range(term);
    if (range !== undefined)
      return (row) => index.floor(row[field]) >= range.from && index.floor(row[field]) < range.to;
    return () => term.operator === 'is not';
  }

  #text(term: Term, field: string): Test {
    const wanted = term.operands.map((operand) => operand.text.toLowerCase());
    const read = (row: Issue): string[] => {
      const { fields } = dataOf(row);
      return texts(field === 'text' ? [fields['summary'], fields['description']] : fields[field]).map(
        (text) => text.toLowerCase(),
      );
    };
    const has = (row: Issue): boolean => read(row).some((text) => wanted.includes(text));
    const words = (row: Issue): boolean =>
      read(row).some((text) => wanted.every((word) => text.includes(word.replace(/\*$/, ''))));
    switch (term.operator) {
      case '~':
        return words;
      case '!~':
        return (row) => read(row).length > 0 && !words(row);
      case '!=':
      case 'not in':
        // Rows where the field is empty are in neither set.
        return (row) => read(row).length > 0 && !has(row);
      case 'is':
        return (row) => read(row).length === 0;
      case 'is not':
        return (row) => read(row).length > 0;
      default:
        return has;
    }
  }
}

const narrow = (range: Range, by: Range): void => {
  range.from = Math.max(range.from, by.from);
  range.to = Math.min(range.to, by.to);
};

/** Takes into the plan what the term says; false when the term must be tested on every row. */
const absorb = (term: Term, plan: Plan, compiler: Compiler): boolean => {
  const field = canonical(term.field);
  const positive = term.operator === '=' || term.operator === 'in';
  if (field === 'project' && positive) {
    const keys = compiler.projects(term).map((project) => project.key);
    plan.projects = new Set(keys.filter((key) => plan.projects?.has(key) ?? true));
    return true;
  }
  if (field === 'key' && positive && plan.ids === undefined) {
    plan.ids = [...new Set(compiler.issues(term).map((issue) => issue.id))];
    return true;
  }
  if (field !== 'updated' && field !== 'created') return false;
  const range = term.operands.length > 0 ? compiler.range(term) : undefined;
  if (range !== undefined) narrow(plan[field], range);
  return range !== undefined;
};

/** Gives a parsed query its meaning for one user at one time. */
export const compileJql = (query: Query, context: JqlContext): Compiled => {
  const compiler = new Compiler(context);
  const everything = (): Range => ({ from: Number.NEGATIVE_INFINITY, to: Number.POSITIVE_INFINITY });
  const plan: Plan = {
    projects: undefined,
    ids: undefined,
    updated: everything(),
    created: everything(),
    exact: true,
  };
  const parts = query.where?.kind === 'and' ? query.where.parts : query.where ? [query.where] : [];
  const tests: Test[] = [];
  for (const part of parts) {
    if (part.kind === 'term' && absorb(part, plan, compiler)) continue;
    tests.push(compiler.clause(part));
    plan.exact = false;
  }
  const order = query.order.map(({ field, direction }) => ({ field: canonical(field), direction }));
  for (const [at, { field }] of order.entries())
    if (!SORTABLE.has(field) && !FIELDS.has(field))
      compiler.errors.push(`Not able to sort using field '${query.order[at]?.field}'.`);
  const test: Test = (row) => tests.every((test) => test(row));
  return { test, plan, order, bounded: query.where !== undefined, errors: compiler.errors };
};
