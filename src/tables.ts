/**
 * The tables of a run folder, engine-free: finding runs, opening one, reading columns as typed arrays.
 *
 * @module
 */
export { openRun, readTable, type RunData } from './analysis/run-data.js';
export { readEntityPanel } from './analysis/studies/alignment/entity-panel.js';
export {
  factoredProduct,
  readFactoredGradients,
  type FactoredGradient,
} from './analysis/factored-gradients.js';
export { findRuns, type FoundRuns } from './analysis/find-runs.js';
export { listRuns, type ListedRun } from './store/list-runs.js';
export type { RunInfo } from './store/run-info.js';
export { TableReader } from './store/table-reader.js';
export { ColumnSet, missingInt32, type ColumnView, type ColumnViews } from './store/column-views.js';
export { minibatchGroup, totalTensor } from './store/tables/common.js';
export { tableNames, tables, type TableName } from './store/tables/registry.js';
