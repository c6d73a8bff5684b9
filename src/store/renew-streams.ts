import { join } from 'node:path';
import { UserError } from '../../data/errors.js';
import { AppendFile } from './append-file.js';
import { removeQuietly, systemCode, systemMessage } from './file-system.js';
import type { FileSystem } from './file-system.js';
import { adviceFor } from './system-error.js';
import { temporaryPath } from './temporary.js';

/** Bytes that are copied at a time. */
const chunkBytes = 2 ** 23;

/**
 * Give the streams of a run folder files of their own: copies under the same names. The process that wrote them may be cut off
 * and not dead; what it still has in hand then reaches the files that have no name any more. Throws a UserError when the
 * device does not take the copies; every stream is whole then, the old one or the new one.
 */
export function renewStreams(fs: FileSystem, folder: string): void {
  for (const name of fs.list(folder)) {
    if (name.endsWith('.arrows')) renew(fs, join(folder, name));
  }
}

function renew(fs: FileSystem, path: string): void {
  const copy = temporaryPath(path);
  try {
    const source = fs.open(path, 'change');
    try {
      const file = new AppendFile(fs, copy, 'run folder', fs.open(copy, 'new'), 0);
      try {
        const chunk = new Uint8Array(chunkBytes);
        for (let read = fs.read(source, chunk, 0); read > 0; read = fs.read(source, chunk, file.offset))
          file.append([chunk.subarray(0, read)]);
        file.sync();
      } finally {
        file.close();
      }
    } finally {
      fs.close(source);
    }
    fs.rename(copy, path);
  } catch (error) {
    removeQuietly(fs, copy);
    if (error instanceof UserError) throw error;
    throw new UserError(
      `${path}: cannot be copied (${systemMessage(error)}); ${adviceFor(systemCode(error))}`,
      { cause: error },
    );
  }
}
