import type { FileSystem } from './file-system.js';

/**
 * A file system that asks before every call that changes a file under its name whether that may still be done. A process
 * that was stopped for long, or cut off, wakes up where it was: what it had in hand must not reach the files of whoever
 * took the folder over.
 *
 * @param requireOwn throws where it may not
 */
export function fenced(fs: FileSystem, requireOwn: () => void): FileSystem {
  return {
    ...fs,
    open(path, mode) {
      requireOwn();
      return fs.open(path, mode);
    },
    write(fd, chunks, position) {
      requireOwn();
      return fs.write(fd, chunks, position);
    },
    truncate(fd, length) {
      requireOwn();
      fs.truncate(fd, length);
    },
    rename(from, to) {
      requireOwn();
      fs.rename(from, to);
    },
    link(from, to) {
      requireOwn();
      fs.link(from, to);
    },
  };
}
