import { z } from 'zod';
import { configError } from '../shared/errors.ts';
import { isObject, type JsonObject, type JsonValue } from '../shared/json/value.ts';

/** What is known of one project. All instants in ms. */
export type ProjectState = {
  /** Every version committed before this instant has been emitted; undefined while a bulk load goes on. */
  readonly lastIngest?: number;
  /** A bulk load under way: when it began, and the `created` up to which it has come. */
  readonly bulk?: { readonly asOf: number; readonly createdFrom?: number };
  /** Versions (`updated` by id) emitted already that the overlap will show again. */
  readonly recent: ReadonlyMap<string, number>;
  /** Issues that the search named and Jira then failed to show: asked for again by the next run. */
  readonly unread: readonly string[];
};

/** The bookmark of one stream. */
export type Bookmark = { readonly projects: ReadonlyMap<string, ProjectState> };

/** More pairs than this are not kept; the oldest are dropped, and their versions emitted again. */
export const MAX_RECENT = 20_000;

const instant = z.iso.datetime({
  offset: true,
  error: 'must be an RFC 3339 date-time, such as 2026-01-01T00:00:00Z',
});

const ProjectSchema = z.looseObject({
  last_ingest_date: instant.optional(),
  bulk: z.looseObject({ as_of: instant, created_from: instant.optional() }).optional(),
  recent: z.record(z.string(), z.number()).optional(),
  unread: z.array(z.string()).optional(),
});

const BookmarkSchema = z.looseObject({ projects: z.record(z.string(), ProjectSchema).default({}) });

/** Reads a stream's bookmark. What is wrong with it is a config error naming `source` and the place. */
export function parseBookmark(value: JsonValue | undefined, source: string): Bookmark {
  const result = BookmarkSchema.safeParse(value ?? {});
  if (!result.success) {
    const problems = result.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`);
    throw configError(
      `${source}: the state is not one of tap-jira: ${problems.join('; ')}; correct it, or start without a state`,
      {
        code: 'BAD_STATE',
      },
    );
  }
  const projects = new Map<string, ProjectState>();
  for (const [key, project] of Object.entries(result.data.projects)) {
    projects.set(key, {
      ...(project.last_ingest_date === undefined ? {} : { lastIngest: Date.parse(project.last_ingest_date) }),
      ...(project.bulk === undefined
        ? {}
        : {
            bulk: {
              asOf: Date.parse(project.bulk.as_of),
              ...(project.bulk.created_from === undefined
                ? {}
                : { createdFrom: Date.parse(project.bulk.created_from) }),
            },
          }),
      recent: new Map(Object.entries(project.recent ?? {})),
      unread: project.unread ?? [],
    });
  }
  return { projects };
}

/** A stream's bookmark as JSON; `parseBookmark` reads it back. */
export function renderBookmark(state: Bookmark): JsonObject {
  return {
    projects: Object.fromEntries([...state.projects].map(([key, project]) => [key, renderProject(project)])),
  };
}

function renderProject({ lastIngest, bulk, recent, unread }: ProjectState): JsonObject {
  return {
    ...(lastIngest === undefined ? {} : { last_ingest_date: rfc3339(lastIngest) }),
    ...(bulk === undefined
      ? {}
      : {
          bulk: {
            as_of: rfc3339(bulk.asOf),
            ...(bulk.createdFrom === undefined ? {} : { created_from: rfc3339(bulk.createdFrom) }),
          },
        }),
    ...(recent.size === 0 ? {} : { recent: Object.fromEntries(recent) }),
    ...(unread.length === 0 ? {} : { unread }),
  };
}

/** UTC, without a fraction when it is zero. */
export function rfc3339(ms: number): string {
  return new Date(ms).toISOString().replace('.000Z', 'Z');
}

/** Versions emitted at or after an instant: as many as a state may carry, the newest ones. */
export class RecentVersions {
  readonly #from: number;
  #versions: Map<string, number>;

  constructor(known: ReadonlyMap<string, number>, from: number) {
    this.#from = from;
    this.#versions = new Map([...known].filter(([, updated]) => updated >= from));
  }

  get size(): number {
    return this.#versions.size;
  }

  add(id: string, updated: number): void {
    if (updated < this.#from) return;
    this.#versions.set(id, updated);
    // Pruned now and then rather than each time; a state is made of at most `MAX_RECENT` in any case.
    if (this.#versions.size >= 2 * MAX_RECENT) this.#versions = new Map(this.newest());
  }

  /** The newest `MAX_RECENT` of them. */
  newest(): ReadonlyMap<string, number> {
    if (this.#versions.size <= MAX_RECENT) return new Map(this.#versions);
    return new Map([...this.#versions].toSorted((a, b) => b[1] - a[1]).slice(0, MAX_RECENT));
  }
}

/** The bookmark of one stream inside a Singer state, and the rest of the state to be carried through. */
export function bookmarkOf(state: JsonObject, stream: string): JsonValue | undefined {
  const bookmarks = state['bookmarks'];
  return isObject(bookmarks) ? bookmarks[stream] : undefined;
}

/** A Singer state with the bookmark of one stream replaced; everything else is kept. */
export function withBookmark(state: JsonObject, stream: string, bookmark: JsonValue): JsonObject {
  const bookmarks = isObject(state['bookmarks']) ? state['bookmarks'] : {};
  return { ...state, bookmarks: { ...bookmarks, [stream]: bookmark } };
}
