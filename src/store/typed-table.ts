import { UserError } from '../../data/errors.js';
import type { ColumnSet, ColumnView } from './column-views.js';
import type { ColumnKind, ColumnName, KindOf, OptionalColumnName, TableDefinition } from './columns.js';
import { readColumns, type BatchRange } from './read-columns.js';
import type { TableReader } from './table-reader.js';

/** Numbers of which some may be missing. */
export interface Nullable<A> {
  /** Under a null lies NaN in floating point, `missingInt32` in int32. */
  readonly values: A;
  isNull(row: number): boolean;
}

/** Texts of a dictionary: row i is `values[indices[i]]`. */
export interface DictionaryColumn {
  readonly indices: Int32Array;
  readonly values: readonly string[];
  text(row: number): string;
}

/** Lists of any length: row i is `values.subarray(offsets[i], offsets[i + 1])`. */
export interface ListColumn<A> {
  readonly offsets: Int32Array;
  readonly values: A;
  /** Shares the memory of `values`. */
  row(row: number): A;
}

/** Lists of `size` values: row i is `values.subarray(i * size, (i + 1) * size)`. */
export interface FixedListColumn {
  readonly size: number;
  readonly values: Float32Array;
  /** Shares the memory of `values`. */
  row(row: number): Float32Array;
}

/** What a reader has of a column of each kind, one entry a row. */
interface ColumnValues {
  readonly int32: Int32Array;
  readonly float64: Float64Array;
  readonly float32: Float32Array;
  /** 0 or 1. */
  readonly bool: Uint8Array;
  readonly utf8: readonly string[];
  readonly dictionary: DictionaryColumn;
  readonly 'fixed-list-float32': FixedListColumn;
  readonly 'list-float32': ListColumn<Float32Array>;
  readonly 'list-int32': ListColumn<Int32Array>;
  readonly 'list-float64': ListColumn<Float64Array>;
}

/** Column `C` of a table by its definition. */
export type TypedColumn<D extends TableDefinition, C extends string> = C extends keyof D['columns']
  ? D['columns'][C]['nullable'] extends false
    ? ColumnValues[D['columns'][C]['kind']]
    : Nullable<ColumnValues[D['columns'][C]['kind']]>
  : C extends OptionalColumnName<D>
    ? Nullable<Float64Array>
    : ColumnValues[KindOf<D, C>];

/** The columns `N` of a table, and of the columns `L`, which earlier versions did not write, those that are there. */
export interface TypedTable<D extends TableDefinition, N extends string, L extends string = never> {
  readonly rows: number;
  readonly columns: { readonly [C in N]: TypedColumn<D, C> } & {
    readonly [C in L]: TypedColumn<D, C> | null;
  };
}

type AnyColumn = ColumnValues[ColumnKind] | Nullable<ColumnValues[ColumnKind]>;

/**
 * Columns that were read, as the table's definition declares them. Throws a UserError naming the file for a column
 * that is missing or of another kind than the definition has.
 *
 * @param names columns that every version wrote
 * @param later columns that earlier versions did not write: null where they are not among the columns
 */
export function typedTable<
  D extends TableDefinition,
  N extends ColumnName<D>,
  L extends ColumnName<D> = never,
>(set: ColumnSet, definition: D, names: readonly N[], later?: readonly L[]): TypedTable<D, N, L>;
export function typedTable(
  set: ColumnSet,
  definition: TableDefinition,
  names: readonly string[],
  later: readonly string[] = [],
): { readonly rows: number; readonly columns: Readonly<Record<string, AnyColumn | null>> } {
  const there = new Set(set.names);
  const columns: Record<string, AnyColumn | null> = {};
  for (const name of names) columns[name] = typedColumn(set, definition, name);
  for (const name of later) columns[name] = there.has(name) ? typedColumn(set, definition, name) : null;
  return { rows: set.rows, columns };
}

function typedColumn(
  set: ColumnSet,
  { columns, optionalColumns = {} }: TableDefinition,
  name: string,
): AnyColumn {
  const view = set.view(name);
  const optional = Object.values(optionalColumns).find((own) => name in own)?.[name];
  // Beside the declared columns a table has those of the groups, which are int32.
  const { kind, nullable } = columns[name] ?? optional ?? { kind: 'int32', nullable: false };
  if (view.kind !== kind) {
    throw new UserError(
      `${set.path}: column ${name} is ${view.kind}, not ${kind}; was it written by another version?`,
    );
  }
  const values = valuesOf(view);
  return nullable ? { values, isNull: (row) => view.valid?.[row] === 0 } : values;
}

function valuesOf(view: ColumnView): ColumnValues[ColumnKind] {
  switch (view.kind) {
    case 'dictionary': {
      const { indices, values } = view;
      return { indices, values, text: (row) => values[indices[row]!]! };
    }
    case 'fixed-list-float32': {
      const { size, values } = view;
      return { size, values, row: (row) => values.subarray(row * size, (row + 1) * size) };
    }
    case 'list-float32': {
      const { offsets, values } = view;
      return { offsets, values, row: (row) => values.subarray(offsets[row], offsets[row + 1]) };
    }
    case 'list-int32': {
      const { offsets, values } = view;
      return { offsets, values, row: (row) => values.subarray(offsets[row], offsets[row + 1]) };
    }
    case 'list-float64': {
      const { offsets, values } = view;
      return { offsets, values, row: (row) => values.subarray(offsets[row], offsets[row + 1]) };
    }
    default:
      return view.values;
  }
}

/** Those of `names` and `later` that an open table has to be asked for. */
export function namesToRead(
  { columns }: Pick<TableReader, 'columns'>,
  names: readonly string[],
  later: readonly string[] = [],
): string[] {
  return [...names, ...later.filter((name) => columns.some((column) => column.name === name))];
}

/**
 * Read columns of an open table, all batches or a range of them. Throws where {@link readColumns} and
 * {@link typedTable} do.
 */
export async function readTyped<
  D extends TableDefinition,
  N extends ColumnName<D>,
  L extends ColumnName<D> = never,
>(
  reader: TableReader,
  definition: D,
  names: readonly N[],
  later: readonly L[] = [],
  range: BatchRange = {},
): Promise<TypedTable<D, N, L>> {
  const set = await readColumns(reader, namesToRead(reader, names, later), range);
  return typedTable(set, definition, names, later);
}

/** Read columns of one batch of an open table. Throws where {@link TableReader.readBatch} and {@link typedTable} do. */
export async function readTypedBatch<D extends TableDefinition, N extends ColumnName<D>>(
  reader: TableReader,
  definition: D,
  batch: number,
  names: readonly N[],
): Promise<TypedTable<D, N>> {
  return typedTable(await reader.readBatch(batch, names), definition, names);
}
