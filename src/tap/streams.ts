import { configError } from '../shared/errors.ts';
import { pruned, type Pruning } from '../shared/json/prune.ts';
import type { JsonObject } from '../shared/json/value.ts';
import { withoutProperties, type OfferedStream } from '../protocol/catalog.ts';
import { childRecord } from './children.ts';
import { bulkChangelogs, completeChildren, type ChildContext, type Embedding } from './children-fetch.ts';
import { issueRecords, type Issue } from './issue-bytes.ts';

/** Resolves when all that is missing has been fetched. A record is valid until the next one is asked for. */
export type MakeRecords = (issues: readonly Issue[], context: ChildContext) => Promise<Iterable<Uint8Array>>;

/** One stream of the tap: data, and how its records are made of a page of issues. */
type StreamRow = {
  readonly keyProperties: readonly string[];
  readonly replicationKey?: string;
  readonly selectedByDefault: boolean;
  /** What has to be asked for with the issues: fields, and on Data Center expansions. */
  readonly fields: readonly string[];
  readonly dataCenterExpand: readonly string[];
  readonly records: MakeRecords;
};

const COMMENTS: Embedding = {
  path: ['fields', 'comment'],
  list: 'comments',
  endpoint: 'comment',
  pageSize: 100,
};
const WORKLOGS: Embedding = {
  path: ['fields', 'worklog'],
  list: 'worklogs',
  endpoint: 'worklog',
  pageSize: 1000,
};
const HISTORIES: Embedding = { path: ['changelog'], list: 'histories', endpoint: 'changelog', pageSize: 100 };

const childKey = ['id', 'issue_id'] as const;

/** The table of streams. Adding one takes a row here and a schema of the same name in `schemas/`. */
export const streams = {
  issues: {
    keyProperties: ['id'],
    replicationKey: 'updated',
    selectedByDefault: true,
    fields: [],
    dataCenterExpand: [],
    records: async (issues) => issueRecords(issues),
  },
  issue_comments: {
    keyProperties: childKey,
    selectedByDefault: false,
    fields: ['comment'],
    dataCenterExpand: [],
    records: embeddedRecords(COMMENTS),
  },
  issue_worklogs: {
    keyProperties: childKey,
    selectedByDefault: false,
    fields: ['worklog'],
    dataCenterExpand: [],
    records: embeddedRecords(WORKLOGS),
  },
  issue_changelogs: {
    keyProperties: childKey,
    selectedByDefault: false,
    fields: [],
    dataCenterExpand: ['changelog'],
    records: changelogRecords,
  },
} as const satisfies Record<string, StreamRow>;

export type StreamName = keyof typeof streams;
export const streamNames = Object.keys(streams) as StreamName[];

function embeddedRecords(embedding: Embedding): MakeRecords {
  return async (issues, context) => {
    const perIssue = issues.map(async (issue) => {
      const children = await completeChildren(context, issue, embedding);
      return children.map((child) => childRecord(issue, child));
    });
    return (await Promise.all(perIssue)).flat();
  };
}

/** Cloud embeds the newest 40 histories only and has an endpoint for all of many issues; Data Center embeds all. */
async function changelogRecords(
  issues: readonly Issue[],
  context: ChildContext,
): Promise<Iterable<Uint8Array>> {
  if (context.flavour === 'datacenter') return embeddedRecords(HISTORIES)(issues, context);
  const histories = await bulkChangelogs(context, issues);
  return issues.flatMap((issue) =>
    (histories.get(issue.id) ?? []).map((history) => childRecord(issue, history)),
  );
}

/** A stream as a run emits it: the selection applied to schema and records. */
export type SelectedStream = StreamRow & { readonly name: StreamName; readonly schema: JsonObject };

/** The streams with their schemas (by name), as a catalog offers them. */
export function offeredStreams(schemas: Readonly<Record<string, JsonObject>>): readonly OfferedStream[] {
  return streamNames.map((name) => {
    const row: StreamRow = streams[name];
    return {
      name,
      schema: schemas[name]!,
      keyProperties: row.keyProperties,
      selectedByDefault: row.selectedByDefault,
      ...(row.replicationKey === undefined ? {} : { replicationKey: row.replicationKey }),
    };
  });
}

/**
 * The streams that a selection names; without one, those selected by default. Keys and cursor are part of a stream
 * whatever a selection leaves out. An unknown name is a config error.
 */
export function selectedStreams(
  schemas: Readonly<Record<string, JsonObject>>,
  selection: ReadonlyMap<string, Pruning> | undefined,
): readonly SelectedStream[] {
  for (const name of selection?.keys() ?? []) {
    if (!Object.hasOwn(streams, name)) {
      throw configError(
        `the catalog selects stream "${name}", which tap-jira does not have; it has: ${streamNames.join(', ')}`,
        {
          code: 'BAD_CATALOG',
        },
      );
    }
  }
  return streamNames.flatMap((name) => {
    const row: StreamRow = streams[name];
    const everything = row.selectedByDefault ? new Map<string, never>() : undefined;
    const deselected = selection === undefined ? everything : selection.get(name);
    if (deselected === undefined) return [];
    const without = new Map([...deselected].filter(([property]) => !isEssential(property, row)));
    const records: MakeRecords = async (issues, context) =>
      prunedRecords(await row.records(issues, context), without);
    return { ...row, name, schema: withoutProperties(schemas[name]!, without), records };
  });
}

function isEssential(property: string, { keyProperties, replicationKey }: StreamRow): boolean {
  return property === replicationKey || keyProperties.includes(property);
}

function* prunedRecords(records: Iterable<Uint8Array>, without: Pruning): Generator<Uint8Array> {
  for (const record of records) yield pruned(record, without);
}
