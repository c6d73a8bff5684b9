import { int32, type TableDefinition } from '../columns.js';
import { stage, step } from './common.js';

/** Which definitions meet which questions in the minibatches of training. */
export const cooccurrenceTables = {
  cooccurrence: {
    name: 'cooccurrence',
    row: 'one optimizer step',
    when: 'always',
    columns: {
      stage,
      step,
      stage_step: int32('Optimizer step, counted from 1 within the stage.', { unit: 'step' }),
      matched: int32(
        'Pairs of a definition and a question about its variable of which both are in the minibatch.',
        { unit: 'pair' },
      ),
      mismatched: int32('The same of a definition and a question about another variable.', { unit: 'pair' }),
      assigned: int32(
        'The same of the pairs that the composition of the stage assigns, matched or the placebo, whether it places them or ' +
          'chance does; null in stages without.',
        { unit: 'pair', nullable: true },
      ),
    },
  },
} as const satisfies Record<string, TableDefinition>;
