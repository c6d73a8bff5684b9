import type { LogTier } from './log-tier.js';

/** How the values of a column are stored; each kind is one Arrow type. `float32` is in files of other programs alone. */
export type ColumnKind =
  | 'int32'
  | 'float64'
  | 'float32'
  | 'bool'
  | 'utf8'
  | 'dictionary'
  | 'fixed-list-float32'
  | 'list-float32'
  | 'list-int32'
  | 'list-float64';

/** The names that a run knows before its first step; dictionaries and widths of columns come from them. */
export interface Dimensions {
  readonly stages: readonly string[];
  /** Groups of training examples, without `minibatch`. */
  readonly groups: readonly string[];
  /** Parameter tensors, without `total`. */
  readonly tensors: readonly string[];
  readonly testSets: readonly string[];
  readonly subsets: readonly string[];
  /** Values of one gradient sketch. */
  readonly sketchSize: number;
  /** Sets of {@link TableDefinition.optionalColumns} that the run has; none by default. */
  readonly interventions?: readonly string[];
}

/** A column as the registry declares it. */
export interface Column<K extends ColumnKind = ColumnKind, N extends boolean = boolean> {
  readonly kind: K;
  readonly nullable: N;
  /** Unit of the values; `1` for a plain number, empty for text. */
  readonly unit: string;
  /** One sentence. */
  readonly description: string;
  /**
   * Values of a dictionary: those of a run, or a list that is the same in every run of this version. Such a list grows at
   * its end only, so that a table which an earlier version began can be gone on with.
   */
  readonly values?: readonly string[] | ((dimensions: Dimensions) => readonly string[]);
  /** Values in each row of a fixed-size list. */
  readonly size?: (dimensions: Dimensions) => number;
}

/** One int32 column a group of examples, named by {@link groupColumnName}. */
export interface GroupColumns {
  readonly prefix: string;
  readonly unit: string;
  readonly description: (group: string) => string;
}

/** A table as the registry declares it. */
export interface TableDefinition {
  readonly name: string;
  /** What a row is, for the docs. */
  readonly row: string;
  /** When rows are written, for the docs. */
  readonly when?: string;
  /** Least tier of the gradient log that keeps it; without one every run does. */
  readonly tier?: LogTier;
  readonly columns: Readonly<Record<string, Column>>;
  readonly groupColumns?: GroupColumns;
  /** Sets of columns that only some runs have, which {@link Dimensions.interventions} names. */
  readonly optionalColumns?: Readonly<Record<string, Readonly<Record<string, Column<'float64', true>>>>>;
  /** Whether it is computed from a run's checkpoints: then a part of it, as a killed process leaves one, says nothing. */
  readonly derived?: true;
}

/** A column whose dictionary and width are known. */
export interface ResolvedColumn {
  readonly name: string;
  readonly kind: ColumnKind;
  readonly nullable: boolean;
  readonly unit: string;
  readonly description: string;
  /** Values of a dictionary column, empty for other kinds. */
  readonly values: readonly string[];
  /** Whether a later version may have more values, behind these. */
  readonly grows: boolean;
  /** Values in each row of a fixed-size list, 0 for other kinds. */
  readonly size: number;
  /** Id of a dictionary within its file, -1 for other kinds. */
  readonly dictionaryId: number;
}

/** Names of the columns of a table, its group columns included. */
export type ColumnName<D extends TableDefinition> =
  | (keyof D['columns'] & string)
  | OptionalColumnName<D>
  | (D extends { groupColumns: { prefix: infer P extends string } } ? `${P}${string}` : never);

/** Names of the columns of a table that only some runs have. */
export type OptionalColumnName<D extends TableDefinition> = D extends { optionalColumns: infer Sets }
  ? { [Set in keyof Sets]: keyof Sets[Set] & string }[keyof Sets]
  : never;

/** Kind of a column of a table. */
export type KindOf<D extends TableDefinition, C extends string> = C extends keyof D['columns']
  ? D['columns'][C]['kind']
  : C extends OptionalColumnName<D>
    ? 'float64'
    : 'int32';

/** What a row holds in a column of each kind; null where it is missing. */
interface CellOf {
  readonly int32: number | null;
  readonly float64: number | null;
  readonly float32: number | null;
  readonly bool: boolean;
  readonly utf8: string;
  /** The value, or its position in the dictionary. */
  readonly dictionary: string | number;
  readonly 'fixed-list-float32': never;
  readonly 'list-float32': ArrayLike<number>;
  readonly 'list-int32': ArrayLike<number>;
  readonly 'list-float64': ArrayLike<number>;
}

/** One row of a table, by column. */
export type RowOf<D extends TableDefinition> = {
  readonly [C in keyof D['columns']]: CellOf[D['columns'][C]['kind']];
};

interface ScalarOptions {
  readonly unit?: string;
}

interface NullableOptions extends ScalarOptions {
  readonly nullable: true;
}

/** Declares columns of one kind, and says in their type whether they may hold nulls. */
interface Numeric<K extends ColumnKind> {
  (description: string, options: NullableOptions): Column<K, true>;
  (description: string, options?: ScalarOptions): Column<K, false>;
}

function numeric<K extends ColumnKind>(kind: K): Numeric<K> {
  function declare(description: string, options: NullableOptions): Column<K, true>;
  function declare(description: string, options?: ScalarOptions): Column<K, false>;
  function declare(
    description: string,
    { unit = '1', nullable = false }: ScalarOptions & { readonly nullable?: boolean } = {},
  ): Column<K> {
    return { kind, nullable, unit, description };
  }
  return declare;
}

/** Declare a column of 32-bit integers. -2147483648 is taken: it marks a null or a value that was not set. */
export const int32 = numeric('int32');
/** Declare a column of float64. NaN is taken: it marks a null or a value that was not set. */
export const float64 = numeric('float64');
/** Declare a column of lists of float32; NaN is an ordinary value in a list. */
export const listFloat32 = numeric('list-float32');
/** Declare a column of lists of int32. */
export const listInt32 = numeric('list-int32');
/** Declare a column of lists of float64. */
export const listFloat64 = numeric('list-float64');

/** Declare a column of truth values. */
export function bool(description: string): Column<'bool', false> {
  return { kind: 'bool', nullable: false, unit: '', description };
}

/** Declare a column of free text. */
export function utf8(description: string): Column<'utf8', false> {
  return { kind: 'utf8', nullable: false, unit: '', description };
}

/** Declare a column of text whose values are all known when the table is created. */
export function dictionary(
  description: string,
  values: readonly string[] | ((dimensions: Dimensions) => readonly string[]),
): Column<'dictionary', false> {
  return { kind: 'dictionary', nullable: false, unit: '', description, values };
}

/** Declare a column of `size` float32 a row. */
export function fixedListFloat32(
  description: string,
  size: (dimensions: Dimensions) => number,
  unit = '1',
): Column<'fixed-list-float32', false> {
  return { kind: 'fixed-list-float32', nullable: false, unit, description, size };
}

/** Name of the column that holds a group's numbers: `examples_` and `qd1consis/qa` give `examples_qd1consis_qa`. */
export function groupColumnName<P extends string>(prefix: P, group: string): `${P}${string}` {
  return `${prefix}${group.replaceAll(/[^A-Za-z0-9]+/g, '_')}`;
}

/**
 * The columns of a table for a run's dimensions, in file order: the declared ones, then optional ones, then one per group. A dictionary's id
 * is the number of its column, so that the same dimensions always give the same bytes. Throws an Error for a name or
 * a dictionary value that occurs twice and for a fixed-size list without a positive whole size.
 */
export function resolveColumns(table: TableDefinition, dimensions: Dimensions): ResolvedColumn[] {
  const columns: ResolvedColumn[] = [];
  const add = (name: string, column: Column): void => {
    const id = column.kind === 'dictionary' ? columns.length : -1;
    columns.push({ ...resolveColumn(table, name, column, dimensions), dictionaryId: id });
  };
  for (const [name, column] of Object.entries(table.columns)) add(name, column);
  for (const [set, own] of Object.entries(table.optionalColumns ?? {})) {
    if (dimensions.interventions?.includes(set) !== true) continue;
    for (const [name, column] of Object.entries(own)) add(name, column);
  }
  if (table.groupColumns !== undefined) {
    const { prefix, unit, description } = table.groupColumns;
    for (const group of dimensions.groups) {
      add(groupColumnName(prefix, group), int32(description(group), { unit }));
    }
  }
  const twice = firstDuplicate(columns.map((column) => column.name));
  if (twice !== undefined) throw new Error(`table ${table.name}: two columns are named ${twice}`);
  return columns;
}

function resolveColumn(
  table: TableDefinition,
  name: string,
  column: Column,
  dimensions: Dimensions,
): Omit<ResolvedColumn, 'dictionaryId'> {
  const declared = column.values ?? [];
  const values = typeof declared === 'function' ? declared(dimensions) : declared;
  const twice = firstDuplicate(values);
  if (twice !== undefined) {
    throw new Error(`table ${table.name}, column ${name}: the dictionary holds '${twice}' twice`);
  }
  const size = column.size?.(dimensions) ?? 0;
  if (column.kind === 'fixed-list-float32' && !(Number.isSafeInteger(size) && size > 0)) {
    throw new Error(`table ${table.name}, column ${name}: the list size is ${size}, not a positive integer`);
  }
  const { kind, nullable, unit, description } = column;
  const grows = kind === 'dictionary' && typeof declared !== 'function';
  return { name, kind, nullable, unit, description, values: [...values], grows, size };
}

function firstDuplicate(names: readonly string[]): string | undefined {
  const seen = new Set<string>();
  return names.find((name) => seen.size === seen.add(name).size);
}
