import type { TableDefinition } from '../columns.js';
import { activationTables } from './activations.js';
import { alignmentTables } from './alignment.js';
import { cooccurrenceTables } from './cooccurrence.js';
import { epochDriftTables } from './epoch-drift.js';
import { factorTables } from './factors.js';
import { forceTables } from './forces.js';
import { internalizationTables } from './internalization.js';
import { landscapeTables } from './landscape.js';
import { minibatchTables } from './minibatch.js';
import { penaltyTables } from './penalty.js';
import { retrainTables } from './retrain.js';
import { runTables, eventTables } from './run.js';
import { transferTables } from './transfer.js';

/** Every table of a run folder, study by study. The tables of a further study are one more line here. */
export const tables = {
  ...runTables,
  ...cooccurrenceTables,
  ...minibatchTables,
  ...internalizationTables,
  ...alignmentTables,
  ...penaltyTables,
  ...landscapeTables,
  ...epochDriftTables,
  ...forceTables,
  ...transferTables,
  ...retrainTables,
  ...factorTables,
  ...activationTables,
  ...eventTables,
} as const satisfies Record<string, TableDefinition>;

/** Name of a table of the registry. */
export type TableName = keyof typeof tables;

/** Names of all tables, in the order of the registry. */
export const tableNames = Object.keys(tables) as readonly TableName[];

const derivedNames: ReadonlySet<string> = new Set(
  Object.values<TableDefinition>(tables)
    .filter((table) => table.derived === true)
    .map((table) => table.name),
);

/** Whether a name is that of a {@link TableDefinition.derived} table. */
export function isDerived(table: string): boolean {
  return derivedNames.has(table);
}
