import { dirname } from 'node:path';
import { UserError } from '../../data/errors.js';
import { writeArrowFile } from './arrow-file.js';
import type { ArrowFileOptions } from './arrow-file.js';
import { nodeFileSystem, removeQuietly, systemCode, systemMessage } from './file-system.js';
import type { FileSystem } from './file-system.js';
import { adviceFor } from './system-error.js';
import { filePath, streamPath } from './table-paths.js';
import { TableReader } from './table-reader.js';
import { temporaryPath } from './temporary.js';

/** What became of a table. */
export interface Finalized {
  readonly table: string;
  /** The complete file. */
  readonly path: string;
  readonly rows: number;
  readonly batches: number;
}

/** How a table is finished. */
export interface FinalizeOptions extends ArrowFileOptions {
  /** Rows that the table was given; left out where the caller does not know. */
  readonly rows?: number;
}

/**
 * Turn `<table>.arrows` into `<table>.arrow`, the Arrow file format: written under a temporary name, brought to the
 * device, renamed; then the stream is removed. Calling it again does nothing, also after a crash between the rename
 * and the removal. A file that is there already counts only with the rows of the stream: where it has fewer it is
 * written anew, where it has more the stream is kept as `<table>.arrows.bak`.
 *
 * Throws a UserError when there is no such table, when its stream is cut (`recover` takes those) or damaged, when it
 * has not the rows it was given, and when the device does not take the file; the stream stays as it is then.
 */
export async function finalizeTable(
  folder: string,
  table: string,
  options: FinalizeOptions = {},
): Promise<Finalized> {
  const { fs = nodeFileSystem } = options;
  const path = filePath(folder, table);
  const stream = streamPath(folder, table);
  if (!fs.exists(stream)) {
    const file = await TableReader.open(folder, table);
    await file.close();
    return requireRows({ table, path, rows: file.rows, batches: file.batches.length }, options.rows);
  }
  const reader = await TableReader.open(folder, table, 'stream');
  try {
    requireWhole(folder, reader);
    const { rows } = reader;
    const done = await fileRows(folder, table);
    if (done !== null && done.rows >= rows) {
      if (done.rows === rows) removeStream(fs, stream);
      else putAside(fs, stream);
      return requireRows({ table, path, ...done }, options.rows);
    }
    requireRows({ table, path: stream, rows, batches: 0 }, options.rows);
    const temporary = temporaryPath(path);
    const { batches } = await writeArrowFile(reader, temporary, options);
    publish(fs, temporary, path);
    removeStream(fs, reader.path);
    return { table, path, rows, batches };
  } finally {
    await reader.close();
  }
}

/** Rows and batches of the file of a table; null where there is none that can be opened. */
export async function fileRows(
  folder: string,
  table: string,
): Promise<{ readonly rows: number; readonly batches: number } | null> {
  try {
    const reader = await TableReader.open(folder, table, 'file');
    await reader.close();
    return { rows: reader.rows, batches: reader.batches.length };
  } catch (error) {
    if (error instanceof UserError) return null;
    throw error;
  }
}

/** Give a complete file its name, in place of an earlier one. Throws a UserError when the system refuses. */
export function publish(fs: FileSystem, temporary: string, path: string): void {
  try {
    fs.rename(temporary, path);
    fs.syncFolder(dirname(path));
  } catch (error) {
    removeQuietly(fs, temporary);
    throw new UserError(
      `${path}: cannot be given its name (${systemMessage(error)}); ${adviceFor(systemCode(error))}`,
      { cause: error },
    );
  }
}

/**
 * Remove a stream whose file has its name and every row of it. Throws a UserError when the system refuses.
 */
export function removeStream(fs: FileSystem, path: string): void {
  try {
    fs.remove(path);
  } catch (error) {
    throw new UserError(
      `${path}: cannot be removed (${systemMessage(error)}); ${adviceFor(systemCode(error))}`,
      { cause: error },
    );
  }
}

/**
 * Keep a stream that is not all in its file under another name, which is given. Throws a UserError when the system
 * refuses.
 */
export function putAside(fs: FileSystem, stream: string): string {
  let backup = `${stream}.bak`;
  for (let i = 2; fs.exists(backup); i++) backup = `${stream}.bak${i}`;
  try {
    fs.rename(stream, backup);
  } catch (error) {
    throw new UserError(
      `${stream}: cannot be renamed to ${backup} (${systemMessage(error)}); ${adviceFor(systemCode(error))}`,
      { cause: error },
    );
  }
  return backup;
}

function requireRows(found: Finalized, rows: number | undefined): Finalized {
  if (rows === undefined || found.rows === rows) return found;
  throw new UserError(
    `${found.path}: holds ${found.rows} rows, but ${rows} were written: the file was changed or replaced while the run went`,
  );
}

function requireWhole(folder: string, reader: TableReader): void {
  const { truncated, index } = reader;
  if (truncated === null && index.hasDictionaries) return;
  const reason = truncated === null ? 'a dictionary is missing' : truncated.reason;
  throw new UserError(
    `${reader.path}: cut at byte ${index.end} (${reason}); \`gradscope recover ${folder}\` keeps its complete rows`,
  );
}
