import type { Schema } from 'apache-arrow';
import { makeArrowSchema } from './arrow-types.js';
import { resolveColumns } from './columns.js';
import type { Dimensions, ResolvedColumn, TableDefinition } from './columns.js';
import { formatVersion, metadataKeys } from './format.js';

/** Facts about the run for the schema metadata: seed, loss reduction and so on. */
export type RunMetadata = Readonly<Record<string, string>>;

/** The Arrow schema of a table and the columns behind it. */
export interface TableSchema {
  readonly table: string;
  readonly columns: readonly ResolvedColumn[];
  readonly schema: Schema;
}

/**
 * The Arrow schema of a table for a run's dimensions. Its metadata hold the format version, the table's name, the
 * units and the run's own entries; each field's metadata hold unit and description. Dictionary ids are column
 * numbers, so that the same call always gives the same bytes. Throws an Error where {@link resolveColumns} does and
 * for a run entry whose key starts with `gradscope.`.
 */
export function makeSchema(
  table: TableDefinition,
  dimensions: Dimensions,
  runMetadata: RunMetadata = {},
): TableSchema {
  const columns = resolveColumns(table, dimensions);
  const unitsByColumn = Object.fromEntries(
    columns.flatMap(({ name, unit }) => (unit === '' ? [] : [[name, unit]])),
  );
  const metadata = new Map<string, string>([
    [metadataKeys.version, String(formatVersion)],
    [metadataKeys.table, table.name],
    [metadataKeys.units, JSON.stringify(unitsByColumn)],
  ]);
  for (const [key, value] of Object.entries(runMetadata)) {
    if (key.startsWith('gradscope.')) throw new Error(`run metadata: the key ${key} belongs to the store`);
    metadata.set(key, value);
  }
  return { table: table.name, columns, schema: makeArrowSchema(columns, metadata) };
}
