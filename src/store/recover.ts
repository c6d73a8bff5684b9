import { UserError } from '../../data/errors.js';
import { writeArrowFile } from './arrow-file.js';
import { writeAtomically } from './atomic-file.js';
import { nodeEnvironment } from './environment.js';
import type { Environment } from './environment.js';
import { systemMessage } from './file-system.js';
import type { FileSystem } from './file-system.js';
import { publish, removeStream, temporaryPath } from './finalize.js';
import { acquireLock } from './lock.js';
import { formatRunInfo, parseRunInfo, runInfoPath } from './run-info.js';
import type { RunInfo } from './run-info.js';
import { DamagedError } from './table-index.js';
import { filePath, streamPath } from './table-paths.js';
import { listTables, TableReader } from './table-reader.js';

/** What became of one stream. */
export interface RecoveredTable {
  readonly table: string;
  /** Rows in the file. */
  readonly rows: number;
  /** Bytes of the stream that are no complete batch. */
  readonly bytesDropped: number;
  /** Where the stream is kept because not all of it is in the file, or null. */
  readonly backup: string | null;
  /** Why nothing could be kept; the stream is left as it is then. */
  readonly error: UserError | null;
}

/**
 * Bring a run folder in order whose process is gone: every stream becomes a file of its complete batches, and a run
 * that says `running` becomes `interrupted`. Gives one entry a stream, none when there is nothing to do.
 *
 * All files are written under temporary names before the first one gets its own, so that a full disk changes nothing.
 * A stream that loses bytes is kept as `<table>.arrows.bak`: behind a damaged place there may be good batches, and
 * only the owner can say that they do not matter. A stream without schema or dictionaries, or with a batch that
 * cannot be decoded, stays as it is.
 *
 * Throws a UserError when a living process writes the folder and when the device does not take the files. A run that
 * shall be resumed must not be recovered: a resumed run goes on in its streams.
 */
export async function recoverRun(
  folder: string,
  environment: Environment = nodeEnvironment,
): Promise<RecoveredTable[]> {
  const { fs } = environment;
  const tables = await listTables(folder);
  const lock = acquireLock(folder, environment);
  const written: string[] = [];
  try {
    const found: RecoveredTable[] = [];
    for (const table of tables.filter((name) => fs.exists(streamPath(folder, name)))) {
      found.push(await convert(folder, table, fs, written));
    }
    for (const path of written) publish(fs, path);
    const kept = found.map((table) => putAway(folder, table, fs));
    markInterrupted(folder, fs);
    return kept;
  } finally {
    for (const path of written) fs.remove(temporaryPath(path));
    lock.release();
  }
}

async function convert(
  folder: string,
  table: string,
  fs: FileSystem,
  written: string[],
): Promise<RecoveredTable> {
  const nothing = { table, rows: 0, bytesDropped: 0, backup: null };
  let reader: TableReader;
  try {
    reader = await TableReader.open(folder, table, 'stream');
  } catch (error) {
    if (error instanceof UserError) return { ...nothing, error };
    throw error;
  }
  try {
    const { truncated, index } = reader;
    if (!index.hasDictionaries) {
      return { ...nothing, error: new UserError(`${reader.path}: cut before its first batch`) };
    }
    const path = filePath(folder, table);
    // A file with its own name is complete: an earlier recovery, or the run's end, was stopped behind its rename.
    if (!fs.exists(path)) {
      await writeArrowFile(reader, temporaryPath(path), { fs });
      written.push(path);
    }
    const bytesDropped = truncated === null ? 0 : index.size - truncated.atByte;
    return { table, rows: reader.rows, bytesDropped, backup: null, error: null };
  } catch (error) {
    if (error instanceof DamagedError) return { ...nothing, error };
    throw error;
  } finally {
    await reader.close();
  }
}

function putAway(folder: string, table: RecoveredTable, fs: FileSystem): RecoveredTable {
  const stream = streamPath(folder, table.table);
  if (table.error !== null) return table;
  if (table.bytesDropped === 0) {
    removeStream(fs, stream);
    return table;
  }
  let backup = `${stream}.bak`;
  for (let i = 2; fs.exists(backup); i++) backup = `${stream}.bak${i}`;
  try {
    fs.rename(stream, backup);
  } catch (error) {
    throw new UserError(`${stream}: cannot be renamed to ${backup} (${systemMessage(error)})`, {
      cause: error,
    });
  }
  return { ...table, backup };
}

/** The run's last sign of life is the best that is known of its end. */
function markInterrupted(folder: string, fs: FileSystem): void {
  const info = readableInfo(runInfoPath(folder), fs);
  if (info?.status !== 'running') return;
  const ended: RunInfo = { ...info, status: 'interrupted', ended: info.updated };
  writeAtomically(fs, runInfoPath(folder), formatRunInfo(ended));
}

/** A `run.json` that is missing or damaged keeps no table from being recovered. */
function readableInfo(path: string, fs: FileSystem): RunInfo | null {
  if (!fs.exists(path)) return null;
  try {
    return parseRunInfo(path, fs.readText(path));
  } catch (error) {
    if (error instanceof UserError) return null;
    throw error;
  }
}
