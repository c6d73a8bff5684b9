import { dirname } from 'node:path';
import { UserError } from '../../data/errors.js';
import { AppendFile } from './append-file.js';
import { systemMessage } from './file-system.js';
import type { FileSystem } from './file-system.js';

/**
 * Write a small file so that a reader sees either the old one or the new one, whole, also after a power cut:
 * temporary file, fsync, rename. Throws a UserError when the device does not take it; the old content stays then.
 */
export function writeAtomically(fs: FileSystem, path: string, content: string | readonly Uint8Array[]): void {
  const temporary = `${path}.tmp`;
  try {
    const file = new AppendFile(fs, temporary, 'run folder', fs.open(temporary, 'replace'), 0);
    try {
      file.append(typeof content === 'string' ? [new TextEncoder().encode(content)] : content);
      file.sync();
    } finally {
      file.close();
    }
    fs.rename(temporary, path);
    fs.syncFolder(dirname(path));
  } catch (error) {
    fs.remove(temporary);
    if (error instanceof UserError) throw error;
    throw new UserError(`${path}: cannot be written (${systemMessage(error)})`, { cause: error });
  }
}
