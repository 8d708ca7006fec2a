import { dataOf } from './model.ts';
import type { Comment, Fields, History, Issue, IssueData, Person, Project, Worklog } from './model.ts';
import { SearchIndex } from './site-index.ts';
import { DEFAULT_FIELDS, FIELD_NAMES, historyOf, PEOPLE } from './site-defaults.ts';
import { parseRaw, patchRaw } from './site-raw.ts';
import type { RawIdentity } from './site-raw.ts';

export type Mutation = {
  readonly kind: 'create' | 'edit' | 'comment' | 'worklog' | 'move' | 'remove' | 'set';
  readonly id: string;
  readonly at: number;
};

export type SiteOptions = {
  /** The server's clock. */
  readonly now?: () => number;
  /** Keys of projects to begin with. */
  readonly projects?: readonly string[];
  /** How long, in milliseconds of the server's clock, until searches see a change. */
  readonly indexDelay?: (mutation: Mutation) => number;
  /** What searches show of a row whose index entry is old: the old version, or the database's. */
  readonly lag?: 'stale' | 'dirty';
  /** Granularity of indexed times in milliseconds; some servers index whole seconds. */
  readonly indexResolution?: number;
};

export type NewIssue = Partial<Omit<IssueData, 'fields'>> & {
  readonly id?: string;
  readonly number?: number;
  readonly created?: number;
  readonly updated?: number;
  /** Leave out the fields every issue has, such as `status`. */
  readonly bare?: boolean;
};

/** One Jira's content: a database, and the index that searches read. */
export class Site {
  now: () => number;
  lag: 'stale' | 'dirty';
  indexDelay: (mutation: Mutation) => number;
  readonly index: SearchIndex;
  readonly people = new Map<string, Person>(PEOPLE);
  /** Display names of fields by id; two may be equal. */
  readonly fieldNames = new Map<string, string>(FIELD_NAMES);
  /** Projects by their present key. */
  readonly projects = new Map<string, Project>();
  /** Issues that no user may see for now. */
  readonly hidden = new Set<string>();
  readonly #issues = new Map<string, Issue>();
  readonly #keys = new Map<string, string>();
  readonly #numbers = new Map<string, number>();
  #held = false;
  #nextId = 10_001;
  #nextChild = 50_001;

  constructor(options: SiteOptions = {}) {
    this.now = options.now ?? Date.now;
    this.lag = options.lag ?? 'stale';
    this.indexDelay = options.indexDelay ?? (() => 0);
    this.index = new SearchIndex(options.indexResolution ?? 1);
    for (const key of options.projects ?? []) this.addProject(key);
  }

  /** Adds a project. */
  addProject(key: string, more: Partial<Project> = {}): Project {
    const id = more.id ?? String(10_000 + this.projects.size);
    const project = { id, key, name: `Project ${key}`, archived: false, oldKeys: [], ...more };
    this.projects.set(key, project);
    return project;
  }

  /** A project by its key (present or former, any case), id or name. */
  findProject(text: string): Project | undefined {
    const exact = this.projects.get(text);
    if (exact !== undefined) return exact;
    const wanted = text.toUpperCase();
    return [...this.projects.values()].find(
      (project) =>
        project.key.toUpperCase() === wanted ||
        project.id === text ||
        project.name.toUpperCase() === wanted ||
        project.oldKeys.includes(wanted),
    );
  }

  /** Archives a project (its issues leave searches but stay readable), or restores it. */
  archiveProject(key: string, archived = true): void {
    this.projects.set(key, { ...this.#project(key), archived });
  }

  /** Changes a project's key and those of its issues; `updated` of the issues stays. */
  renameProject(key: string, newKey: string): void {
    const project = this.#project(key);
    this.projects.delete(key);
    this.projects.set(newKey, { ...project, key: newKey, oldKeys: [...project.oldKeys, key] });
    this.#numbers.set(newKey, this.#numbers.get(key) ?? 0);
    for (const issue of this.#issues.values()) {
      if (issue.projectKey !== key) continue;
      const moved = { ...issue, projectKey: newKey, key: `${newKey}-${issue.number}` };
      this.#store({ ...moved, version: issue.version + 1 }, 'set');
    }
  }

  /** An issue as the database has it, by id or by present or former key. */
  get(idOrKey: string): Issue | undefined {
    const found = this.#issues.get(idOrKey);
    if (found !== undefined) return found;
    return this.#issues.get(this.#keys.get(idOrKey.toUpperCase()) ?? '');
  }

  /** Every issue of the database. */
  all(): IterableIterator<Issue> {
    return this.#issues.values();
  }

  get size(): number {
    return this.#issues.size;
  }

  /** What a search shows of an indexed row; nothing when a removed one is asked for from the database. */
  shown(row: Issue): Issue | undefined {
    return this.lag === 'stale' ? row : this.#issues.get(row.id);
  }

  /** Adds an issue. */
  create(projectKey: string, fields: Fields = {}, more: NewIssue = {}): Issue {
    const { comments = [], worklogs = [], histories = [], bare = false, ...identity } = more;
    const given = bare ? fields : { ...DEFAULT_FIELDS, ...fields };
    return this.insert(projectKey, { fields: given, comments, worklogs, histories }, identity);
  }

  /** Adds an issue with its whole content, or with a function that makes the content when needed. */
  insert(projectKey: string, data: Issue['data'], more: Omit<NewIssue, 'bare'> = {}): Issue {
    const number = more.number ?? (this.#numbers.get(projectKey) ?? 0) + 1;
    this.#numbers.set(projectKey, Math.max(number, this.#numbers.get(projectKey) ?? 0));
    const id = more.id ?? String(this.#nextId);
    this.#nextId = Math.max(this.#nextId, (Number(id) || 0) + 1);
    const created = more.created ?? this.now();
    const updated = more.updated ?? created;
    const key = `${this.#project(projectKey).key}-${number}`;
    return this.#store({ id, key, number, projectKey, created, updated, version: 0, data }, 'create');
  }

  /** Adds an issue that is served byte for byte; what is not given is read from the JSON. */
  addRaw(projectKey: string, bytes: string | Buffer, given: Partial<RawIdentity> = {}): Issue {
    const raw = Buffer.from(bytes);
    const identity = parseRaw(raw, given);
    const number = Number(identity.key.split('-').at(-1));
    const data = (issue: Issue): IssueData => ({
      fields: (JSON.parse(issue.raw?.toString() ?? '{}') as { fields?: Fields }).fields ?? {},
      comments: [],
      worklogs: [],
      histories: [],
    });
    this.#numbers.set(projectKey, Math.max(number, this.#numbers.get(projectKey) ?? 0));
    return this.#store({ ...identity, projectKey, number, version: 0, data, raw }, 'create');
  }

  /** Changes fields (`undefined` takes one away). A silent edit does not move `updated`. */
  edit(id: string, patch: Fields = {}, options: { silent?: boolean; author?: string } = {}): Issue {
    const issue = this.#issue(id);
    const updated = options.silent === true ? issue.updated : this.#after(issue);
    if (issue.raw !== undefined) {
      const raw = patchRaw(issue.raw, patch, updated);
      return this.#store({ ...issue, raw, updated, version: issue.version + 1 }, 'edit');
    }
    const data = dataOf(issue);
    const history = historyOf(this.#child(), options.author ?? 'ada', updated + 3, data.fields, patch);
    const fields = { ...data.fields, ...patch };
    const histories = options.silent === true ? data.histories : [...data.histories, history];
    return this.#change(issue, { fields, histories }, updated, 'edit');
  }

  /** Adds a comment. */
  comment(id: string, more: Partial<Comment> = {}): Issue {
    const issue = this.#issue(id);
    const at = this.#after(issue);
    const comment = { id: this.#child(), author: 'ada', body: 'Done.', created: at, updated: at, ...more };
    const updated = Math.max(issue.updated + 1, comment.updated);
    return this.#change(issue, { comments: [...dataOf(issue).comments, comment] }, updated, 'comment');
  }

  /** Takes a comment away. */
  removeComment(id: string, commentId: string): Issue {
    const issue = this.#issue(id);
    const comments = dataOf(issue).comments.filter((comment) => comment.id !== commentId);
    return this.#change(issue, { comments }, this.#after(issue), 'comment');
  }

  /** Adds a work log entry. */
  worklog(id: string, more: Partial<Worklog> = {}): Issue {
    const issue = this.#issue(id);
    const at = this.#after(issue);
    const times = { created: at, updated: at, started: at - 3_600_000, seconds: 3600 };
    const worklog = { id: this.#child(), author: 'ada', comment: 'Worked.', ...times, ...more };
    return this.#change(issue, { worklogs: [...dataOf(issue).worklogs, worklog] }, at, 'worklog');
  }

  /** Adds a history entry as it is, without a change of fields. */
  history(id: string, more: Partial<History> = {}): Issue {
    const issue = this.#issue(id);
    const at = this.#after(issue);
    const history = { ...historyOf(this.#child(), 'ada', at + 3, {}, { summary: 'x' }), ...more };
    return this.#change(issue, { histories: [...dataOf(issue).histories, history] }, at, 'edit');
  }

  /** Moves an issue to another project: same id, new key; the old key still resolves. */
  move(id: string, projectKey: string): Issue {
    const issue = this.#issue(id);
    const number = (this.#numbers.get(projectKey) ?? 0) + 1;
    this.#numbers.set(projectKey, number);
    const key = `${this.#project(projectKey).key}-${number}`;
    const moved = { ...issue, key, number, projectKey, updated: this.#after(issue) };
    return this.#store({ ...moved, version: issue.version + 1 }, 'move');
  }

  /** Sets `updated` to any time, for example a future or an earlier one. */
  setUpdated(id: string, updated: number): Issue {
    const issue = this.#issue(id);
    return this.#store({ ...issue, updated, version: issue.version + 1 }, 'set');
  }

  /** Deletes an issue. */
  remove(id: string): void {
    const issue = this.#issue(id);
    this.#issues.delete(issue.id);
    this.#reindexed('remove', issue.id, issue.version + 1, undefined);
  }

  /** Takes away everybody's permission to see an issue. */
  hide(id: string): void {
    this.hidden.add(this.#issue(id).id);
  }

  /** Gives it back. */
  show(id: string): void {
    this.hidden.delete(this.#issue(id).id);
  }

  /** Stops the index: changes wait until `reindex`. */
  holdIndex(): void {
    this.#held = true;
  }

  /** Brings the index up to date, now, and lets it run again. */
  reindex(): void {
    this.#held = false;
    this.index.settle(Number.POSITIVE_INFINITY);
  }

  #after(issue: Issue): number {
    return Math.max(this.now(), issue.updated + 1);
  }

  #child(): string {
    this.#nextChild += 1;
    return String(this.#nextChild);
  }

  #issue(id: string): Issue {
    const issue = this.get(id);
    if (issue === undefined) throw new Error(`the site has no issue ${id}`);
    return issue;
  }

  #project(key: string): Project {
    const project = this.projects.get(key);
    if (project === undefined) throw new Error(`the site has no project ${key}`);
    return project;
  }

  #change(issue: Issue, patch: Partial<IssueData>, updated: number, kind: Mutation['kind']): Issue {
    const data = { ...dataOf(issue), ...patch };
    return this.#store({ ...issue, data, updated, version: issue.version + 1 }, kind);
  }

  #store(issue: Issue, kind: Mutation['kind']): Issue {
    this.#issues.set(issue.id, issue);
    this.#keys.set(issue.key.toUpperCase(), issue.id);
    this.#reindexed(kind, issue.id, issue.version, issue);
    return issue;
  }

  #reindexed(kind: Mutation['kind'], id: string, version: number, issue: Issue | undefined): void {
    const now = this.now();
    const delay = this.#held ? Number.MAX_VALUE : this.indexDelay({ kind, id, at: now });
    if (delay === 0 && !this.index.lagging) this.index.apply(id, version, issue);
    else this.index.defer(now + delay, id, version, issue);
  }
}
