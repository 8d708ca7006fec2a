/** What a Jira holds. Issues are immutable: a change makes a new one, so that an index can keep an old one. */

export type Flavour = 'datacenter' | 'cloud';

/** Through whose eyes, and in which of the shapes of Jira's API, a value is rendered. */
export type View = {
  readonly flavour: Flavour;
  readonly api: 2 | 3;
  /** IANA zone in which dates are written. */
  readonly zone: string;
  /** Address (with context path) used in `self` links. */
  readonly base: string;
  /** Name of the reader; empty when nobody is logged in. */
  readonly reader: string;
  readonly person: (name: string) => string;
  /** Rendered text of frozen objects, which are the same in many issues. */
  readonly memo: WeakMap<object, string>;
  readonly caps: { readonly comments: number; readonly worklogs: number; readonly histories: number };
};

/** A value whose JSON depends on the view: rich text, people, instants, numbers as text. */
export class Special {
  /** What JQL compares. */
  readonly plain: unknown;
  readonly render: (view: View) => string;
  constructor(plain: unknown, render: (view: View) => string) {
    this.plain = plain;
    this.render = render;
  }
}

export type Fields = Readonly<Record<string, unknown>>;

export type Comment = {
  readonly id: string;
  /** Name of a person; absent for a comment by nobody. */
  readonly author?: string;
  readonly body: string;
  readonly created: number;
  readonly updated: number;
  /** Names of the only readers; everybody's when absent. */
  readonly visibleTo?: readonly string[];
};

export type Worklog = {
  readonly id: string;
  readonly author?: string;
  readonly comment: string;
  readonly created: number;
  readonly updated: number;
  readonly started: number;
  readonly seconds: number;
};

export type HistoryItem = {
  readonly field: string;
  readonly from: string | null;
  readonly fromText: string | null;
  readonly to: string | null;
  readonly toText: string | null;
};

export type History = {
  readonly id: string;
  readonly author?: string;
  readonly created: number;
  readonly items: readonly HistoryItem[];
};

export type IssueData = {
  readonly fields: Fields;
  /** Each of the three is oldest first. */
  readonly comments: readonly Comment[];
  readonly worklogs: readonly Worklog[];
  readonly histories: readonly History[];
};

export type Issue = {
  readonly id: string;
  readonly key: string;
  readonly number: number;
  readonly projectKey: string;
  readonly created: number;
  readonly updated: number;
  /** Grows with every change of this issue. */
  readonly version: number;
  /** The content, or a function that makes it when it is needed. */
  readonly data: IssueData | ((issue: Issue) => IssueData);
  /** The JSON as added, for issues that are served byte for byte. */
  readonly raw?: Buffer;
};

export type Project = {
  readonly id: string;
  readonly key: string;
  readonly name: string;
  readonly archived: boolean;
  /** Keys it had before; they still resolve. */
  readonly oldKeys: readonly string[];
};

export type Person = {
  readonly name: string;
  readonly key: string;
  readonly accountId: string;
  readonly displayName: string;
  readonly email?: string;
  readonly active: boolean;
  readonly timeZone: string;
};

/** An issue's content, made now if it was not yet. */
export const dataOf = (issue: Issue): IssueData =>
  typeof issue.data === 'function' ? issue.data(issue) : issue.data;

/** The order of `ORDER BY key ASC`: by project key, then by number. */
export const compareKeys = (a: Issue, b: Issue): number => {
  if (a.projectKey !== b.projectKey) return a.projectKey < b.projectKey ? -1 : 1;
  return a.number - b.number;
};
