import { randomBytes } from 'node:crypto';
import { chmod, readdir, writeFile } from 'node:fs/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { localStore } from '../../src/target/stores/local.ts';
import { Scratch } from '../support/programs.ts';
import { storeContract } from '../support/store-contract.ts';

let scratch: Scratch;
beforeEach(async () => {
  scratch = await Scratch.open();
});
afterEach(() => scratch[Symbol.asyncDispose]());

describe('a folder', () => {
  storeContract(() => Promise.resolve(localStore(scratch.at('lake'))));

  it('shows only hidden files until an object is complete, and none after it', async () => {
    const store = localStore(scratch.path);
    const upload = store.create('s/big', 'text/plain');
    await upload.write(randomBytes(store.partBytes));
    expect(await readdir(scratch.at('s'))).toEqual(['.big.tmp']);
    await upload.finish(Buffer.alloc(1));
    expect(await readdir(scratch.at('s'))).toEqual(['big']);
  });

  it.each(['../x', '/../x', 'a/../../x'])('refuses the key %s', async (key) => {
    expect(() => localStore(scratch.at('lake')).create(key, 'text/plain')).toThrow('leads out');
  });

  it('says that it cannot be written', async () => {
    await writeFile(scratch.at('file'), '');
    const store = localStore(scratch.at('file'));
    await expect(store.replace('a/b', Buffer.from(''))).rejects.toMatchObject({ kind: 'config' });
    await expect(store.replace('a/b', Buffer.from(''))).rejects.toThrow(scratch.at('file'));
  });

  it.skipIf(process.getuid?.() === 0)('says that permission is missing', async () => {
    await chmod(scratch.path, 0o500);
    const store = localStore(scratch.path);
    await expect(store.replace('a', Buffer.from(''))).rejects.toMatchObject({ code: 'STORE_DENIED' });
    await chmod(scratch.path, 0o700);
  });
});
