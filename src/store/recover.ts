import { UserError } from '../../data/errors.js';
import { writeArrowFile } from './arrow-file.js';
import { writeAtomically } from './atomic-file.js';
import { nodeEnvironment } from './environment.js';
import type { Environment } from './environment.js';
import { removeQuietly } from './file-system.js';
import type { FileSystem } from './file-system.js';
import { fileRows, publish, putAside, removeStream } from './finalize.js';
import { acquireLock, removeLock } from './lock.js';
import { renewStreams } from './renew-streams.js';
import { readRunInfo } from './run-folder.js';
import { formatRunInfo, runInfoPath } from './run-info.js';
import type { RunInfo } from './run-info.js';
import { settleLocks } from './settle-locks.js';
import { isDerived } from './tables/registry.js';
import { DamagedError } from './table-index.js';
import { filePath, streamPath } from './table-paths.js';
import { listTables, TableReader } from './table-reader.js';
import { temporaryPath } from './temporary.js';

/** What became of one stream. */
export interface RecoveredTable {
  readonly table: string;
  /** Rows in the file. */
  readonly rows: number;
  /** Bytes of the stream that are not in the file. */
  readonly bytesDropped: number;
  /** Why they are not, or null. */
  readonly reason: string | null;
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
 * Every batch is read and checked before it is copied; the file ends before the first one that is damaged. A stream that
 * loses bytes is kept as `<table>.arrows.bak`: behind a damaged place there may be good batches, and only the owner can
 * say that they do not matter. So is a stream of a probe, of which a part says nothing, and one whose file is there with
 * more rows. A stream without schema or dictionaries stays as it is.
 *
 * Throws a UserError when a living process writes the folder and when the device does not take the files. A run that
 * shall be resumed must not be recovered: a resumed run goes on in its streams.
 */
export async function recoverRun(
  folder: string,
  environment: Environment = nodeEnvironment,
): Promise<RecoveredTable[]> {
  const { fs } = environment;
  await settleLocks([folder], environment);
  const lock = acquireLock(folder, environment);
  const written: Converted[] = [];
  try {
    for (const table of await listTables(folder, 'stream')) written.push(await convert(folder, table, fs));
    if (!lock.isStillOurs()) {
      throw new UserError(`${folder}: another process took the folder over; nothing was changed`);
    }
    for (const { temporary, path } of written) if (temporary !== null) publish(fs, temporary, path);
    const kept = written.map(({ result, keep }) => putAway(folder, result, keep, fs));
    markInterrupted(folder, fs);
    return kept;
  } finally {
    for (const { temporary } of written) if (temporary !== null) removeQuietly(fs, temporary);
    lock.release();
  }
}

/**
 * Free a run folder whose process cannot be looked up (another machine, another container) or whose lock is damaged,
 * when somebody says that nobody writes it: the lock goes, and a run that says `running` becomes `interrupted`. Its
 * streams stay, so that it can be resumed. Gives whether anything was changed. Throws a UserError when the process is
 * known to be alive, and when the folder cannot be changed.
 */
export function unlockRun(folder: string, environment: Environment = nodeEnvironment): boolean {
  const removed = removeLock(folder, environment);
  const lock = acquireLock(folder, environment);
  try {
    // Whoever says that the process is gone may be wrong: what it writes on reaches no table any more.
    if (removed) renewStreams(environment.fs, folder);
    return markInterrupted(folder, environment.fs) || removed;
  } finally {
    lock.release();
  }
}

/** A stream and the file that was made of it. */
interface Converted {
  readonly result: RecoveredTable;
  readonly path: string;
  /** The file under its temporary name; null where the file is there already or there is nothing for one. */
  readonly temporary: string | null;
  /** Whether the stream holds something that the file does not. */
  readonly keep: boolean;
}

async function convert(folder: string, table: string, fs: FileSystem): Promise<Converted> {
  const path = filePath(folder, table);
  const base = { table, rows: 0, bytesDropped: 0, reason: null, backup: null, error: null };
  const failed = (error: UserError): Converted => ({
    result: { ...base, error },
    path,
    temporary: null,
    keep: false,
  });
  if (isDerived(table)) {
    const reason = 'left by a probe that was stopped; probe the run again';
    return { result: { ...base, reason }, path, temporary: null, keep: true };
  }
  let reader: TableReader;
  try {
    reader = await TableReader.open(folder, table, 'stream');
  } catch (error) {
    if (error instanceof UserError) return failed(error);
    throw error;
  }
  const temporary = temporaryPath(path);
  try {
    const { truncated, index } = reader;
    if (!index.hasDictionaries) {
      return failed(new UserError(`${reader.path}: cut before its first batch`));
    }
    // A file of these rows is complete: an earlier recovery, or the run's end, was stopped behind its rename.
    const done = await fileRows(folder, table);
    if (done !== null && done.rows >= reader.rows) {
      const keep = done.rows > reader.rows || truncated !== null;
      const bytesDropped = truncated === null ? 0 : index.size - truncated.atByte;
      const reason =
        done.rows > reader.rows
          ? `the file that is there has more rows than the stream, which has ${reader.rows}`
          : (truncated?.reason ?? null);
      return { result: { ...base, rows: done.rows, bytesDropped, reason }, path, temporary: null, keep };
    }
    const { rows, damage } = await writeArrowFile(reader, temporary, { fs, stopAtDamage: true });
    const cut = damage ?? truncated;
    return {
      result: {
        ...base,
        rows,
        bytesDropped: cut === null ? 0 : index.size - cut.atByte,
        reason: cut?.reason ?? null,
      },
      path,
      temporary,
      keep: cut !== null,
    };
  } catch (error) {
    if (error instanceof DamagedError) return failed(error);
    throw error;
  } finally {
    await reader.close();
  }
}

function putAway(folder: string, table: RecoveredTable, keep: boolean, fs: FileSystem): RecoveredTable {
  const stream = streamPath(folder, table.table);
  if (table.error !== null) return table;
  if (keep) return { ...table, backup: putAside(fs, stream) };
  removeStream(fs, stream);
  return table;
}

/**
 * The run's last sign of life is the best that is known of its end. Gives whether `run.json` was changed.
 */
function markInterrupted(folder: string, fs: FileSystem): boolean {
  const info = readableInfo(folder, fs);
  if (info?.status !== 'running') return false;
  const ended: RunInfo = { ...info, status: 'interrupted', ended: info.updated };
  writeAtomically(fs, runInfoPath(folder), formatRunInfo(ended));
  return true;
}

/** A `run.json` that is missing or damaged keeps no table from being recovered. */
function readableInfo(folder: string, fs: FileSystem): RunInfo | null {
  try {
    return readRunInfo(folder, fs);
  } catch (error) {
    if (error instanceof UserError) return null;
    throw error;
  }
}
