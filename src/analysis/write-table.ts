import { noDimensions } from '../store/analysis-schemas.js';
import type { RowOf, TableDefinition } from '../store/columns.js';
import { finalizeTable } from '../store/finalize.js';
import { nodeFileSystem } from '../store/file-system.js';
import type { RunMetadata } from '../store/schemas.js';
import { filePath, streamPath } from '../store/table-paths.js';
import { TableWriter } from '../store/table-writer.js';

/**
 * Writes a whole table without dictionaries into a folder that exists, in place of an earlier one. Throws a UserError
 * when it cannot be written.
 */
export async function writeTable<D extends TableDefinition>(
  folder: string,
  table: D,
  rows: Iterable<RowOf<D>>,
  metadata: RunMetadata,
): Promise<void> {
  nodeFileSystem.remove(filePath(folder, table.name));
  nodeFileSystem.remove(streamPath(folder, table.name));
  const writer = TableWriter.create({ folder, table, dimensions: noDimensions, metadata });
  try {
    for (const row of rows) writer.append(row);
  } finally {
    writer.close();
  }
  await finalizeTable(folder, table.name);
}
