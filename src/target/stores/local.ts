import { open, readdir, readFile, rename, stat, unlink } from 'node:fs/promises';
import { basename, dirname, join, resolve, sep } from 'node:path';
import { systemError } from '../../shared/errors.ts';
import { Slots } from '../../shared/slots.ts';
import { explainFileError, makeFolder, orUndefined, publish, syncFolder } from './local-files.ts';
import type { Leftover, Store, StoredObject, Upload } from './store.ts';

/** More would take all threads that also compress. */
const FILES_AT_ONCE = 2;

/**
 * A folder as a store. An object is written under a temporary name that begins with a dot, flushed to the disk
 * and then given its own name, if that is free; the folder is flushed as well.
 */
export function localStore(path: string): Store {
  const root = resolve(path);
  const slots = new Slots(FILES_AT_ONCE);
  const fileOf = (key: string): string => {
    const file = join(root, key);
    if (!file.startsWith(root.endsWith(sep) ? root : root + sep))
      throw systemError(`${key} leads out of ${root}`);
    return file;
  };
  const doing = async <T>(act: () => Promise<T>): Promise<T> => {
    const release = await slots.acquire();
    try {
      return await act();
    } catch (cause) {
      throw explainFileError(root, cause);
    } finally {
      release();
    }
  };
  return {
    name: root,
    partBytes: 1024 * 1024,
    create: (key) => localUpload(fileOf(key), doing),
    replace: (key, bytes) => {
      const file = fileOf(key);
      return doing(async () => {
        await makeFolder(dirname(file));
        await append(hidden(file), 'w', bytes, true);
        await rename(hidden(file), file);
        await syncFolder(dirname(file));
      });
    },
    get: (key) => doing(() => readFile(fileOf(key)).catch(orUndefined)),
    list: (prefix) => listFiles(root, prefix),
    folders: async function* (prefix) {
      const entries = await readdir(join(root, prefix), { withFileTypes: true }).catch(orUndefined);
      for (const entry of entries ?? []) if (entry.isDirectory()) yield entry.name;
    },
    leftovers: (prefix) => listTemporary(root, prefix),
    clockAhead: () => undefined,
    remove: (key) =>
      doing(async () => {
        await unlink(fileOf(key)).catch(orUndefined);
      }),
  };
}

function localUpload(file: string, doing: <T>(act: () => Promise<T>) => Promise<T>): Upload {
  let begun = false;
  const add = async (bytes: Uint8Array, durable: boolean): Promise<void> => {
    if (!begun) await makeFolder(dirname(file));
    // Opened anew for each part: there may be more objects under way than a process may have files open.
    await append(hidden(file), begun ? 'a' : 'wx', bytes, durable);
    begun = true;
  };
  const abort = async (): Promise<void> => {
    if (begun) await unlink(hidden(file)).catch(() => undefined);
  };
  return {
    write: (part) => doing(() => add(part, false)),
    finish: (rest) =>
      doing(async () => {
        try {
          await add(rest, true);
          await publish(hidden(file), file);
        } catch (error) {
          await abort();
          throw error;
        }
      }),
    abort,
  };
}

const TEMPORARY = /^\.(.+)\.tmp$/;

function hidden(file: string): string {
  return join(dirname(file), `.${basename(file)}.tmp`);
}

async function append(file: string, flags: string, bytes: Uint8Array, durable: boolean): Promise<void> {
  const handle = await open(file, flags);
  try {
    await handle.appendFile(bytes);
    if (durable) await handle.sync();
  } finally {
    await handle.close();
  }
}

async function* listTemporary(root: string, prefix: string): AsyncGenerator<Leftover> {
  const folder = prefix.slice(0, prefix.lastIndexOf('/') + 1);
  const entries = await readdir(join(root, folder), { withFileTypes: true }).catch(orUndefined);
  for (const entry of entries ?? []) {
    if (entry.isDirectory()) yield* listTemporary(root, `${folder}${entry.name}/`);
    const name = TEMPORARY.exec(entry.name)?.[1];
    if (name === undefined || !entry.isFile()) continue;
    const file = join(root, folder, entry.name);
    const found = await stat(file).catch(orUndefined);
    if (found === undefined) continue;
    const remove = (): Promise<void> => unlink(file).catch(orUndefined);
    yield { key: folder + name, begunAt: found.birthtimeMs, remove };
  }
}

async function* listFiles(root: string, prefix: string): AsyncGenerator<StoredObject> {
  const folder = prefix.slice(0, prefix.lastIndexOf('/') + 1);
  const entries = await readdir(join(root, folder), { withFileTypes: true }).catch(orUndefined);
  for (const entry of (entries ?? []).toSorted((a, b) => compare(sortName(a), sortName(b)))) {
    const key = folder + entry.name;
    if (!key.startsWith(prefix)) continue;
    if (entry.isDirectory()) yield* listFiles(root, `${key}/`);
    else if (!entry.name.startsWith('.')) {
      const found = await stat(join(root, key)).catch(orUndefined);
      if (found !== undefined) yield { key, bytes: found.size, modifiedAt: found.mtimeMs };
    }
  }
}

/** The order of whole keys, where what follows a folder's name is a slash. */
function sortName(entry: { readonly name: string; isDirectory(): boolean }): string {
  return entry.isDirectory() ? `${entry.name}/` : entry.name;
}

function compare(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}
