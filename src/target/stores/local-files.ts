import { link, mkdir, open, rename, unlink } from 'node:fs/promises';
import { dirname } from 'node:path';
import { configError, ConnectorError, errnoOf, messageOf, transientError } from '../../shared/errors.ts';

/**
 * Makes a folder and the ones above it; each new one is flushed to the disk. (The recursive mode of `mkdir` never
 * ends where nothing can be made, as in /proc.)
 */
export async function makeFolder(folder: string): Promise<void> {
  try {
    await mkdir(folder);
  } catch (cause) {
    if (errnoOf(cause) === 'EEXIST') return;
    if (errnoOf(cause) !== 'ENOENT' || dirname(folder) === folder) throw cause;
    await makeFolder(dirname(folder));
    await mkdir(folder).catch((error) => {
      if (errnoOf(error) !== 'EEXIST') throw error;
    });
  }
  await syncFolder(dirname(folder));
}

/** Flushes the names in a folder to the disk. */
export async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Gives a file that is on the disk its final name, durably. Fails if that name is taken. */
export async function publish(temporary: string, file: string): Promise<void> {
  try {
    await link(temporary, file);
    await unlink(temporary);
  } catch (cause) {
    if (!['EPERM', 'ENOTSUP', 'ENOSYS', 'EMLINK'].includes(errnoOf(cause) ?? '')) throw cause;
    await rename(temporary, file); // a file system without hard links; the names of objects are unique anyway
  }
  await syncFolder(dirname(file));
}

/** For `catch`: what does not exist is undefined. */
export function orUndefined(cause: unknown): undefined {
  if (errnoOf(cause) === 'ENOENT' || errnoOf(cause) === 'ENOTDIR') return undefined;
  throw cause;
}

/** What a file system said, as an error that tells the user what to do. */
export function explainFileError(root: string, cause: unknown): ConnectorError {
  if (cause instanceof ConnectorError) return cause;
  const said = messageOf(cause);
  switch (errnoOf(cause)) {
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
      return configError(`local_path ${root} cannot be written: ${said}; give this user write permission`, {
        code: 'STORE_DENIED',
        cause,
      });
    case 'ENOENT':
    case 'ENOTDIR':
    case 'EEXIST':
      return configError(`local_path ${root} cannot be used: ${said}; choose a folder of its own`, {
        code: 'STORE_UNUSABLE',
        cause,
      });
    case 'ENOSPC':
    case 'EDQUOT':
      return transientError(`local_path ${root} is full: ${said}; make room and run again`, {
        code: 'STORE_FULL',
        cause,
      });
    default:
      return transientError(`local_path ${root}: ${said}`, { code: 'STORE_FAILED', cause });
  }
}
