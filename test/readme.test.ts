import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { extname, join, posix } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { readSelection } from '../src/protocol/catalog.ts';
import { parseConfig } from '../src/shared/config.ts';
import type { JsonObject } from '../src/shared/json/value.ts';
import { TapConfig } from '../src/tap/config.ts';
import { streamNames } from '../src/tap/streams.ts';
import { Config } from '../src/target/config.ts';
import { ROOT, start } from './support/programs.ts';

const README = join(ROOT, 'README.md');
const UPDATE = process.env['UPDATE'] === '1';
const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8');
const readJson = (path: string): JsonObject => JSON.parse(read(path)) as JsonObject;

/** A part of the README that is made of something else, between comments that name it. */
const PART = /<!-- begin: (.+) -->\n([\s\S]*?)<!-- end -->/g;

/** The settings of a program as the built program prints them. */
async function settingsOf(program: string): Promise<string> {
  const bin = join(ROOT, 'bin', program);
  const { stdout } = await start(process.execPath, [bin, '--about', '--format', 'markdown']).ended;
  return stdout
    .split('\n')
    .filter((line) => line.startsWith('|'))
    .join('\n');
}

const LANGUAGES: Readonly<Record<string, string>> = { '.json': 'json', '.sh': 'sh' };

/** What has to stand between the comments; the formatter is told to leave it alone. */
async function partFor(name: string): Promise<string | undefined> {
  const program = /^settings of (.+)$/.exec(name)?.[1];
  if (program !== undefined)
    return `\n<!-- prettier-ignore-start -->\n${await settingsOf(program)}\n<!-- prettier-ignore-end -->\n\n`;
  const language = LANGUAGES[extname(name)];
  return language === undefined ? undefined : `\n\`\`\`${language}\n${read(name)}\`\`\`\n\n`;
}

let readme: string;
let fresh: string;
beforeAll(async () => {
  readme = read('README.md');
  const parts = new Map<string, string | undefined>();
  for (const [, name] of readme.matchAll(PART)) parts.set(name!, await partFor(name!));
  fresh = readme.replaceAll(PART, (whole, name: string) => {
    const part = parts.get(name);
    return part === undefined ? whole : `<!-- begin: ${name} -->\n${part}<!-- end -->`;
  });
  if (!UPDATE || fresh === readme) return;
  writeFileSync(README, fresh);
  readme = fresh;
});

describe('the README', () => {
  it('shows the present settings and example files (UPDATE=1 writes them)', () => {
    expect(readme).toBe(fresh);
  });

  it('names every source file in its tree, and none that is not there', () => {
    const tree = /<!-- begin: tree -->\s+```text\n([\s\S]*?)```/.exec(readme)?.[1] ?? '';
    const [shown, there] = [filesOf(tree), sourceFiles()];
    expect(there.filter((path) => !shown.includes(path))).toEqual([]);
    expect(shown.filter((path) => !there.includes(path))).toEqual([]);
  });

  it('says of every error code what to do', () => {
    const sources = sourceFiles().map(read).join('\n');
    const rows = [...readme.matchAll(/^\| `([A-Z_]+)` +\|/gm)].map((match) => match[1]!);
    const used = [...sources.matchAll(/code: '([A-Z_]+)'/g)].map((match) => match[1]!);
    expect([...new Set(used)].filter((code) => !rows.includes(code))).toEqual([]);
    expect(rows.filter((code) => !sources.includes(`'${code}'`))).toEqual([]);
    expect(rows).toEqual(rows.toSorted());
  });

  it('links to files that exist', () => {
    const links = [...readme.matchAll(/\]\(([^)#:]+)\)/g)].map((match) => match[1]!);
    const missing = links.filter(
      (path) => !readdirSync(join(ROOT, posix.dirname(path))).includes(posix.basename(path)),
    );
    expect(missing).toEqual([]);
  });
});

describe('the example files', () => {
  const files = readdirSync(join(ROOT, 'examples/config')).map((name) => `examples/config/${name}`);

  it.each(files.filter((path) => path.includes('/tap-')))('%s is a configuration of the tap', (path) => {
    expect(() => parseConfig(TapConfig, readJson(path), () => path)).not.toThrow();
  });

  it.each(files.filter((path) => path.includes('/target-')))(
    '%s is a configuration of the target',
    (path) => {
      expect(() => parseConfig(Config, readJson(path), () => path)).not.toThrow();
    },
  );

  it.each(files.filter((path) => path.includes('/catalog-')))('%s selects every stream', (path) => {
    expect([...readSelection(readJson(path), path).keys()]).toEqual(streamNames);
  });

  it('are all shown in the README', () => {
    expect(files.filter((path) => !readme.includes(`<!-- begin: ${path} -->`))).toEqual([]);
  });
});

function sourceFiles(): string[] {
  return readdirSync(join(ROOT, 'src'), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => posix.relative(ROOT, posix.join(entry.parentPath, entry.name)))
    .toSorted();
}

/** The files of a drawn tree that lie below `src`: two spaces a level, folders end with a slash. */
function filesOf(tree: string): string[] {
  const folders: string[] = [];
  const files: string[] = [];
  for (const line of tree.split('\n')) {
    const [, indent, name] = /^( *)(\S+)/.exec(line) ?? [];
    if (indent === undefined || name === undefined) continue;
    folders.length = indent.length / 2;
    if (name.endsWith('/')) folders.push(name.slice(0, -1));
    else files.push([...folders, name].join('/'));
  }
  return files.filter((path) => path.startsWith('src/')).toSorted();
}
