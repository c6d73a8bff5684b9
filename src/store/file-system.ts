import fs from 'node:fs';

/**
 * The calls that the store writes with, so that a test can fail them. All are synchronous: a batch of some 100 kB
 * takes 25 us to write and 100 us to hand to a thread, and bytes that are written need no queue. All throw the
 * errors of `node:fs`.
 */
export interface FileSystem {
  /** Open for writing: `new` fails when the file exists, `replace` empties it, `change` needs it to exist. */
  open(path: string, mode: 'new' | 'replace' | 'change'): number;
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
  list(folder: string): string[];
  makeFolder(path: string): void;
  readText(path: string): string;
  rename(from: string, to: string): void;
  /** Remove a file; a missing one is no error. */
  remove(path: string): void;
  /** Bring a folder's entries to the device, so that a new name survives a power cut. */
  syncFolder(path: string): void;
}

const flags = { new: 'wx+', replace: 'w+', change: 'r+' } as const;

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
  read: (fd, target, position) => fs.readSync(fd, target, 0, target.byteLength, position),
  size: (fd) => fs.fstatSync(fd).size,
  truncate: (fd, length) => fs.ftruncateSync(fd, length),
  sync: (fd) => fs.fsyncSync(fd),
  close: (fd) => fs.closeSync(fd),
  exists: (path) => fs.existsSync(path),
  list: (folder) => fs.readdirSync(folder),
  makeFolder: (path) => void fs.mkdirSync(path, { recursive: true }),
  readText: (path) => fs.readFileSync(path, 'utf8'),
  rename: (from, to) => fs.renameSync(from, to),
  remove: (path) => fs.rmSync(path, { force: true }),
  syncFolder(path) {
    const fd = fs.openSync(path, 'r');
    try {
      fs.fsyncSync(fd);
    } finally {
      fs.closeSync(fd);
    }
  },
};

/** What the system says about a failure (`ENOSPC: no space left on device, write`), without a stack. */
export function systemMessage(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Code of a system error (`ENOSPC`), or undefined for anything else. */
export function systemCode(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}
