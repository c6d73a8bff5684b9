import { dirname } from 'node:path';
import { UserError } from '../../data/errors.js';
import { writeArrowFile } from './arrow-file.js';
import type { ArrowFileOptions } from './arrow-file.js';
import { nodeFileSystem, systemMessage } from './file-system.js';
import type { FileSystem } from './file-system.js';
import { filePath, streamPath } from './table-paths.js';
import { TableReader } from './table-reader.js';

/** What became of a table. */
export interface Finalized {
  readonly table: string;
  /** The complete file. */
  readonly path: string;
  readonly rows: number;
  readonly batches: number;
}

/**
 * Turn `<table>.arrows` into `<table>.arrow`, the Arrow file format: written under a temporary name, brought to the
 * device, renamed; then the stream is removed. Calling it again does nothing, also after a crash between the rename
 * and the removal. Throws a UserError when there is no such table, when its stream is cut (`recover` takes those),
 * and when the device does not take the file; the stream stays as it is then.
 */
export async function finalizeTable(
  folder: string,
  table: string,
  options: ArrowFileOptions = {},
): Promise<Finalized> {
  const { fs = nodeFileSystem } = options;
  const path = filePath(folder, table);
  const reader = await TableReader.open(folder, table);
  try {
    if (reader.format === 'file') {
      removeStream(fs, streamPath(folder, table));
      return { table, path, rows: reader.rows, batches: reader.batches.length };
    }
    requireWhole(folder, reader);
    const written = await writeArrowFile(reader, temporaryPath(path), options);
    publish(fs, path);
    removeStream(fs, reader.path);
    return { table, path, ...written };
  } finally {
    await reader.close();
  }
}

/** Name of a file while it is written. */
export function temporaryPath(path: string): string {
  return `${path}.tmp`;
}

/** Give the complete file at {@link temporaryPath} its name. Throws a UserError when the system refuses. */
export function publish(fs: FileSystem, path: string): void {
  try {
    fs.rename(temporaryPath(path), path);
    fs.syncFolder(dirname(path));
  } catch (error) {
    throw new UserError(`${path}: cannot be given its name (${systemMessage(error)})`, { cause: error });
  }
}

/**
 * Remove a stream whose file has its name: it got that only with every row of the stream in it. Throws a UserError when
 * the system refuses.
 */
export function removeStream(fs: FileSystem, path: string): void {
  try {
    fs.remove(path);
  } catch (error) {
    throw new UserError(`${path}: cannot be removed (${systemMessage(error)})`, { cause: error });
  }
}

function requireWhole(folder: string, reader: TableReader): void {
  const { truncated, index } = reader;
  if (truncated === null && index.hasDictionaries) return;
  const reason = truncated === null ? 'a dictionary is missing' : truncated.reason;
  throw new UserError(
    `${reader.path}: cut at byte ${index.end} (${reason}); \`gradscope recover ${folder}\` keeps its complete rows`,
  );
}
