import { randomBytes } from 'node:crypto';
import { expect, it } from 'vitest';
import type { Store } from '../../src/target/stores/store.ts';

/** What every store promises; `open` gives an empty one. */
export function storeContract(open: () => Promise<Store>): void {
  const text = async (store: Store, key: string): Promise<string | undefined> => {
    const bytes = await store.get(key);
    return bytes === undefined ? undefined : Buffer.from(bytes).toString();
  };
  const listed = async (store: Store, prefix: string): Promise<string[]> => {
    const keys: string[] = [];
    for await (const { key } of store.list(prefix)) keys.push(key);
    return keys;
  };

  it('keeps a small object', async () => {
    const store = await open();
    await store.create('a/b=c/d.txt', 'text/plain').finish(Buffer.from('hello'));
    expect(await text(store, 'a/b=c/d.txt')).toBe('hello');
    expect(await text(store, 'a/b=c/other')).toBeUndefined();
    expect(await text(store, 'x/y/z')).toBeUndefined();
  });

  it('keeps an empty object', async () => {
    const store = await open();
    await store.create('empty', 'text/plain').finish(Buffer.alloc(0));
    expect(await text(store, 'empty')).toBe('');
  });

  it('keeps an object of many parts, which cannot be seen before it is complete', async () => {
    const store = await open();
    const parts = [0, 1, 2, 3].map((more) => randomBytes(store.partBytes + more));
    const rest = randomBytes(1000);
    const upload = store.create('s/big', 'application/octet-stream');
    for (const part of parts) await upload.write(part);
    expect(await store.get('s/big')).toBeUndefined();
    expect(await listed(store, '')).toEqual([]);
    await upload.finish(rest);
    const found = Buffer.from((await store.get('s/big'))!);
    expect(found.equals(Buffer.concat([...parts, rest]))).toBe(true);
  });

  it('keeps an object whose last part is the whole rest', async () => {
    const store = await open();
    const part = randomBytes(store.partBytes);
    const upload = store.create('s/one', 'application/octet-stream');
    await upload.write(part);
    await upload.finish(Buffer.alloc(0));
    expect(Buffer.from((await store.get('s/one'))!).equals(part)).toBe(true);
  });

  it('does not overwrite an object', async () => {
    const store = await open();
    await store.create('a', 'text/plain').finish(Buffer.from('first'));
    await expect(store.create('a', 'text/plain').finish(Buffer.from('second'))).rejects.toThrow();
    const large = store.create('a', 'text/plain');
    await large.write(randomBytes(store.partBytes));
    await expect(large.finish(Buffer.from('third'))).rejects.toThrow();
    await large.abort();
    expect(await text(store, 'a')).toBe('first');
    expect(await listed(store, '')).toEqual(['a']);
  });

  it('replaces an object when told to', async () => {
    const store = await open();
    for (const word of ['first', 'second']) await store.replace('r/a.json', Buffer.from(word));
    expect(await text(store, 'r/a.json')).toBe('second');
  });

  it('forgets an object that is given up', async () => {
    const store = await open();
    const upload = store.create('s/gone', 'text/plain');
    await upload.write(randomBytes(store.partBytes));
    await upload.abort();
    await store.create('s/never', 'text/plain').abort();
    expect(await listed(store, '')).toEqual([]);
  });

  it('lists in the order of the keys and removes', async () => {
    const store = await open();
    const keys = ['a', 'a-b/x', 'a.b', 'a/b', 'a/b.c', 'a/b/c', 'b/_commits/1', 'é/ü'];
    for (const key of keys.filter((key) => key !== 'a' && key !== 'a/b').toReversed())
      await store.create(key, 'text/plain').finish(Buffer.from(key));
    const present = ['a-b/x', 'a.b', 'a/b.c', 'a/b/c', 'b/_commits/1', 'é/ü'];
    expect(await listed(store, '')).toEqual(present);
    expect(await listed(store, 'a/')).toEqual(['a/b.c', 'a/b/c']);
    expect(await listed(store, 'a/b')).toEqual(['a/b.c', 'a/b/c']);
    expect(await listed(store, 'b/_commits/')).toEqual(['b/_commits/1']);
    expect(await listed(store, 'nothing/')).toEqual([]);
    await store.remove('a.b');
    await store.remove('a.b');
    expect(await listed(store, 'a')).toEqual(['a-b/x', 'a/b.c', 'a/b/c']);
  });

  it('writes many objects at the same time', async () => {
    const store = await open();
    const keys = Array.from({ length: 60 }, (_, i) => `many/k${String(i).padStart(2, '0')}`);
    await Promise.all(keys.map((key) => store.create(key, 'text/plain').finish(Buffer.from(key))));
    expect(await listed(store, 'many/')).toEqual(keys);
  });
}
