import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { Site } from './jira/site.ts';
import { objectsOf, tokensOf } from './json-text.ts';
import { ROOT } from './programs.ts';

/** Answers of real sites, kept beside the checkout because they are not ours. */
const FOLDER = join(ROOT, '../shared/jira-samples');

/** One folder for each open repository that they come from. */
export const BUNDLES = [
  'devlake',
  'cloud-v2-jirametrics',
  'mixed-go-jira',
  'server-v2-jira-ruby',
  'cloud-v3-digitalservice',
] as const;

/** An issue as it is written in a file. */
export type Sample = {
  readonly id: string;
  readonly key: string;
  readonly text: string;
  readonly file: string;
};

type MaybeIssue = {
  readonly id?: unknown;
  readonly key?: unknown;
  readonly fields?: { readonly created?: unknown; readonly updated?: unknown } | null;
};

const isDate = (value: unknown): boolean => typeof value === 'string' && /^\d{4}-\d\d-\d\dT/.test(value);

/** The issues of a file, wherever in it they are. */
const issuesOf = (file: string): Sample[] =>
  objectsOf(readFileSync(file, 'utf8')).flatMap((text) => {
    if (!text.includes('"fields"')) return [];
    const { id, key, fields } = JSON.parse(text) as MaybeIssue;
    const dated = isDate(fields?.updated) && isDate(fields?.created);
    return typeof id === 'string' && typeof key === 'string' && dated ? [{ id, key, text, file }] : [];
  });

/** The issues of a folder, shared out to sites so that no site has an id or a key twice. */
const sitesOf = (bundle: string): Sample[][] => {
  const sites: Sample[][] = [];
  for (const file of (readdirSync(join(FOLDER, bundle), { recursive: true }) as string[]).toSorted()) {
    if (!file.endsWith('.json')) continue;
    for (const sample of issuesOf(join(FOLDER, bundle, file))) {
      const room = sites.find((site) => site.every(({ id, key }) => id !== sample.id && key !== sample.key));
      if (room === undefined) sites.push([sample]);
      else room.push(sample);
    }
  }
  return sites;
};

export type SampleSite = { readonly name: string; readonly samples: readonly Sample[] };

/** The real issues, as sites to be served; none where the samples are not beside the checkout. */
export const sampleSites: readonly SampleSite[] = existsSync(FOLDER)
  ? BUNDLES.flatMap((bundle) =>
      sitesOf(bundle).map((samples, at) => ({ name: `${bundle} ${at + 1}`, samples })),
    )
  : [];

/** The files are indented, while Jira itself sends no white space. Both ways must arrive. */
export function serve(samples: readonly Sample[], spacing: 'as written' | 'compact'): Site {
  const site = new Site();
  for (const { key, text } of samples) {
    const project = key.replace(/-\d+$/, '');
    if (!site.projects.has(project)) site.addProject(project);
    site.addRaw(project, spacing === 'compact' ? tokensOf(text).join('') : text);
  }
  return site;
}

const JIRA_DATE = /^"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}[+-]\d{4}"$/;

/** The tokens of the row that an issue must become: two values lifted, colons in offsets, else untouched. */
const expectedTokens = (text: string): string[] => {
  const { updated, created } = (JSON.parse(text) as { fields: { updated: string; created: string } }).fields;
  const lifted = { updated: new Date(updated).toISOString(), created: new Date(created).toISOString() };
  const body = tokensOf(text).map((token) =>
    JIRA_DATE.test(token) ? token.replace(/(\d\d)"$/, ':$1"') : token,
  );
  return [...tokensOf(JSON.stringify(lifted)).slice(0, -1), ',', ...body.slice(1)];
};

/** Asserts that rows of a lake are these issues, token by token: numbers, escapes and order as they were served. */
export function expectSamples(rows: readonly string[], samples: readonly Sample[]): void {
  expect(rows).toHaveLength(samples.length);
  const byKey = new Map(rows.map((row) => [(JSON.parse(row) as { key: string }).key, row]));
  for (const { key, text, file } of samples)
    expect(tokensOf(byKey.get(key) ?? ''), `${key} of ${file}`).toEqual(expectedTokens(text));
}
