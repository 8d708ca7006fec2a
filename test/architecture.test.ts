import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, posix } from 'node:path';
import { describe, expect, it } from 'vitest';
import { streamNames } from '../src/tap/streams.ts';
import { VERSION } from '../src/shared/version.ts';

const ROOT = join(import.meta.dirname, '..');
const README = join(ROOT, 'README.md');

/** Which rooms a room may import from, beside itself. */
const ROOMS: Readonly<Record<string, readonly string[]>> = {
  shared: [],
  protocol: ['shared'],
  tap: ['protocol', 'shared'],
  target: ['protocol', 'shared'],
};

/** Which files may import an npm package. A package that is not named here may not be used at all. */
const PACKAGES: readonly (readonly [name: RegExp, files: RegExp])[] = [
  [/^undici$/, /^shared\/http\/transport\.ts$/],
  [/^@aws-sdk\//, /^(target\/stores|shared\/secret-stores)\//],
  [/^oauth-1\.0a$/, /^tap\/auth[a-z0-9-]*\.ts$/],
  [/^yargs$/, /^(tap|target)\/command\.ts$/],
  [/^ndjson$/, /^tap\/state-file\.ts$/],
  [/^zod$/, /(^|\/)(config[a-z-]*|references|secret|about|state|catalog|message|spec)\.ts$/],
];

/** One door per outside world: what a text looks like, and the files that may have it. */
const DOORS: readonly (readonly [world: string, text: RegExp, files: RegExp])[] = [
  ['the network', /from 'undici'|\bfetch\s*\(/, /^shared\/http\/transport\.ts$/],
  [
    'process',
    /\bprocess\b(?!')/,
    /^(tap\/main|target\/(main|input)|shared\/(program|log|http\/transport))\.ts$/,
  ],
  ['process.exit', /\bprocess\.exit\s*\(/, /^$/],
  ['console', /\bconsole\./, /^$/],
  ['schema files', /\bschemas\//, /^tap\/schemas\.ts$/],
  [
    'sleeping',
    /\bset(Timeout|Interval|Immediate)\s*\(/,
    /^shared\/(clock|ticks|async|slots|http\/transport)\.ts$/,
  ],
  ['chance', /\bMath\.random\b/, /^shared\/clock\.ts$/],
];

const MOST_LINES = 300;

type Source = { readonly path: string; readonly text: string; readonly imports: readonly string[] };

const IMPORT = /(?:\bfrom\s+|\bimport\s+|\bimport\(\s*)'([^']+)'/g;

const filesBelow = (folder: string): string[] =>
  readdirSync(join(ROOT, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => posix.relative(join(ROOT, folder), posix.join(entry.parentPath, entry.name)));

const withoutComments = (text: string): string =>
  text.replaceAll(/\/\*[\s\S]*?\*\//g, '').replaceAll(/(^|\s)\/\/.*$/gm, '$1');

const sources: readonly Source[] = filesBelow('src')
  .filter((path) => path.endsWith('.ts'))
  .map((path) => {
    const text = readFileSync(join(ROOT, 'src', path), 'utf8');
    return { path, text, imports: [...text.matchAll(IMPORT)].map((match) => match[1]!) };
  });

/** The file that a relative import names, below `src`; those that leave it begin with `..`. */
const resolved = (source: Source, name: string): string => posix.join(dirname(source.path), name);

const roomOf = (path: string): string => path.split('/')[0]!;

/** Every import of every file that the rule finds wrong, as `file -> what`. */
const wrong = (rule: (source: Source, name: string) => boolean): string[] =>
  sources.flatMap((source) =>
    source.imports.filter((name) => rule(source, name)).map((name) => `${source.path} -> ${name}`),
  );

const isRelative = (name: string): boolean => name.startsWith('.');

describe('the house', () => {
  it('has only rooms that the rules know', () => {
    expect([...new Set(sources.map(({ path }) => roomOf(path)))].filter((room) => !(room in ROOMS))).toEqual(
      [],
    );
  });

  it('lets imports point downwards only', () => {
    expect(
      wrong((source, name) => {
        if (!isRelative(name)) return false;
        const to = roomOf(resolved(source, name));
        const from = roomOf(source.path);
        return to !== from && !(ROOMS[from] ?? []).includes(to);
      }),
    ).toEqual([]);
  });

  it('uses a package only where it may', () => {
    expect(
      wrong(
        ({ path }, name) =>
          !isRelative(name) &&
          !name.startsWith('node:') &&
          !PACKAGES.some(([pkg, files]) => pkg.test(name) && files.test(path)),
      ),
    ).toEqual([]);
  });

  it.each(DOORS)('has one door to %s', (_world, text, files) => {
    const through = sources.filter((source) => text.test(withoutComments(source.text)));
    expect(through.map(({ path }) => path).filter((path) => !files.test(path))).toEqual([]);
  });

  it('has no circles of imports', () => {
    const byPath = new Map(sources.map((source) => [source.path, source]));
    const done = new Set<string>();
    const circles: string[] = [];
    const visit = (path: string, trail: readonly string[]): void => {
      if (trail.includes(path)) circles.push([...trail.slice(trail.indexOf(path)), path].join(' -> '));
      if (done.has(path) || trail.includes(path)) return;
      const source = byPath.get(path);
      for (const name of source?.imports ?? [])
        if (isRelative(name)) visit(resolved(source!, name), [...trail, path]);
      done.add(path);
    };
    for (const { path } of sources) visit(path, []);
    expect(circles).toEqual([]);
  });

  it('has no barrels, no drawers for odds and ends, and no default exports', () => {
    const bad = /(^|\/)(index|utils?|helpers?|types|constants|misc|common)\.ts$/;
    expect(sources.filter(({ path }) => bad.test(path)).map(({ path }) => path)).toEqual([]);
    const exportsDefault = /^export\s+(default\b|\*)/m;
    expect(sources.filter(({ text }) => exportsDefault.test(text)).map(({ path }) => path)).toEqual([]);
  });

  it(`has no file of more than ${MOST_LINES} lines`, () => {
    const long = sources.filter(({ text }) => text.trimEnd().split('\n').length > MOST_LINES);
    expect(long.map(({ path }) => path)).toEqual([]);
  });
});

describe('what must agree', () => {
  it('the version of the program and of the package', () => {
    const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { version: string };
    expect(VERSION).toBe(version);
  });

  it('streams and schema files', () => {
    const files = filesBelow('schemas').map((name) => name.replace(/\.json$/, ''));
    expect(files.toSorted()).toEqual(streamNames.toSorted());
  });

  it.skipIf(!existsSync(README))('the tree in the README and the files', () => {
    const readme = readFileSync(README, 'utf8');
    const missing = sources.map(({ path }) => path).filter((path) => !readme.includes(posix.basename(path)));
    expect(missing).toEqual([]);
  });
});
