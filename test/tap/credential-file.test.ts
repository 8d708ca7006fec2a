import { chmod, mkdir, readdir, readFile, rm, stat, symlink } from 'node:fs/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { references } from '../../src/shared/references.ts';
import { credentialFile } from '../../src/tap/credential-file.ts';
import type { CredentialStore } from '../../src/tap/credential-store.ts';
import { Scratch } from '../support/programs.ts';

let scratch: Scratch;
beforeEach(async () => {
  scratch = await Scratch.open();
});
afterEach(() => scratch[Symbol.asyncDispose]());

const env = { KNOWN: 'from the environment' };

async function storeWith(credentials: object, more: object = {}): Promise<CredentialStore> {
  const path = await scratch.write(
    'c.json',
    JSON.stringify({ base_url: 'x', credentials, ...more }, null, 2),
  );
  return credentialFile(path, references(env));
}
const text = (name = 'c.json'): Promise<string> => readFile(scratch.at(name), 'utf8');
const mode = async (name = 'c.json'): Promise<number> => (await stat(scratch.at(name))).mode & 0o777;

describe('credentials in a file', () => {
  it('are loaded anew each time, references resolved, without those that lead nowhere yet', async () => {
    const here = await scratch.write('here.txt', 'from a file\n');
    const store = await storeWith({
      auth_type: 'oauth1',
      a: 'env:KNOWN',
      b: 'env:UNKNOWN',
      c: `file:${here}`,
      d: `file:${scratch.at('nowhere')}`,
      e: true,
    });
    expect(await store.load()).toEqual({ auth_type: 'oauth1', a: 'from the environment', c: 'from a file' });
    await store.save({ token: 'new' });
    expect(await store.load()).toMatchObject({ token: 'new' });
  });

  it('go where they are: into the file, or into the file that they refer to', async () => {
    const store = await storeWith({ a: '1', b: `file:${scratch.at('b.txt')}` }, { other: [1, 2] });
    const before = await text();
    await store.save({ a: '2', b: 'secret', d: '4' });
    expect(await text()).toBe(
      before.replace('"a": "1"', '"a": "2"').replace(/b\.txt"/, 'b.txt",\n    "d": "4"'),
    );
    expect(await text('b.txt')).toBe('secret\n');
    expect(await mode('b.txt')).toBe(0o600);
  });

  it('close the file to others when they come into it, and leave its mode alone later', async () => {
    const store = await storeWith({ a: '1' });
    await chmod(scratch.at('c.json'), 0o644);
    await store.save({ a: '2' });
    expect(await mode()).toBe(0o644);
    await store.save({ b: '2' });
    expect(await mode()).toBe(0o600);
    await chmod(scratch.at('c.json'), 0o640);
    await store.save({ b: '3' });
    expect(await mode()).toBe(0o640);
  });

  it('are not put into variables; nothing else is then written either', async () => {
    const store = await storeWith({ a: '1', b: 'env:KNOWN' });
    const before = await text();
    for (const refused of [
      () => store.save({ a: 'hush', b: 'hush' }),
      () => store.expectWritable!(['a', 'b']),
    ])
      await expect(refused()).rejects.toThrow(/^credentials\.b: .*variable KNOWN.*"file:PATH"/);
    await expect(store.save({ b: 'hush' })).rejects.not.toThrow(/hush/);
    expect(await text()).toBe(before);
    await expect(store.expectWritable!(['a', 'new'])).resolves.toBeUndefined();
  });

  it('leave the old text behind when they cannot be written, and no litter', async () => {
    await mkdir(scratch.at('b.txt'));
    const store = await storeWith({ a: '1', b: `file:${scratch.at('b.txt')}` });
    const before = await text();
    await expect(store.save({ a: '2', b: 'x' })).rejects.toThrow(/b\.txt: cannot be written \(EISDIR\)/);
    expect(await text()).toBe(before);
    expect((await readdir(scratch.path)).toSorted()).toEqual(['b.txt', 'c.json']);
  });

  it('are kept where a link leads', async () => {
    const store = await storeWith({ a: '1' });
    await symlink(scratch.at('c.json'), scratch.at('link.json'));
    await credentialFile(scratch.at('link.json'), references({})).save({ a: '2' });
    expect(await store.load()).toEqual({ a: '2' });
    await rm(scratch.at('link.json'));
  });
});
