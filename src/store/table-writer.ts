import { UserError } from '../../data/errors.js';
import { AppendFile } from './append-file.js';
import { BatchBuilder } from './batch-builder.js';
import type { ColumnFill, ColumnFills } from './batch-builder.js';
import type { ColumnName, Dimensions, KindOf, RowOf, TableDefinition } from './columns.js';
import { nodeFileSystem, removeQuietly, systemCode, systemMessage } from './file-system.js';
import type { FileSystem } from './file-system.js';
import { resumeStream } from './resume-stream.js';
import { makeSchema } from './table-schema.js';
import type { RunMetadata, TableSchema } from './table-schema.js';
import { headerOf } from './stream-header.js';
import { filePath, streamPath } from './table-paths.js';

/** What a writer needs to know. */
export interface TableWriterOptions<D extends TableDefinition> {
  /** The run folder. */
  readonly folder: string;
  readonly table: D;
  readonly dimensions: Dimensions;
  /** Facts about the run for the schema metadata. */
  readonly metadata?: RunMetadata;
  /** A batch is written when it has this many rows; 4096 by default. */
  readonly batchRows?: number;
  /** A batch is written when it has this many bytes, however few its rows; 8 MiB by default. */
  readonly batchBytes?: number;
  /** Where the stream lies; `<folder>/<table>.arrows` by default. */
  readonly path?: string;
  readonly fs?: FileSystem;
}

/**
 * Writes a table of a run that is going on to `<table>.arrows`, an Arrow IPC stream. Rows are filled column by column
 * in typed arrays:
 *
 *     const first = writer.reserve(tensors.length);
 *     const norm2 = writer.column('norm2');
 *     tensors.forEach((tensor, i) => (norm2[first + i] = tensor.norm2));
 *
 * A batch is written at once, so that nothing waits in memory: when {@link flush} returns, the operating system has
 * the bytes, and a kill of the process loses only rows that are not flushed.
 */
export class TableWriter<D extends TableDefinition> {
  readonly #builder: BatchBuilder;
  readonly #positions: ReadonlyMap<string, ReadonlyMap<string, number>>;
  readonly #batchRows: number;
  readonly #batchBytes: number;
  readonly #file: AppendFile;
  readonly #table: string;
  #rowsWritten: number;

  private constructor(schema: TableSchema, file: AppendFile, rows: number, options: TableWriterOptions<D>) {
    this.#batchRows = options.batchRows ?? 4096;
    this.#batchBytes = options.batchBytes ?? 2 ** 23;
    this.#builder = new BatchBuilder(schema.table, schema.columns);
    this.#positions = new Map(
      schema.columns
        .filter((column) => column.kind === 'dictionary')
        .map((column) => [column.name, new Map(column.values.map((value, i) => [value, i]))]),
    );
    this.#table = schema.table;
    this.#file = file;
    this.#rowsWritten = rows;
  }

  /**
   * Create a table; its schema and dictionaries are on disk when this returns. Throws a UserError when the table
   * exists or cannot be written.
   */
  static create<D extends TableDefinition>(options: TableWriterOptions<D>): TableWriter<D> {
    const { folder, table, dimensions, metadata, fs = nodeFileSystem } = options;
    const schema = makeSchema(table, dimensions, metadata);
    const path = options.path ?? streamPath(folder, table.name);
    if (options.path === undefined && fs.exists(filePath(folder, table.name))) {
      throw exists(filePath(folder, table.name));
    }
    const file = new AppendFile(fs, path, `table ${table.name}`, openNew(fs, path), 0);
    try {
      file.append(headerOf(schema));
    } catch (error) {
      file.close();
      removeQuietly(fs, path);
      throw error;
    }
    return new TableWriter(schema, file, 0, options);
  }

  /**
   * Open a table that a run wrote before, cut it at `byteOffset` (a {@link byteOffset} of that run) and go on behind
   * it. Throws a UserError when the table is missing, shorter, has other columns or dictionaries, or has no batch
   * that ends there. The schema metadata stay those of the first run.
   */
  static resume<D extends TableDefinition>(
    options: TableWriterOptions<D> & { readonly byteOffset: number },
  ): TableWriter<D> {
    const { folder, table, dimensions, metadata, fs = nodeFileSystem, byteOffset } = options;
    const schema = makeSchema(table, dimensions, metadata);
    const path = options.path ?? streamPath(folder, table.name);
    const { fd, rows, missing } = resumeStream(fs, path, schema, byteOffset);
    const file = new AppendFile(fs, path, `table ${table.name}`, fd, byteOffset);
    try {
      if (missing.length > 0) file.append(missing);
    } catch (error) {
      file.close();
      throw error;
    }
    return new TableWriter(schema, file, rows, options);
  }

  get path(): string {
    return this.#file.path;
  }

  /** Length of the stream, in bytes, up to the last batch written: where a run that is resumed goes on. */
  get byteOffset(): number {
    return this.#file.offset;
  }

  /** Rows on disk. */
  get rowsWritten(): number {
    return this.#rowsWritten;
  }

  /** Rows that are reserved and not written yet. */
  get rowsPending(): number {
    return this.#builder.rows;
  }

  /**
   * Add `rows` rows and give the number of the first one in the columns' arrays. All of them must be filled before
   * the next call, which writes a batch when there is enough for one.
   */
  reserve(rows: number): number {
    this.flushIfFull();
    return this.#builder.reserve(rows);
  }

  /**
   * What is filled in a column; get it after {@link reserve}, which may have to make it larger. A value that is not
   * set counts as missing. int32, float64 and float32: a number per row; NaN (int32: -2147483648) is null where the
   * column may hold nulls and an error where not. Dictionary: the number that {@link indexOf} gives. bool: 0 or 1.
   * utf8: a string. Fixed-size list: row i begins at `i * size`. List: push one list per row, in order. Throws an Error
   * when there is no such column.
   */
  column<C extends ColumnName<D>>(name: C): ColumnFills[KindOf<D, C>];
  column(name: string): ColumnFill {
    return this.#builder.column(name);
  }

  /**
   * Append one row. For tables with few rows; those of every step are filled column by column. Throws an Error for a
   * value that its column does not take.
   */
  append(values: RowOf<D>): void {
    const row = this.reserve(1);
    for (const [name, value] of Object.entries<RowOf<TableDefinition>[string]>(values)) {
      // What is not set counts as missing.
      if (value === null || Number.isNaN(value)) continue;
      const isCode = typeof value === 'string' && this.#positions.has(name);
      this.#builder.set(
        name,
        row,
        isCode ? this.#positionOf(name, value) : typeof value === 'boolean' ? Number(value) : value,
      );
    }
  }

  /** Position of a value in a dictionary column. Throws an Error when the dictionary does not have it. */
  indexOf(column: ColumnName<D>, value: string): number {
    return this.#positionOf(column, value);
  }

  #positionOf(column: string, value: string): number {
    const position = this.#positions.get(column)?.get(value);
    if (position === undefined) {
      throw new Error(`table ${this.#table}, column ${column}: '${value}' is not in the dictionary`);
    }
    return position;
  }

  /** Write a batch when there are rows enough for one; all reserved rows must be filled. */
  flushIfFull(): void {
    const { rows } = this.#builder;
    if (rows > 0 && (rows >= this.#batchRows || this.#builder.byteLength >= this.#batchBytes)) this.flush();
  }

  /**
   * Write the reserved rows as one record batch; without rows do nothing. Throws an Error naming table, column and
   * row for a missing or impossible value, and a UserError when the device does not take the batch; the file then
   * holds what it held before, and the rows stay for another call.
   */
  flush(): void {
    const { rows } = this.#builder;
    if (rows === 0) return;
    this.#file.append(this.#builder.encode(this.#rowsWritten).chunks);
    this.#rowsWritten += rows;
    this.#builder.reset();
  }

  /** Forget the rows that are reserved and not written. */
  discard(): void {
    this.#builder.reset();
  }

  /**
   * Bring what is written to the device, for a checkpoint that has to survive a power cut. Throws a UserError when that
   * fails, and when the file was removed or replaced since it was opened.
   */
  sync(): void {
    this.#file.sync();
    this.#file.requireNamed();
  }

  /** Write the reserved rows and close the file, which is closed also when they cannot be written. */
  close(): void {
    try {
      this.flush();
    } finally {
      this.#file.close();
    }
  }
}

function openNew(fs: FileSystem, path: string): number {
  try {
    return fs.open(path, 'new');
  } catch (error) {
    if (systemCode(error) === 'EEXIST') throw exists(path);
    throw new UserError(`${path}: cannot be created (${systemMessage(error)})`, { cause: error });
  }
}

function exists(path: string): UserError {
  return new UserError(`${path}: the table exists already; resume the run or take another run folder`);
}
