import {
  dictionary,
  float64,
  int32,
  listFloat32,
  listFloat64,
  listInt32,
  type TableDefinition,
} from '../columns.js';
import { retrainChanges, retrainPredictors, retrainScopes } from '../retrain-names.js';
import { units } from '../units.js';

const subset = dictionary('Subset of the definition.', (d) => d.subsets);
const askedSubset = dictionary('Subset of the variable asked about.', (d) => d.subsets);
const asked = int32('Variable that the questions are about.');
const when = 'gradscope retrain';

/** The stage of new variables trained again with something changed, and what predicts the outcome. */
export const retrainTables = {
  retrained: {
    name: 'retrained',
    derived: true,
    row: 'one retraining x variable asked about',
    when,
    columns: {
      change: dictionary('What differs from the run.', retrainChanges),
      order: int32('Order of minibatches and noise: 0 is that of the run, 1, 2, ... are others.'),
      changed_subset: dictionary(
        'Subset of the definition that is dropped or swapped, or that is dropped as a whole; none otherwise.',
        (d) => [...d.subsets, 'none'],
      ),
      changed: int32('Variable whose definition is dropped or swapped, or number of the half.', {
        nullable: true,
      }),
      asked_subset: askedSubset,
      asked,
      loss: float64('Mean loss of the held-out questions at the end of the stage.', { unit: units.loss }),
      margin: float64('Mean log-odds of the right answer against its contrast.', { unit: units.loss }),
      accuracy: float64('Share of the questions that are answered right.'),
      losses: listFloat32('Loss of each question.', { unit: units.loss }),
    },
  },
  retrain_halves: {
    name: 'retrain_halves',
    derived: true,
    row: 'one random half of the definitions',
    when,
    columns: {
      half: int32('Number of the half.'),
      variables: listInt32('Variables whose definitions it has.'),
    },
  },
  retrain_predictions: {
    name: 'retrain_predictions',
    derived: true,
    row: 'one definition of the stage, as trained or with its tag swapped, x variable asked about',
    when,
    columns: {
      subset,
      variable: int32('Variable that is defined.'),
      definition: dictionary('The definition as trained on, or with the tag swapped.', [
        'definition',
        'tag_swap',
      ]),
      asked_subset: askedSubset,
      asked,
      inner_product: float64(
        'Negative inner product of the gradients of definition and questions at the start of the stage.',
        { unit: units.gradient2 },
      ),
      cosine: float64('Negative cosine of the same; null where a gradient is zero.', { nullable: true }),
      one_step: float64(
        "Change of the mean loss by one update of the stage's optimizer on the definition alone, at the full learning rate.",
        { unit: units.loss },
      ),
      checkpoints: float64('The sum of inner_product over the start of the stage and its checkpoints.', {
        unit: units.gradient2,
      }),
      path_integral: float64(
        "First-order change of the mean loss by the definition's share in every update of the stage; null for a swapped tag, " +
          'and where the model is too large.',
        { unit: units.loss, nullable: true },
      ),
      tokens: int32('Tokens of the definition that are not padding, or targets where it is no text.'),
    },
  },
  retrain_scores: {
    name: 'retrain_scores',
    derived: true,
    row: 'one predictor x change x scope',
    when,
    columns: {
      change: dictionary('What differed in the retrainings that are predicted.', retrainChanges),
      scope: dictionary('Over what it is ranked.', retrainScopes),
      predictor: dictionary('What predicts.', retrainPredictors),
      score: float64(
        'Spearman correlation of predicted and actual change; null where one side is constant.',
        {
          nullable: true,
        },
      ),
      low: float64('Lower end of its 95 % interval, by a bootstrap over definitions (halves for lds).', {
        nullable: true,
      }),
      high: float64('Upper end of the same.', { nullable: true }),
      units: int32('Definitions, or halves, that the bootstrap draws.'),
      scores: listFloat64('Score of each variable asked about, where score is their mean; empty otherwise.'),
    },
  },
} as const satisfies Record<string, TableDefinition>;
