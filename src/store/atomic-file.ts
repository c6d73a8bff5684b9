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
  const temporary = temporaryPath(path);
  try {
    const file = new AppendFile(fs, temporary, 'run folder', fs.open(temporary, 'new'), 0);
    try {
      file.append(typeof content === 'string' ? [new TextEncoder().encode(content)] : content);
      file.sync();
    } finally {
      file.close();
    }
    fs.rename(temporary, path);
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
