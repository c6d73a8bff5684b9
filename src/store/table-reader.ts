import { readdir, stat } from 'node:fs/promises';
import { UserError } from '../../data/errors.js';
import { readParts } from './batch-reader.js';
import { ColumnSet } from './column-views.js';
import { systemMessage } from './file-system.js';
import { OpenFile } from './open-file.js';
import type { FileColumn } from './schema-parser.js';
import { isDerived } from './tables/registry.js';
import type { Truncation } from './stream-scan.js';
import { guarded, indexFile, indexStream } from './table-index.js';
import type { BatchBlock, TableIndex } from './table-index.js';
import { filePath, streamPath } from './table-paths.js';

/** A complete table is a file, one that is or was being written a stream. */
export type TableFormat = 'file' | 'stream';

/** What {@link TableReader.refresh} found. */
export interface Refreshed {
  /** Rows and batches that are new. */
  readonly rows: number;
  readonly batches: number;
  /** Whether the table was written anew (finalized, or resumed at an earlier step): forget what was read before. */
  readonly replaced: boolean;
}

/**
 * A table of a run folder, whatever its state: a complete file, a stream that grows, a stream that a crash cut.
 * Opening and {@link refresh} read the places of the batches, never their rows.
 */
export class TableReader {
  #index: TableIndex;
  #refreshing: Promise<Refreshed> | null = null;
  readonly #reading = new Set<Promise<ColumnSet>>();

  private constructor(
    private readonly folder: string,
    readonly name: string,
    index: TableIndex,
  ) {
    this.#index = index;
  }

  /**
   * Open a table of a run folder: the file if there is one, else the stream, or only the format asked for. Throws a
   * UserError when there is none, when not even its schema can be read, when it is no table of ours, and when it is of
   * a newer format version.
   */
  static async open(folder: string, name: string, format?: TableFormat): Promise<TableReader> {
    return new TableReader(folder, name, await openIndex(folder, name, format));
  }

  /** Open the stream of a table at a path of its own. Throws a UserError as {@link open} does. */
  static async openStream(path: string, folder: string, name: string): Promise<TableReader> {
    const index = await indexAt(path, name, 'stream');
    if (index === null) throw new UserError(`${path}: is missing; was it removed while it was written?`);
    return new TableReader(folder, name, index);
  }

  get path(): string {
    return this.#index.file.path;
  }

  get format(): TableFormat {
    return this.#index.schemaLength > 0 ? 'stream' : 'file';
  }

  get rows(): number {
    return this.#index.rows;
  }

  get batches(): readonly BatchBlock[] {
    return this.#index.batches;
  }

  /** Columns with kind, unit, description and dictionary. */
  get columns(): readonly FileColumn[] {
    return this.#index.columns;
  }

  /** The schema metadata: format version, units, and what the run put there. */
  get metadata(): ReadonlyMap<string, string> {
    return this.#index.metadata;
  }

  /** Bytes at the end that are no complete message; for a table that is being written the batch under way. */
  get truncated(): Truncation | null {
    return this.#index.truncated;
  }

  /** Index of the bytes, for rewriting the table. */
  get index(): TableIndex {
    return this.#index;
  }

  /**
   * Read batch `i`, or only the columns named. Views share the memory that was read. Throws a RangeError for a batch
   * that is not there and a UserError for a column that is not there and for a damaged batch.
   */
  async readBatch(i: number, names?: readonly string[]): Promise<ColumnSet> {
    const { file, batches, layout } = this.#index;
    const block = batches[i];
    if (block === undefined) throw new RangeError(`${file.path}: batch ${i} of ${batches.length}`);
    for (const name of names ?? []) this.#check(name);
    const reading = guarded(file.path, async () => {
      const views = await readParts(file, block, layout, names);
      return new ColumnSet(file.path, block.rows, views);
    });
    this.#reading.add(reading);
    try {
      return await reading;
    } finally {
      this.#reading.delete(reading);
    }
  }

  /**
   * Look for what was written since the table was opened or last refreshed, reading only what is new. Notices when
   * a stream was finalized, and when it was cut back and written on by a resumed run, as long as the batch that was
   * the last one differs in size or is gone. A call during another one gives the result of that one.
   */
  async refresh(): Promise<Refreshed> {
    this.#refreshing ??= this.#look();
    try {
      return await this.#refreshing;
    } finally {
      this.#refreshing = null;
    }
  }

  async close(): Promise<void> {
    await this.#index.file.close();
  }

  async #look(): Promise<Refreshed> {
    const before = this.#index;
    if (this.format === 'file') return { rows: 0, batches: 0, replaced: false };
    const found = await stat(this.path).catch(() => null);
    if (found === null || `${found.dev}:${found.ino}` !== before.fileKey) return this.#reopen();
    const { rows, batches, size, end } = before;
    if (found.size === size) return { rows: 0, batches: 0, replaced: false };
    if (found.size < end || !before.lastBatchStands(found.size)) return this.#reopen();
    const known = batches.length;
    await guarded(this.path, () => before.scan(end, found.size));
    return { rows: before.rows - rows, batches: batches.length - known, replaced: false };
  }

  async #reopen(): Promise<Refreshed> {
    const before = this.#index;
    this.#index = await openIndex(this.folder, this.name);
    // Reads that began in the old file go on there.
    await Promise.allSettled(this.#reading);
    await before.file.close();
    return { rows: this.rows, batches: this.batches.length, replaced: true };
  }

  #check(name: string): void {
    if (this.columns.some((column) => column.name === name)) return;
    const names = this.columns.map((column) => column.name);
    const type = this.#index.layout.find((column) => column.name === name)?.type;
    if (type !== undefined)
      throw new UserError(`${this.path}: column ${name} is a ${type}, which is not read`);
    throw new UserError(`${this.path}: there is no column ${name} among ${names.join(', ')}`);
  }
}

async function openIndex(folder: string, name: string, format?: TableFormat): Promise<TableIndex> {
  // The file is looked for twice: a run that ends between the two looks replaces the stream by it.
  const paths = [filePath(folder, name), streamPath(folder, name), filePath(folder, name)];
  // A probe of an earlier version that was killed left streams, of which a part says nothing.
  const wanted = format ?? (isDerived(name) ? 'file' : undefined);
  for (const path of paths.filter((path) => wanted === undefined || formatOf(path) === wanted)) {
    const index = await indexAt(path, name, formatOf(path));
    if (index !== null) return index;
  }
  throw new UserError(
    `${folder}: there is no table ${name} (neither ${name}.arrow nor ${name}.arrows); does the run log it?`,
  );
}

/** Index of the table `name` in a file; null where there is no file. */
async function indexAt(path: string, name: string, format: TableFormat): Promise<TableIndex | null> {
  const file = await OpenFile.open(path);
  if (file === null) return null;
  try {
    const index = await (format === 'stream' ? indexStream(file) : indexFile(file));
    if (index.table === name) return index;
    throw new UserError(`${path}: holds the table ${index.table}; was it renamed, or written over?`);
  } catch (error) {
    await file.close();
    throw error;
  }
}

function formatOf(path: string): TableFormat {
  return path.endsWith('.arrows') ? 'stream' : 'file';
}

/**
 * Names of the tables of a run folder that can be opened, sorted, and with `format` those of one format, also streams
 * of killed probes. Throws a UserError when the folder cannot be read.
 */
export async function listTables(folder: string, format?: TableFormat): Promise<string[]> {
  const names = await readdir(folder).catch((error: unknown) => {
    throw new UserError(`${folder}: cannot be read (${systemMessage(error)})`, { cause: error });
  });
  const found = names.flatMap((name) => {
    const [, table, stream] = /^(.+)\.arrow(s?)$/.exec(name) ?? [];
    if (table === undefined) return [];
    const own: TableFormat = stream === 's' ? 'stream' : 'file';
    const isWanted = format === undefined ? own === 'file' || !isDerived(table) : own === format;
    return isWanted ? [table] : [];
  });
  return [...new Set(found)].sort();
}
