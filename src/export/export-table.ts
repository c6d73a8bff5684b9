import path from 'node:path';
import { UserError } from '../../data/errors.js';
import { readYaml } from '../config/yaml-source.js';
import { AppendFile } from '../store/append-file.js';
import type { ColumnSet } from '../store/column-views.js';
import { nodeFileSystem, removeQuietly, type FileSystem } from '../store/file-system.js';
import { publish } from '../store/finalize.js';
import { listRuns } from '../store/list-runs.js';
import { readRunInfo } from '../store/run-folder.js';
import type { RunInfo } from '../store/run-info.js';
import { TableReader } from '../store/table-reader.js';
import { temporaryPath } from '../store/temporary.js';
import { arrowFormat } from './arrow.js';
import type { ChosenRows } from './export-buffer.js';
import { configColumns } from './config-columns.js';
import { csvFormat } from './csv.js';
import { unitedColumns, type ExportedColumn, type ExportedRows } from './exported-columns.js';
import { parquetFormat } from './parquet.js';
import { rowTest, type RowCondition } from './row-filter.js';
import { rowsThatPass, RowBuffer } from './rows.js';
import type { ExportFormat } from './table-sink.js';

/** The formats; the end of a file's name chooses one. */
const formats: readonly ExportFormat[] = [parquetFormat, arrowFormat, csvFormat];

/** What is exported, and where to. */
export interface TableExport {
  /** Run folders, or folders that hold runs. */
  readonly folders: readonly string[];
  readonly table: string;
  /** File to write; must not be there. */
  readonly out: string;
  /** Columns of the table to keep; null: all. */
  readonly columns: readonly string[] | null;
  /** What rows must satisfy, all of them. */
  readonly where: readonly RowCondition[];
  /** Config keys that become columns. */
  readonly config: readonly string[];
  /** Whether the halves of runs with exchanged tags count as runs. */
  readonly exchanged: boolean;
  /** The command, for the file's metadata. */
  readonly command: string;
}

/** How far an export is. */
export interface ExportProgress {
  readonly run: number;
  readonly runs: number;
  /** Rows read so far, and of all runs. */
  readonly read: number;
  readonly rows: number;
}

/** What was exported. */
export interface ExportedFile {
  readonly runs: number;
  readonly rows: number;
  readonly columns: readonly string[];
  readonly bytes: number;
  /** Runs that were left out, with the reason. */
  readonly leftOut: readonly string[];
}

interface OpenRun {
  readonly folder: string;
  readonly info: RunInfo;
  readonly reader: TableReader;
}

/** Columns that every exported table begins with. */
const runColumns: readonly ExportedColumn[] = [
  { name: 'run', kind: 'text', element: null, unit: '', description: 'run folder' },
  { name: 'name', kind: 'text', element: null, unit: '', description: 'name of the config' },
  { name: 'seed', kind: 'int32', element: null, unit: 'seed', description: 'seed of the run' },
  {
    name: 'exchanged',
    kind: 'bool',
    element: null,
    unit: '',
    description: 'whether it is the half of a run in which the tags of the new variables are exchanged',
  },
];

/**
 * Writes one table of several runs as one file, with run, config name, seed, half and chosen config keys as the first columns: row by
 * row as they are read, so that memory does not grow with the log. Throws a UserError, and leaves nothing under the file's name,
 * where a folder holds no run with such a table, columns or conditions do not fit, or the file is there already.
 */
export async function exportTable(
  what: TableExport,
  onProgress: (progress: ExportProgress) => void = () => {},
  fs: FileSystem = nodeFileSystem,
): Promise<ExportedFile> {
  const format = formatOf(what.out);
  if (fs.exists(what.out))
    throw new UserError(`${what.out}: is there already; take another name or remove it`);
  const { runs, leftOut } = await openRuns(what);
  try {
    const all = unitedColumns(runs.map(({ reader }) => ({ path: reader.path, columns: reader.columns })));
    const chosen = chooseColumns(what, all);
    const config = configColumns(
      what.config,
      what.config.length === 0
        ? []
        : runs.map(({ folder }) => readYaml(path.join(folder, 'config.yaml')).value),
    );
    const first = [...runColumns, ...config.map(({ column }) => column)];
    const taken = new Set(chosen.map(({ name }) => name));
    const before = first.map((column) =>
      taken.has(column.name) ? { ...column, name: `run_${column.name}` } : column,
    );
    const columns = [...before, ...chosen];
    const buffer = new RowBuffer(before, chosen, format.rowsAtOnce);
    const rows = await writeFile(what, format, columns, fs, async (flush) => {
      let read = 0;
      const total = runs.reduce((sum, { reader }) => sum + reader.rows, 0);
      for (const [index, { folder, info, reader }] of runs.entries()) {
        const constants = [
          folder,
          info.name,
          info.seed,
          info.exchangeOf !== undefined,
          ...config.map(({ values }) => values[index]!),
        ];
        for await (const [batch, kept] of batchesOf(reader, what.where, chosen)) {
          buffer.add(constants, batch, kept);
          if (buffer.rows >= format.rowsAtOnce) await flush(buffer.take());
          read += batch.rows;
          onProgress({ run: index + 1, runs: runs.length, read, rows: total });
        }
      }
      if (buffer.rows > 0) await flush(buffer.take());
    });
    return { runs: runs.length, columns: columns.map(({ name }) => name), leftOut, ...rows };
  } finally {
    for (const { reader } of runs) await reader.close();
  }
}

function formatOf(out: string): ExportFormat {
  const format = formats.find(({ ending }) => out.endsWith(ending));
  if (format !== undefined) return format;
  throw new UserError(`${out}: the name must end in ${formats.map(({ ending }) => ending).join(', ')}`);
}

async function openRuns({
  folders,
  table,
  exchanged,
}: TableExport): Promise<{ readonly runs: OpenRun[]; readonly leftOut: string[] }> {
  const runs = new Map<string, OpenRun>();
  const leftOut: string[] = [];
  for (const folder of folders) {
    const listed = await listRuns(folder);
    if (listed.length === 0) leftOut.push(`${folder}: there is no run in it`);
    for (const { path: run, error } of listed) {
      if (runs.has(path.resolve(run))) continue;
      try {
        if (error !== null) throw error;
        const info = readRunInfo(run, nodeFileSystem);
        if (info.exchangeOf !== undefined && !exchanged) continue;
        runs.set(path.resolve(run), { folder: run, info, reader: await TableReader.open(run, table) });
      } catch (cause) {
        if (!(cause instanceof UserError)) throw cause;
        leftOut.push(cause.message);
      }
    }
  }
  if (runs.size === 0) throw new UserError(`nothing to export: ${leftOut.join('; ')}`);
  return { runs: [...runs.values()], leftOut };
}

function chooseColumns(what: TableExport, all: readonly ExportedColumn[]): readonly ExportedColumn[] {
  const names = new Set(all.map(({ name }) => name));
  for (const name of [...(what.columns ?? []), ...what.where.map(({ column }) => column)]) {
    if (!names.has(name))
      throw new UserError(
        `there is no column ${name} in table ${what.table}; it has ${[...names].join(', ')}`,
      );
  }
  return what.columns === null
    ? all
    : what.columns.map((name) => all.find((column) => column.name === name)!);
}

/** Batches of a table with their rows that are exported. */
async function* batchesOf(
  reader: TableReader,
  where: readonly RowCondition[],
  chosen: readonly ExportedColumn[],
): AsyncGenerator<readonly [ColumnSet, ChosenRows]> {
  const own = new Set(reader.columns.map(({ name }) => name));
  const needed = [...chosen.map(({ name }) => name), ...where.map(({ column }) => column)];
  const names = [...new Set(needed)].filter((name) => own.has(name));
  const noRow = where.some(({ column, operator }) => !own.has(column) && operator !== '!=');
  for (let i = 0; i < reader.batches.length; i++) {
    const batch = await reader.readBatch(i, names);
    const tests = where
      .filter(({ column }) => own.has(column))
      .map((condition) => rowTest(condition, batch.view(condition.column)));
    yield [batch, rowsThatPass(batch.rows, noRow ? [() => false] : tests)];
    // Small batches are read without waiting, so that nothing else would run for as long as this takes.
    if (i % 64 === 63) await new Promise((resolve) => setImmediate(resolve));
  }
}

async function writeFile(
  { out, table, command }: TableExport,
  format: ExportFormat,
  columns: readonly ExportedColumn[],
  fs: FileSystem,
  work: (flush: (rows: ExportedRows) => Promise<void>) => Promise<void>,
): Promise<{ readonly rows: number; readonly bytes: number }> {
  const temporary = temporaryPath(out);
  const file = openFile(fs, temporary, out);
  let rows = 0;
  try {
    const sink = format.open({ name: table, columns, command }, (chunks) => file.append(chunks));
    await work(async (piece) => {
      await sink.write(piece);
      rows += piece.rows;
    });
    await sink.finish();
    file.sync();
  } catch (error) {
    file.close();
    removeQuietly(fs, temporary);
    throw error;
  }
  const bytes = file.offset;
  file.close();
  publish(fs, temporary, out);
  return { rows, bytes };
}

function openFile(fs: FileSystem, temporary: string, out: string): AppendFile {
  try {
    return new AppendFile(fs, temporary, out, fs.open(temporary, 'new'), 0);
  } catch (error) {
    throw new UserError(`${out}: cannot be written; is its folder there? (${String(error)})`, {
      cause: error,
    });
  }
}
