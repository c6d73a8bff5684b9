import { posix } from 'node:path';
import type { FileSystem } from '../../src/store/file-system.js';

interface MemoryFile {
  bytes: Uint8Array;
  modified: number;
}

/** An error of a system call. */
export function systemError(code: string, errno = -1): Error {
  return Object.assign(new Error(`${code}: made up`), { code, errno, syscall: 'open' });
}

/**
 * A file system that is a table of names, with a clock of its own; hard links are names of one file. Its calls
 * are properties, so that it can be spread.
 */
export class MemoryFileSystem implements FileSystem {
  readonly files = new Map<string, MemoryFile>();
  private readonly open_ = new Map<number, MemoryFile>();
  private descriptors = 100;

  constructor(private readonly clock: () => number) {}

  open = (path: string, mode: 'new' | 'change'): number => {
    const found = this.files.get(path);
    if (mode === 'new' && found !== undefined) throw systemError('EEXIST');
    if (mode === 'change' && found === undefined) throw systemError('ENOENT');
    const file = found ?? { bytes: new Uint8Array(), modified: this.clock() };
    this.files.set(path, file);
    this.open_.set(++this.descriptors, file);
    return this.descriptors;
  };

  write = (fd: number, chunks: readonly Uint8Array[], position: number): number => {
    const file = this.fileOf(fd);
    const bytes = Buffer.concat(chunks);
    const end = position + bytes.length;
    if (end > file.bytes.length)
      file.bytes = Buffer.concat([file.bytes, Buffer.alloc(end - file.bytes.length)]);
    file.bytes.set(bytes, position);
    file.modified = this.clock();
    return bytes.length;
  };

  read = (fd: number, target: Uint8Array, position: number): number => {
    const bytes = this.fileOf(fd).bytes.subarray(position, position + target.byteLength);
    target.set(bytes);
    return bytes.length;
  };

  size = (fd: number): number => this.fileOf(fd).bytes.length;
  truncate = (fd: number, length: number): void => {
    const file = this.fileOf(fd);
    file.bytes = file.bytes.slice(0, length);
  };
  sync = (): void => {};
  close = (fd: number): void => void this.open_.delete(fd);
  exists = (path: string): boolean =>
    this.files.has(path) || [...this.files.keys()].some((own) => own.startsWith(`${path}/`));
  isAt = (fd: number, path: string): boolean => this.files.get(path) === this.fileOf(fd);
  isLink = (): boolean => false;
  modified = (path: string): number | null => this.files.get(path)?.modified ?? null;
  list = (folder: string): string[] =>
    [...this.files.keys()]
      .filter((path) => posix.dirname(path) === folder)
      .map((path) => posix.basename(path));
  makeFolder = (): void => {};

  readText = (path: string): string => {
    const file = this.files.get(path);
    if (file === undefined) throw systemError('ENOENT');
    return Buffer.from(file.bytes).toString('utf8');
  };

  rename = (from: string, to: string): void => {
    const file = this.files.get(from);
    if (file === undefined) throw systemError('ENOENT');
    this.files.delete(from);
    this.files.set(to, file);
  };

  link = (from: string, to: string): void => {
    const file = this.files.get(from);
    if (file === undefined) throw systemError('ENOENT');
    if (this.files.has(to)) throw systemError('EEXIST');
    this.files.set(to, file);
  };

  remove = (path: string): void => void this.files.delete(path);
  syncFolder = (): void => {};

  private fileOf(fd: number): MemoryFile {
    const file = this.open_.get(fd);
    if (file === undefined) throw systemError('EBADF');
    return file;
  }
}
