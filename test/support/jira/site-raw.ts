import type { Fields } from './model.ts';
import { formatInstant } from './time-zone.ts';

export type RawIdentity = {
  readonly id: string;
  readonly key: string;
  readonly created: number;
  readonly updated: number;
};

type RawIssue = { id?: unknown; key?: unknown; fields?: Fields };

const timeOf = (value: unknown): number => {
  const text = typeof value === 'string' ? value.replace(/([+-]\d\d)(\d\d)$/, '$1:$2') : '';
  return Date.parse(text);
};

/** What the site must know of an issue that is served as it is. */
export const parseRaw = (raw: Buffer, given: Partial<RawIdentity>): RawIdentity => {
  const complete = given.id && given.key && given.created !== undefined && given.updated !== undefined;
  const parsed = (complete ? {} : JSON.parse(raw.toString())) as RawIssue;
  const identity = {
    id: given.id ?? (parsed.id as string),
    key: given.key ?? (parsed.key as string),
    created: given.created ?? timeOf(parsed.fields?.['created']),
    updated: given.updated ?? timeOf(parsed.fields?.['updated']),
  };
  if (typeof identity.id !== 'string' || typeof identity.key !== 'string')
    throw new Error('a raw issue needs an id and a key');
  if (Number.isNaN(identity.created) || Number.isNaN(identity.updated))
    throw new Error('a raw issue needs `created` and `updated`');
  return identity;
};

/** The issue's JSON with some fields changed. */
export const patchRaw = (raw: Buffer, patch: Fields, updated: number): Buffer => {
  const parsed = JSON.parse(raw.toString()) as RawIssue;
  const fields = { ...parsed.fields, ...patch, updated: formatInstant(updated, 'UTC') };
  return Buffer.from(JSON.stringify({ ...parsed, fields }));
};
