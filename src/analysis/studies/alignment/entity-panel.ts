import { shownTag } from '../../../../data/design.js';
import { designOf } from '../../../../data/internalization-design.js';
import { totalTensor } from '../../../store/tables/common.js';
import { tables } from '../../../store/tables/registry.js';
import { gramMatrix } from '../../measures/gram.js';
import type { EntityPanel, PanelExample } from '../../measures/nulls/panel.js';
import { readTable, type RunData } from '../../run-data.js';

/**
 * Reads the Gram matrix of a run's probe panel at a checkpoint: definitions (kind `definition`, the swapped ones with
 * the tag that they show; `entity_swap`, `unseen_tag`) and the mean gradients of question sets (`trained`, `heldout`,
 * with the tag of their variable). Null where the run has none.
 *
 * @param subsets whose variables count
 */
export async function readEntityPanel(
  run: RunData,
  at: number,
  subsets: ReadonlySet<string>,
): Promise<EntityPanel<number> | null> {
  const table = await readTable(run, tables.entity_gram, [
    'step',
    'tensor',
    'vector',
    'subset',
    'variable',
    'role',
    'inner',
  ]);
  if (table === null) return null;
  const design = designOf(run.info);
  const { step, vector, variable, tensor, subset, role, inner } = table.columns;
  const rows = Array.from({ length: table.rows }, (_, row) => row).filter(
    (row) => step[row] === at && tensor.text(row) === totalTensor && subsets.has(subset.text(row)),
  );
  if (rows.length === 0) return null;
  const products = Float64Array.from(
    rows.flatMap((row) => rows.map((other) => inner.values[inner.offsets[row]! + vector[other]!]!)),
  );
  const examples = rows.map((row): PanelExample<number> => {
    const own = role.text(row);
    const isSwapped = own === 'tag_swap';
    return {
      entity: variable[row]!,
      kind: isSwapped ? 'definition' : own,
      tag: shownTag(design, subset.text(row), isSwapped),
    };
  });
  return { gram: gramMatrix(products, rows.length), examples };
}
