import { UserError } from '../../data/errors.js';
import { AppendFile } from './append-file.js';
import { removeQuietly, systemCode, systemMessage } from './file-system.js';
import type { FileSystem } from './file-system.js';
import { adviceFor } from './system-error.js';
import { temporaryPath } from './temporary.js';

/**
 * Create a file that must not exist; gives false when it does. It gets its name with its content, so that a kill leaves
 * no lock that says nothing.
 */
export function createNew(fs: FileSystem, path: string, text: string): boolean {
  const temporary = temporaryPath(path);
  try {
    writeNew(fs, temporary, text);
    fs.link(temporary, path);
    return true;
  } catch (error) {
    const code = systemCode(error);
    if (code === 'EEXIST') return false;
    if (error instanceof UserError) throw error;
    if (withoutLinks.has(code) && fs.exists(temporary)) return createInPlace(fs, path, text);
    throw new UserError(`${path}: cannot be created (${systemMessage(error)}); ${adviceFor(code)}`, {
      cause: error,
    });
  } finally {
    removeQuietly(fs, temporary);
  }
}

/** What file systems answer that have no hard links (FAT, some FUSE and network mounts). */
const withoutLinks: ReadonlySet<string | undefined> = new Set([
  'EPERM',
  'ENOTSUP',
  'EOPNOTSUPP',
  'ENOSYS',
  'EMLINK',
]);

function createInPlace(fs: FileSystem, path: string, text: string): boolean {
  try {
    writeNew(fs, path, text);
    return true;
  } catch (error) {
    if (systemCode(error) === 'EEXIST') return false;
    throw error;
  }
}

function writeNew(fs: FileSystem, path: string, text: string): void {
  const file = new AppendFile(fs, path, 'run folder', fs.open(path, 'new'), 0);
  try {
    file.append([new TextEncoder().encode(text)]);
  } catch (error) {
    removeQuietly(fs, path);
    throw error;
  } finally {
    file.close();
  }
}
