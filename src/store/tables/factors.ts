import { dictionary, int32, listFloat32, listInt32, type TableDefinition } from '../columns.js';
import { units } from '../units.js';
import { stage, checkpointStep, definitionKinds, questionKinds } from './common.js';

/** Factors of the gradients of single examples. */
export const factorTables = {
  factors: {
    name: 'factors',
    derived: true,
    row: 'one checkpoint x example of the panel x use of a parameter',
    when: 'with `--factors`',
    columns: {
      stage,
      step: checkpointStep,
      example: int32('Number of the example in the panel: definitions kind after kind, then question sets.'),
      subset: dictionary('Subset of the variable.', (d) => d.subsets),
      variable: int32('Variable that the example is about.'),
      role: dictionary('Definition of a kind, or question of a kind.', [
        ...definitionKinds,
        ...questionKinds,
      ]),
      tensor: dictionary('Parameter tensor.', (d) => d.tensors),
      use: int32('Number of the use, for parameters that are used more than once.'),
      kind: dictionary(
        'What is summed over rows: linear, left (x) right; vector, right; embedding, right at row ids of the table.',
        () => ['linear', 'vector', 'embedding'],
      ),
      rows: int32('Rows of the factors.'),
      left: listFloat32('Left factor [row, in]; empty but for linear.'),
      ids: listInt32('Rows of the table; empty but for embedding.'),
      right: listFloat32('Right factor [row, out].', { unit: units.gradient }),
    },
  },
} as const satisfies Record<string, TableDefinition>;
