import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { loadConfig, parseConfig, secret } from '../../src/shared/config.ts';
import { Secret } from '../../src/shared/secret.ts';

const Schema = z.strictObject({
  base_url: z.string(),
  page_size: z.int().min(1).max(100).default(50),
  ratio: z.number().optional(),
  validate: z.boolean().default(false),
  projects: z.array(z.string()).optional(),
  token: secret({ title: 'Token', description: 'x' }).optional(),
  nested: z.strictObject({ deep: z.string(), deeper: z.string().optional() }).optional(),
  login: z
    .discriminatedUnion('kind', [
      z.strictObject({ kind: z.literal('name'), name: z.string(), scoped: z.boolean().optional() }),
      z.strictObject({ kind: z.literal('key'), key_id: z.string() }),
    ])
    .optional(),
});

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'config-'));
});
afterAll(() => rm(folder, { recursive: true }));

async function file(name: string, value: unknown): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, typeof value === 'string' ? value : JSON.stringify(value));
  return path;
}

const load = (paths: readonly string[], env: Record<string, string> = {}) =>
  loadConfig(Schema, { paths, env, envPrefix: 'TAP_' });

describe('a configuration', () => {
  it('takes later files and then the environment over earlier ones, key by key', async () => {
    const a = await file('a.json', { base_url: 'a', page_size: 1, projects: ['A'] });
    const b = await file('b.json', '\uFEFF{"base_url":"b","projects":["B"]}');
    expect(await load([a, b])).toMatchObject({
      base_url: 'b',
      page_size: 1,
      projects: ['B'],
      validate: false,
    });
    const env = {
      TAP_PAGE_SIZE: '7',
      TAP_VALIDATE: 'Yes',
      TAP_PROJECTS: '["C"]',
      TAP_RATIO: '0.5',
      TAP_BASE_URL: '',
    };
    expect(await load([a, 'ENV', b], env)).toEqual({
      base_url: 'b',
      page_size: 7,
      validate: true,
      projects: ['C'],
      ratio: 0.5,
    });
    expect(await load([a, b], env)).toMatchObject({ page_size: 1 });
    expect(await load(['ENV'], { TAP_BASE_URL: 'e' })).toMatchObject({ base_url: 'e', page_size: 50 });
  });

  it('takes members of objects from variables of their own, and leaves the others as they were', async () => {
    const a = await file('a.json', { base_url: 'a', nested: { deep: 'a', deeper: 'a' } });
    const env = { TAP_NESTED_DEEP: 'e', TAP_LOGIN_KIND: 'name', TAP_LOGIN_NAME: '7', TAP_LOGIN_SCOPED: 'on' };
    expect(await load(['ENV', a], env)).toMatchObject({
      nested: { deep: 'e', deeper: 'a' },
      login: { kind: 'name', name: '7', scoped: true },
    });
    const both = { TAP_BASE_URL: 'x', TAP_LOGIN: '{"kind":"name","name":"n"}', TAP_LOGIN_NAME: 'm' };
    expect(await load(['ENV'], both)).toMatchObject({ login: { kind: 'name', name: 'm' } });
    await expect(load(['ENV', a], { ...env, TAP_LOGIN_SCOPED: 'perhaps' })).rejects.toThrow(
      'environment: TAP_LOGIN_SCOPED: must be true or false',
    );
  });

  it('follows references at any depth', async () => {
    const token = await file('token.txt', 'from file\n');
    const path = await file('r.json', {
      base_url: 'env:URL',
      token: `file:${token}`,
      projects: ['env:KEY', 'plain'],
      nested: { deep: 'env:KEY' },
    });
    const config = await load([path], { URL: 'u', KEY: 'K' });
    expect(config).toMatchObject({ base_url: 'u', projects: ['K', 'plain'], nested: { deep: 'K' } });
    expect(config.token).toBeInstanceOf(Secret);
    expect(config.token!.reveal()).toBe('from file');
  });

  it('ignores nulls and comments that begin with an underscore', () => {
    const values = { base_url: 'x', ratio: null, _note: 'hello', projects: null };
    expect(parseConfig(Schema, values, () => 'f')).toEqual({ base_url: 'x', page_size: 50, validate: false });
  });

  it.each<[string, unknown, RegExp]>([
    ['missing', {}, /^FILE: base_url: missing; give a string$/],
    ['of another type', { base_url: 5 }, /^FILE: base_url: must be of type string, not number$/],
    ['a list for a text', { base_url: ['x'] }, /base_url: must be of type string, not array/],
    ['out of range', { base_url: 'x', page_size: 0 }, /^FILE: page_size: must be at least 1$/],
    [
      'mistyped',
      { base_url: 'x', pagesize: 5 },
      /^FILE: pagesize: unknown setting; did you mean page_size\?$/,
    ],
    ['unheard of', { base_url: 'x', quux: 5 }, /^FILE: quux: unknown setting$/],
    ['unknown inside', { base_url: 'x', nested: { deep: 'x', a: 1 } }, /^FILE: nested\.a: unknown setting$/],
    ['several', { page_size: 'x', nested: 1 }, /base_url: missing.*\n.*page_size.*\n.*nested/],
    ['a dangling variable', { base_url: 'env:NOPE' }, /^base_url: the environment variable NOPE is not set$/],
    [
      'a dangling file',
      { base_url: 'file:/no/such/file' },
      /\/no\/such\/file: the base_url file: no such file/,
    ],
    ['no object', '[]', /^FILE: the config file must hold one JSON object$/],
    [
      'no JSON',
      '{\n  "base_url": "hush",\n  oops}',
      /^FILE: the config file is not valid JSON: line 3, column 3$/,
    ],
    ['empty', ' ', /^FILE: the config file is not valid JSON: it is empty$/],
  ])('that is %s is refused by name', async (name, value, expected) => {
    const path = await file(`${name.replaceAll(' ', '-')}.json`, value);
    const error: unknown = await load([path]).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ kind: 'config' });
    const { message } = error as Error;
    expect(message.replaceAll(path, 'FILE')).toMatch(expected);
    expect(message).not.toContain('hush');
  });

  it.each([
    ['TAP_PAGE_SIZE', 'many', 'must be a number'],
    ['TAP_VALIDATE', 'perhaps', 'must be true or false'],
    ['TAP_PROJECTS', 'A,B', 'must be JSON'],
  ])('of the environment: %s=%s %s', async (name, text, problem) => {
    await expect(load(['ENV'], { TAP_BASE_URL: 'x', [name]: text })).rejects.toThrow(
      `environment: ${name}: ${problem}`,
    );
  });

  it('names the file in which the wrong setting stands', async () => {
    const a = await file('one.json', { base_url: 'x', page_size: 0 });
    const b = await file('two.json', { ratio: 'x' });
    const error: unknown = await load([a, b]).catch((thrown: unknown) => thrown);
    expect((error as Error).message.split('\n').toSorted()).toEqual([
      expect.stringMatching(/one\.json: page_size: /),
      expect.stringMatching(/two\.json: ratio: /),
    ]);
  });

  it('that does not exist is refused by its path', async () => {
    await expect(load([join(folder, 'none.json')])).rejects.toThrow(
      /none\.json: the config file: no such file/,
    );
  });
});
