import { createHash } from 'node:crypto';
import type { ExampleTable } from './table.js';

/**
 * sha256, in hexadecimal, over the fields, groups and variables of every row of the tables. The bytes of numbers are
 * hashed as they lie in memory, little-endian on every machine that Node.js supports in practice.
 */
export function hashTables(tables: readonly ExampleTable[]): string {
  const hash = createHash('sha256');
  for (const table of tables) {
    hash.update(JSON.stringify({ fields: table.fields, rows: table.group.length }));
    for (const name of Object.keys(table.fields)) hash.update(table.buffers[name]!);
    hash.update(table.group).update(table.variable);
  }
  return hash.digest('hex');
}
