import { noDimensions } from '../store/tables/analysis.js';
import type { RowOf, TableDefinition } from '../store/columns.js';
import { NewTables } from '../store/new-tables.js';
import type { RunMetadata } from '../store/table-schema.js';

/**
 * Writes a whole table without dictionaries into a folder that exists, in place of an earlier one, which stays until the
 * new one is whole. Throws a UserError when it cannot be written.
 */
export async function writeTable<D extends TableDefinition>(
  folder: string,
  table: D,
  rows: Iterable<RowOf<D>>,
  metadata: RunMetadata,
): Promise<void> {
  const tables = new NewTables(folder);
  try {
    const writer = tables.open({ table, dimensions: noDimensions, metadata });
    for (const row of rows) writer.append(row);
    await tables.publish();
  } finally {
    tables.discard();
  }
}
