import fs from 'node:fs';
import { dirname } from 'node:path';
import { systemCode } from './system-error.js';

export { systemCode, systemMessage } from './system-error.js';

/**
 * The calls that the store writes with, so that a test can fail them. All are synchronous: a batch of some 100 kB
 * takes 25 us to write and 100 us to hand to a thread, and bytes that are written need no queue. All throw the
 * errors of `node:fs`.
 */
export interface FileSystem {
  /** Open for writing: `new` fails when there is anything of that name, also a link; `change` needs the file. */
  open(path: string, mode: 'new' | 'change'): number;
  /** Write the chunks one after the other from `position` on; gives the bytes written, which may be fewer. */
  write(fd: number, chunks: readonly Uint8Array[], position: number): number;
  /** Read into `target` from `position` on; gives the bytes read, fewer at the end of the file. */
  read(fd: number, target: Uint8Array, position: number): number;
  /** Length of the file in bytes. */
  size(fd: number): number;
  truncate(fd: number, length: number): void;
  /** Bring the file's bytes to the device. */
  sync(fd: number): void;
  close(fd: number): void;
  exists(path: string): boolean;
  /** Whether `path` still names the file that is open. */
  isAt(fd: number, path: string): boolean;
  /** Whether `path` itself is a symbolic link. */
  isLink(path: string): boolean;
  /** Time of the last change, ms since 1970; null where there is no file. */
  modified(path: string): number | null;
  list(folder: string): string[];
  /** Make a folder and those above it; one that is there is no error. */
  makeFolder(path: string): void;
  /** Content of a text file. Fails, instead of waiting, for what is no file (a pipe, a device) or larger than 256 MiB. */
  readText(path: string): string;
  rename(from: string, to: string): void;
  /** Give a file a second name; fails with EEXIST where that is taken. */
  link(from: string, to: string): void;
  /** Remove a file; a missing one is no error. */
  remove(path: string): void;
  /**
   * Bring a folder's entries to the device, so that a new name survives a power cut. Does nothing on file systems that
   * cannot (CIFS, some FUSE mounts): there a rename is as durable as it gets.
   */
  syncFolder(path: string): void;
}

const flags = { new: 'wx+', change: 'r+' } as const;

/** What file systems answer that have no fsync, of folders or at all; a failure of the device is EIO. */
const noSync: ReadonlySet<string | undefined> = new Set(['EINVAL', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS']);

/** A folder may be written in by somebody who must not read it, and some systems open no folders. */
const noOpen: ReadonlySet<string | undefined> = new Set([...noSync, 'EACCES', 'EPERM', 'EISDIR']);

/** Times that an interrupted call is made again. */
export const interruptions = 100;

/**
 * A signal may interrupt a call; libuv repeats most calls then, but neither read nor close. A network file system answers
 * ESTALE for a file that was replaced while it was opened: another try opens the new one.
 */
export function repeated<T>(call: () => T): T {
  for (let left = interruptions; ; left--) {
    try {
      return call();
    } catch (error) {
      const code = systemCode(error);
      if ((code !== 'EINTR' && code !== 'ESTALE') || left === 0) throw error;
    }
  }
}

function ignoring(codes: ReadonlySet<string | undefined>, call: () => void): void {
  try {
    repeated(call);
  } catch (error) {
    if (!codes.has(systemCode(error))) throw error;
  }
}

/**
 * Folder by folder: Node's own recursive mkdir loops for ever where mkdir says ENOENT although the parent is there, as
 * below /proc and at mount points of automounters.
 */
function makeFolder(path: string): void {
  if (isMade(path)) return;
  const parent = dirname(path);
  if (parent !== path) makeFolder(parent);
  if (isMade(path)) return;
  const reason = `ENOENT: ${parent} is there, but takes no new folders, mkdir`;
  throw Object.assign(new Error(reason), { code: 'ENOENT', errno: -2, syscall: 'mkdir', path });
}

/** Make one folder; false where its parent is missing, or the system says so. */
function isMade(path: string): boolean {
  try {
    fs.mkdirSync(path);
    return true;
  } catch (error) {
    if (isFolder(path)) return true;
    if (systemCode(error) === 'ENOENT') return false;
    throw error;
  }
}

function isFolder(path: string): boolean {
  try {
    return fs.statSync(path).isDirectory();
  } catch {
    return false;
  }
}

const maxText = 2 ** 28;

/** Throws an error like the system's for what would keep a reader for ever: a pipe, a device, or too long a file. */
export function requireReadable(path: string, stats: fs.Stats, most = Infinity): void {
  const refuse = (code: string, reason: string): never => {
    throw Object.assign(new Error(`${code}: ${reason}`), { code, syscall: 'read', path });
  };
  if (stats.isDirectory()) refuse('EISDIR', 'it is a folder');
  if (!stats.isFile()) refuse('EINVAL', 'it is no regular file');
  if (stats.size > most) refuse('EFBIG', `it has ${stats.size} bytes`);
}

/** Below this size a copy into one buffer costs less than handing every chunk to writev. */
const joinBelow = 1 << 18;
const joined = new Uint8Array(joinBelow);

/** The file system of this machine. */
export const nodeFileSystem: FileSystem = {
  open: (path, mode) => fs.openSync(path, flags[mode]),
  write(fd, chunks, position) {
    let length = 0;
    for (const chunk of chunks) length += chunk.byteLength;
    if (length > joinBelow) return fs.writevSync(fd, chunks, position);
    let end = 0;
    for (const chunk of chunks) {
      joined.set(chunk, end);
      end += chunk.byteLength;
    }
    return fs.writeSync(fd, joined, 0, end, position);
  },
  read: (fd, target, position) => repeated(() => fs.readSync(fd, target, 0, target.byteLength, position)),
  size: (fd) => fs.fstatSync(fd).size,
  truncate: (fd, length) => fs.ftruncateSync(fd, length),
  sync: (fd) => ignoring(noSync, () => fs.fsyncSync(fd)),
  close(fd) {
    try {
      fs.closeSync(fd);
    } catch (error) {
      // Linux has closed the file although it says EINTR; another try could close somebody else's.
      if (systemCode(error) !== 'EINTR') throw error;
    }
  },
  exists: (path) => fs.existsSync(path),
  isAt(fd, path) {
    const named = fs.statSync(path, { bigint: true, throwIfNoEntry: false });
    const open = fs.fstatSync(fd, { bigint: true });
    return named !== undefined && named.ino === open.ino && named.dev === open.dev;
  },
  isLink: (path) => fs.lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() ?? false,
  modified: (path) => fs.statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? null,
  list: (folder) => fs.readdirSync(folder),
  makeFolder,
  readText: (path) =>
    repeated(() => {
      requireReadable(path, fs.statSync(path), maxText);
      return fs.readFileSync(path, 'utf8');
    }),
  rename: (from, to) => fs.renameSync(from, to),
  link: (from, to) => fs.linkSync(from, to),
  remove(path) {
    try {
      fs.unlinkSync(path);
    } catch (error) {
      if (systemCode(error) !== 'ENOENT') throw error;
    }
  },
  syncFolder(path) {
    ignoring(noOpen, () => {
      const fd = fs.openSync(path, 'r');
      try {
        ignoring(noSync, () => fs.fsyncSync(fd));
      } finally {
        fs.closeSync(fd);
      }
    });
  },
};

/** Remove a file on the way out of a failure, whose reason is the one to be told. */
export function removeQuietly(fileSystem: FileSystem, path: string): void {
  try {
    fileSystem.remove(path);
  } catch {
    // What made the removal necessary is thrown by the caller.
  }
}
