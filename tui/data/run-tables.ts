import { stat } from 'node:fs/promises';
import { setImmediate } from 'node:timers/promises';
import { UserError } from '../../data/errors.js';
import type { ColumnSet } from '../../src/store/column-views.js';
import type { ColumnName, TableDefinition } from '../../src/store/columns.js';
import { readColumns } from '../../src/store/read-columns.js';
import type { Truncation } from '../../src/store/stream-scan.js';
import { listTables, TableReader } from '../../src/store/table-reader.js';
import { namesToRead, readTyped, typedTable, type TypedTable } from '../../src/store/typed-table.js';
import { appendColumns, sizeOf } from './append-columns.js';
import { StepIndex } from './step-index.js';

/** What is known of a table without reading its rows. */
export interface TableState {
  readonly name: string;
  readonly format: 'file' | 'stream' | 'unreadable';
  readonly rows: number;
  /** Bytes at the end of a stream that are no complete batch. */
  readonly truncated: Truncation | null;
  /** Why it cannot be read, null when it can. */
  readonly problem: string | null;
}

interface OpenTable {
  readonly reader: TableReader;
  /** Tells the file from another one of its name. */
  readonly inode: number;
  readonly steps: StepIndex;
}

interface Kept {
  readonly columns: ColumnSet;
  readonly batches: number;
}

/**
 * The tables of a run folder, opened when they are asked for. Columns that were read are kept, and of a table that
 * grows only the new batches are read. One table that cannot be read takes no other down.
 */
export class RunTableCache {
  #names: ReadonlySet<string> = new Set();
  readonly #open = new Map<string, Promise<OpenTable>>();
  readonly #kept = new Map<string, Kept>();
  readonly #reading = new Map<string, Promise<ColumnSet | null>>();
  #version = 0;

  constructor(readonly folder: string) {}

  /** Changes whenever a table appeared, grew, or was written anew. */
  get version(): number {
    return this.#version;
  }

  get names(): ReadonlySet<string> {
    return this.#names;
  }

  /** Bytes of the columns that are kept in memory, about. */
  get keptBytes(): number {
    let bytes = 0;
    for (const { columns } of this.#kept.values()) bytes += sizeOf(columns);
    return bytes;
  }

  /** Looks for new tables, new rows, and tables that were replaced. Throws a UserError when the folder is gone. */
  async refresh(): Promise<void> {
    const names = new Set(await listTables(this.folder));
    if (names.size !== this.#names.size || [...names].some((name) => !this.#names.has(name))) this.#version++;
    this.#names = names;
    for (const name of this.#open.keys()) await this.#refreshTable(name);
  }

  /** State of every table; opens all, which reads no rows. */
  async states(): Promise<TableState[]> {
    return Promise.all(
      [...this.#names].map(async (name): Promise<TableState> => {
        try {
          const { reader } = await this.#table(name);
          const { format, rows, truncated } = reader;
          return { name, format, rows, truncated, problem: null };
        } catch (error) {
          if (!(error instanceof UserError)) throw error;
          return { name, format: 'unreadable', rows: 0, truncated: null, problem: error.message };
        }
      }),
    );
  }

  /** The reader of a table, for reading by the batch; null where there is no such table. */
  async reader(table: string): Promise<TableReader | null> {
    return this.#names.has(table) ? (await this.#table(table)).reader : null;
  }

  /**
   * Whole columns of a table, null where there is no such table. Throws a UserError when it cannot be read. For tables
   * with a row per step or less; of `gradients` and `gram` see {@link rowsOfSteps}.
   *
   * @param names columns that every version wrote
   * @param later columns that runs of earlier versions lack: null there
   */
  async read<D extends TableDefinition, N extends ColumnName<D>, L extends ColumnName<D> = never>(
    table: D,
    names: readonly N[],
    later: readonly L[] = [],
  ): Promise<TypedTable<D, N, L> | null> {
    const reader = await this.reader(table.name);
    if (reader === null) return null;
    const set = await this.#columns(table.name, namesToRead(reader, names, later));
    return set === null ? null : typedTable(set, table, names, later);
  }

  /**
   * Columns of the batches that hold the rows with `from <= step <= to`, of a table that is sorted by step: the batches are found by
   * bisection, whatever the table's size. The column `step` must be among `names`.
   */
  async rowsOfSteps<D extends TableDefinition, N extends ColumnName<D>>(
    table: D,
    names: readonly N[],
    from: number,
    to: number,
  ): Promise<TypedTable<D, N> | null> {
    if (!this.#names.has(table.name)) return null;
    const { reader, steps } = await this.#table(table.name);
    const range = await steps.batches(from, to);
    return readTyped(reader, table, names, [], range);
  }

  /** Forgets the columns that were read; the tables stay open. */
  forget(): void {
    this.#kept.clear();
  }

  async close(): Promise<void> {
    const tables = await Promise.allSettled(this.#open.values());
    this.#open.clear();
    this.#kept.clear();
    for (const table of tables) if (table.status === 'fulfilled') await table.value.reader.close();
  }

  #columns(table: string, names: readonly string[]): Promise<ColumnSet | null> {
    const key = `${table}\n${names.join('\n')}`;
    const running = this.#reading.get(key);
    if (running !== undefined) return running;
    const reading = this.#read(key, table, names).finally(() => this.#reading.delete(key));
    this.#reading.set(key, reading);
    return reading;
  }

  async #read(key: string, table: string, names: readonly string[]): Promise<ColumnSet | null> {
    if (!this.#names.has(table)) return null;
    const { reader } = await this.#table(table);
    const batches = reader.batches.length;
    const before = this.#kept.get(key);
    if (before?.batches === batches) return before.columns;
    const known = before === undefined || before.batches > batches ? 0 : before.batches;
    const found = await readColumns(reader, names, { from: known, to: batches });
    const columns = before === undefined || known === 0 ? found : appendColumns(before.columns, found);
    this.#kept.set(key, { columns, batches });
    // A large table took a while: keys that were pressed meanwhile come first.
    await setImmediate();
    return columns;
  }

  async #refreshTable(name: string): Promise<void> {
    const table = await this.#open.get(name)?.catch(() => null);
    if (table === null || table === undefined) {
      // Unreadable before: a stream that had no schema yet may have one now.
      this.#open.delete(name);
      return;
    }
    const found = await stat(table.reader.path).catch(() => null);
    if (table.reader.format === 'file' && found?.ino !== table.inode) {
      await this.#drop(name, table);
      return;
    }
    try {
      const { rows, replaced } = await table.reader.refresh();
      if (replaced) await this.#drop(name, table);
      else if (rows > 0) this.#version++;
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      await this.#drop(name, table);
    }
  }

  async #drop(name: string, { reader }: OpenTable): Promise<void> {
    this.#version++;
    this.#open.delete(name);
    for (const key of this.#kept.keys()) if (key.startsWith(`${name}\n`)) this.#kept.delete(key);
    await reader.close();
  }

  #table(name: string): Promise<OpenTable> {
    let table = this.#open.get(name);
    if (table === undefined) {
      table = open(this.folder, name);
      // Whoever asked gets the error; here it only must not count as unhandled.
      table.catch(() => {});
      this.#open.set(name, table);
    }
    return table;
  }
}

async function open(folder: string, name: string): Promise<OpenTable> {
  const reader = await TableReader.open(folder, name);
  const { ino } = await stat(reader.path).catch(() => ({ ino: -1 }));
  return { reader, inode: ino, steps: new StepIndex(reader) };
}
