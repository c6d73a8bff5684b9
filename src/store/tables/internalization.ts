import { dictionary, float64, int32, type TableDefinition } from '../columns.js';
import { units } from '../units.js';
import { stage, step, epoch } from './common.js';

/**
 * What evaluations measure. `majority` is no property of a model: accuracy of who answers every kind of question with its most
 * frequent answer. `exact_match` and `f1` are of answers that the model has written. Later ones come last, so that runs of older
 * versions go on.
 */
export const metricNames = ['accuracy', 'margin', 'loss', 'majority', 'exact_match', 'f1'] as const;

export type MetricName = (typeof metricNames)[number];

/** What evaluations of a run measure at the test sets. */
export const internalizationTables = {
  metrics: {
    name: 'metrics',
    row: 'one evaluation x test set x subset x metric',
    when: 'always',
    columns: {
      stage,
      step,
      epoch,
      set: dictionary('Test set.', (d) => d.testSets),
      subset: dictionary('Subset of the variables.', (d) => d.subsets),
      metric: dictionary('What is measured.', metricNames),
      value: float64('Value of the metric.', { unit: units.metric }),
      n: int32('Examples behind the value.', { unit: 'example' }),
      standard_error: float64('Standard error of the value; null means that it is not defined.', {
        unit: units.metric,
        nullable: true,
      }),
    },
  },
} as const satisfies Record<string, TableDefinition>;
