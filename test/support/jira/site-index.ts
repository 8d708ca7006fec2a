import type { Issue } from './model.ts';

/** Issues of one project in one order; sorted when read, so that loading many costs one sort. */
class Sorted {
  #items: Issue[] = [];
  #sorted = true;
  readonly #stamp: (issue: Issue) => number;

  constructor(stamp: (issue: Issue) => number) {
    this.#stamp = stamp;
  }

  #compare(a: Issue, b: Issue): number {
    return this.#stamp(a) - this.#stamp(b) || a.number - b.number || Number(a.id) - Number(b.id);
  }

  get items(): readonly Issue[] {
    if (!this.#sorted) {
      this.#items.sort((a, b) => this.#compare(a, b));
      this.#sorted = true;
    }
    return this.#items;
  }

  add(issue: Issue): void {
    const last = this.#items.at(-1);
    if (last !== undefined && this.#compare(last, issue) > 0) this.#sorted = false;
    this.#items.push(issue);
  }

  remove(issue: Issue): void {
    const items = this.items;
    let at = this.lowerBound(this.#stamp(issue));
    while (at < items.length && items[at] !== issue) at += 1;
    if (at < items.length) this.#items.splice(at, 1);
  }

  /** Position of the first issue whose time is not before `ms`. */
  lowerBound(ms: number): number {
    const items = this.items;
    let low = 0;
    let high = items.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#stamp(items[middle]!) < ms) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

export type ProjectRows = { readonly updated: Sorted; readonly created: Sorted };

type Pending = {
  readonly due: number;
  readonly id: string;
  readonly version: number;
  readonly issue?: Issue;
};

/** What searches see: for each issue the version last indexed, in order of time. May lag behind the site. */
export class SearchIndex {
  readonly rows = new Map<string, Issue>();
  readonly projects = new Map<string, ProjectRows>();
  /** Granularity of indexed times in milliseconds. */
  readonly resolution: number;
  #pending: Pending[] = [];
  #gone = new Map<string, number>();

  constructor(resolution: number) {
    this.resolution = resolution;
  }

  /** A time as the index stores it. */
  floor(ms: number): number {
    return this.resolution === 1 ? ms : Math.floor(ms / this.resolution) * this.resolution;
  }

  /** Makes searches see this version of an issue, or its removal, unless a newer one was indexed before. */
  apply(id: string, version: number, issue: Issue | undefined): void {
    const old = this.rows.get(id);
    if ((old?.version ?? this.#gone.get(id) ?? -1) > version) return;
    if (old !== undefined) {
      const rows = this.projects.get(old.projectKey);
      rows?.updated.remove(old);
      rows?.created.remove(old);
      this.rows.delete(id);
    }
    if (issue === undefined) {
      this.#gone.set(id, version);
      return;
    }
    this.rows.set(id, issue);
    let rows = this.projects.get(issue.projectKey);
    if (rows === undefined) {
      rows = {
        updated: new Sorted((row) => this.floor(row.updated)),
        created: new Sorted((row) => this.floor(row.created)),
      };
      this.projects.set(issue.projectKey, rows);
    }
    rows.updated.add(issue);
    rows.created.add(issue);
  }

  /** Applies a change at a later time. */
  defer(due: number, id: string, version: number, issue: Issue | undefined): void {
    this.#pending.push({ due, id, version, ...(issue && { issue }) });
  }

  /** Applies what is due at `now`. */
  settle(now: number): void {
    if (this.#pending.length === 0) return;
    const due = this.#pending.filter((change) => change.due <= now);
    if (due.length === 0) return;
    this.#pending = this.#pending.filter((change) => change.due > now);
    for (const change of due) this.apply(change.id, change.version, change.issue);
  }

  get lagging(): boolean {
    return this.#pending.length > 0;
  }
}
