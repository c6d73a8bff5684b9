import { UserError } from '../../data/errors.js';

/** Names of what counterfactual retraining changes and of what predicts its outcome, the same in tables and analysis. */

/**
 * What differs from the run when its stage of new variables is trained again.
 *
 * - `nothing`: nothing but, perhaps, the order
 * - `drop`: the definition of one variable has weight 0 in the loss; rows, order and noise stay
 * - `drop_group`: the same for all definitions of a subset
 * - `tag_swap`: the definition of one variable carries the other tag
 * - `half`: a random half of the definitions alone is there; the other rows are removed, so that epochs are shorter
 * - `half_weighted`: the same halves, the other rows with weight 0: as many updates as in the run
 */
export const retrainChanges = ['nothing', 'drop', 'drop_group', 'tag_swap', 'half', 'half_weighted'] as const;

export type RetrainChange = (typeof retrainChanges)[number];

/**
 * What is to predict the change of a question's loss by a definition.
 *
 * - `inner_product`, `cosine`: of the negative gradient of the definition and the gradient of the questions at the start
 *   of the stage
 * - `one_step`: the change by one update of the stage's optimizer, from its fresh state, on the definition alone
 * - `checkpoints`: the inner products summed over the checkpoints of the stage (TracInCP: Pruthi et al. 2020)
 * - `path_integral`: the definition's share in every update of the stage, momentum and second moments included, times the
 *   gradient of the questions before it, summed
 * - `own_definition`: -1 where the definition is that of the variable asked about, else 0: no gradient at all
 * - `same_tag`: -1 where both variables are of one subset, else 0
 * - `tokens`: the number of tokens of the definition
 * - `permuted`: path_integral (inner_product where there is none) with the definitions permuted at random: a null
 * - `random`: random numbers: a null
 * - `another_order`: the same retraining with another order and noise: not cheap, and what retraining itself can say
 */
export const retrainPredictors = [
  'inner_product',
  'cosine',
  'one_step',
  'checkpoints',
  'path_integral',
  'own_definition',
  'same_tag',
  'tokens',
  'permuted',
  'random',
  'another_order',
] as const;

export type RetrainPredictor = (typeof retrainPredictors)[number];

/**
 * Over what predictions and changes are ranked.
 *
 * - `question`: for each variable asked about, over the definitions; mean over the variables
 * - `other`: the same without the variable's own definition
 * - `own`: over the variables of a subset, each with its own definition; mean over the subsets
 * - `pooled`: over all pairs of a definition and a variable asked about
 * - `lds`: for each variable asked about, over random halves, against the sum of the predictions of the half's
 *   definitions; mean over the variables: the linear datamodeling score (Park et al. 2023)
 */
export const retrainScopes = ['question', 'other', 'own', 'pooled', 'lds'] as const;

export type RetrainScope = (typeof retrainScopes)[number];

/** The one of some names that a text of a table is. Throws a UserError for one that this version does not know. */
export function knownName<T extends string>(names: readonly T[], text: string): T {
  const found = names.find((name) => name === text);
  if (found === undefined)
    throw new UserError(
      `a table of retraining has the name '${text}', which this version does not know; run gradscope retrain again`,
    );
  return found;
}
