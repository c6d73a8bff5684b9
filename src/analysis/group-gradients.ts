import { TableReader } from '../store/table-reader.js';
import { GroupGradientLog } from './group-gradient-log.js';
import { readTable, type RunData } from './run-data.js';

/** Norms and cosines of group gradients over the steps of a run, all tensors together. */
export interface GroupGradients {
  /** Steps with logged gradients, ascending. */
  readonly steps: Int32Array;
  /**
   * `[step]` cosine of two groups' shares of the minibatch gradient, as the training logged it; NaN where one of them
   * was not in the minibatch or has no gradient.
   */
  cosine(a: string, b: string): Float64Array;
  /** `[step]` squared norm of a group's share of the minibatch gradient, or of `minibatch`. */
  norm2(group: string): Float64Array;
  /** `[step]` sum over the group's examples of squared per-example norms; NaN at steps that do not measure it. */
  exampleNorm2(group: string): Float64Array;
  /** `[step]` examples of a group; of the minibatch for `minibatch`. */
  count(group: string): Float64Array;
}

/** Reads the group gradients of a run, or null where its log has none. */
export async function readGroupGradients(run: RunData): Promise<GroupGradients | null> {
  const open: TableReader[] = [];
  const log = new GroupGradientLog({
    reader: async (table) => {
      if (!run.tables.has(table)) return null;
      const reader = await TableReader.open(run.folder, table);
      open.push(reader);
      return reader;
    },
    read: (table, names) => readTable(run, table, names),
  });
  try {
    return await log.read(run.info);
  } finally {
    for (const reader of open) await reader.close();
  }
}
