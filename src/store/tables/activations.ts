import { dictionary, int32, listFloat32, utf8, type TableDefinition } from '../columns.js';
import { checkpointStep, definitionKinds, questionKinds, stage } from './common.js';

/** Activations of the examples of the panel. */
export const activationTables = {
  activations: {
    name: 'activations',
    derived: true,
    row: 'one checkpoint x example of the panel x position x site',
    when: 'with `--activations`',
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
      position: int32('Place of the token in the text, from 0.'),
      site: utf8('Name of the activation: `layers.0.attention.output`.'),
      values: listFloat32('The activation.'),
    },
  },
} as const satisfies Record<string, TableDefinition>;
