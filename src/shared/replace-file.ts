import { randomBytes } from 'node:crypto';
import { open, realpath, rename, stat, unlink } from 'node:fs/promises';
import { dirname } from 'node:path';
import { errnoOf } from './errors.ts';

/**
 * Puts `text` into a file, whole or not at all: whoever reads it meanwhile, or after a crash, finds the old text or
 * the new one. Resolves once a crash cannot lose it. A link stays a link, the file's owner stays its owner.
 */
export async function replaceFile(path: string, text: string, mode: number): Promise<void> {
  const file = await realpath(path).catch((cause: unknown) => {
    if (errnoOf(cause) === 'ENOENT') return path;
    throw cause;
  });
  const temporary = `${file}.${randomBytes(6).toString('hex')}.tmp`;
  try {
    // Nobody else may look while it is written, whatever the final mode.
    const handle = await open(temporary, 'wx', 0o600);
    try {
      await handle.writeFile(text);
      await keepOwner(handle.chown.bind(handle), file);
      await handle.chmod(mode);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(temporary, file);
  } catch (error) {
    await unlink(temporary).catch(() => undefined);
    throw error;
  }
  await syncFolder(dirname(file));
}

/** Root may give the file back to its owner; nobody else has to. */
async function keepOwner(chown: (uid: number, gid: number) => Promise<void>, file: string): Promise<void> {
  const before = await stat(file).catch(() => undefined);
  if (before !== undefined) await chown(before.uid, before.gid).catch(() => undefined);
}

/** Flushes the names in a folder to the disk, where the system lets a folder be opened. */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r').catch(() => undefined);
  try {
    await handle?.sync();
  } finally {
    await handle?.close();
  }
}
