import { dirname } from 'node:path';
import { UserError } from '../../data/errors.js';
import { AppendFile } from './append-file.js';
import { removeQuietly, systemMessage } from './file-system.js';
import type { FileSystem } from './file-system.js';
import { adviceFor, systemCode } from './system-error.js';
import { temporaryPath } from './temporary.js';

/**
 * Write a small file so that a reader sees either the old one or the new one, whole, also after a power cut and while
 * other processes write it too: a new file under a name of its own, fsync, rename. Throws a UserError when the device
 * does not take it; the old content stays then.
 */
export function writeAtomically(fs: FileSystem, path: string, content: string | readonly Uint8Array[]): void {
  write(fs, path, content, (temporary) => fs.rename(temporary, path));
}

/** The same for a file that must not be there yet: throws a UserError where anything of its name is. */
export function writeNewFile(fs: FileSystem, path: string, content: string | readonly Uint8Array[]): void {
  refuseExisting(fs, path);
  write(fs, path, content, (temporary) => {
    try {
      // Unlike a rename it takes no other file's place.
      fs.link(temporary, path);
    } catch (error) {
      if (systemCode(error) === 'EEXIST') throw alreadyThere(path);
      // A file system without second names.
      refuseExisting(fs, path);
      fs.rename(temporary, path);
      return;
    }
    fs.remove(temporary);
  });
}

/** Throws a UserError where there is anything of this name. */
export function refuseExisting(fs: FileSystem, path: string): void {
  if (fs.exists(path) || fs.isLink(path)) throw alreadyThere(path);
}

const alreadyThere = (path: string): UserError =>
  new UserError(`${path}: is there already; give another name, or remove it`);

/** @param publish gives the whole file, which has a name of its own, the name that is meant */
function write(
  fs: FileSystem,
  path: string,
  content: string | readonly Uint8Array[],
  publish: (temporary: string) => void,
): void {
  const temporary = temporaryPath(path);
  try {
    const file = new AppendFile(fs, temporary, 'run folder', fs.open(temporary, 'new'), 0);
    try {
      file.append(typeof content === 'string' ? [new TextEncoder().encode(content)] : content);
      file.sync();
    } finally {
      file.close();
    }
    publish(temporary);
    fs.syncFolder(dirname(path));
  } catch (error) {
    removeQuietly(fs, temporary);
    if (error instanceof UserError) throw error;
    throw new UserError(
      `${path}: cannot be written (${systemMessage(error)}); ${adviceFor(systemCode(error))}`,
      { cause: error },
    );
  }
}
