import { float64, int32, utf8, type Dimensions, type TableDefinition } from '../columns.js';
import { units } from '../units.js';

const section = utf8('Id of the section of the report.');
const quantity = utf8('Id of the quantity, unique.');
const label = utf8('What the quantity is, for people.');
const seed = int32('Seed of the run.');

const nullable = { nullable: true } as const;

/** Options of a column of a quantity's unit. */
const inUnit = { unit: units.quantity, nullable: true } as const;

/** The parts of a ratio have a unit of their own, which the ratio loses. */
const inParts = { unit: units.part, nullable: true } as const;

const estimateIn = (unit: string) => ({
  estimate: float64('Mean over seeds; null where it is absent.', { unit, nullable: true }),
  low: float64('Lower end of the interval; null where there is none.', { unit, nullable: true }),
  high: float64('Upper end of the interval; null where there is none.', { unit, nullable: true }),
  level: float64('Nominal coverage of the interval; null where there is none.', nullable),
  seeds: int32('Seeds in the estimate.', { unit: units.seed }),
  p: float64('Two-sided p-value of no difference from 0; null where there is no test.', nullable),
});

/** Tables of an analysis, beside `analysis.json`. A new table is one more entry here. */
export const analysisTables = {
  quantities: {
    name: 'quantities',
    row: 'one quantity',
    columns: {
      section,
      quantity,
      label,
      unit: utf8('Unit of the quantity.'),
      ...estimateIn(units.quantity),
      standard_error: float64('Standard error of the estimate; null where there is none.', inUnit),
      null_label: utf8('What the quantity is held against; empty for a size.'),
      null_estimate: float64(
        'Value of the null; 0 by symmetry, or measured; null where there is none.',
        inUnit,
      ),
      difference: float64('Quantity minus its null, mean over seeds; null where there is none.', inUnit),
      difference_low: float64('Lower end of its interval; null where there is none.', inUnit),
      difference_high: float64('Upper end of its interval; null where there is none.', inUnit),
      p_null: float64(
        'Two-sided p-value of no difference from the null; null where there is none.',
        nullable,
      ),
      p_adjusted: float64('The same after Holm over the section; null where there is none.', nullable),
      p_sign_flips: float64(
        'p-value of all sign flips of the seeds against the null, below 15 seeds; null where there is none.',
        nullable,
      ),
      bootstrap_low: float64('Lower end of the hierarchical BCa interval; null where there is none.', inUnit),
      bootstrap_high: float64(
        'Upper end of the hierarchical BCa interval; null where there is none.',
        inUnit,
      ),
      p_tag_flips: float64(
        'p-value of flips of the tag, entity by entity; null where the sign is not that of a tag.',
        nullable,
      ),
      reason: utf8('Why the estimate or its interval is absent; empty where both are there.'),
    },
  },
  controls: {
    name: 'controls',
    row: 'one quantity x further null',
    columns: {
      section,
      quantity,
      label,
      control: utf8('Id of the control, unique for the quantity.'),
      control_label: utf8('What the quantity is held against.'),
      ...estimateIn(units.quantity),
      difference: float64('Quantity minus the control, mean over seeds; null where there is none.', inUnit),
      difference_low: float64('Lower end of its interval; null where there is none.', inUnit),
      difference_high: float64('Upper end of its interval; null where there is none.', inUnit),
      p_difference: float64('Two-sided p-value of no difference; null where there is none.', nullable),
    },
  },
  seed_values: {
    name: 'seed_values',
    row: 'one quantity x seed',
    columns: {
      section,
      quantity,
      seed,
      value: float64('Value of the run; null where it is absent.', inUnit),
      numerator: float64('Numerator of a ratio of averages; null for other quantities.', inParts),
      denominator: float64('Denominator of a ratio of averages; null for other quantities.', inParts),
      reason: utf8('Why it is absent; empty where it is there.'),
    },
  },
  entity_values: {
    name: 'entity_values',
    row: 'one quantity x seed x entity',
    columns: {
      section,
      quantity,
      seed,
      entity: int32('Number of the entity within the seed.'),
      value: float64('Value of the entity; their mean is the value of the seed.', { unit: units.quantity }),
    },
  },
  claims: {
    name: 'claims',
    row: 'one claim',
    columns: {
      claim: utf8('Id of the claim, unique.'),
      label: utf8('What the runs could show.'),
      quantities: utf8('Ids of the quantities that decide, with blanks between them.'),
      verdict: utf8('Supported, contradicted or undecided.'),
      p: float64('p-value behind the verdict; null where there is none.', nullable),
      p_adjusted: float64('The same after Holm over the claims; null where there is none.', nullable),
      p_sign_flips: float64('p-value of all sign flips of the seeds; null where there is none.', nullable),
      reason: utf8('The numbers behind the verdict.'),
      seeds_for_power: int32('Seeds for 80 % power at the observed size; null where it cannot be told.', {
        unit: units.seed,
        nullable: true,
      }),
    },
  },
  checks: {
    name: 'checks',
    row: 'one identity',
    columns: {
      check: utf8('Id of the check, unique.'),
      label: utf8('What must hold by algebra or calculus.'),
      quantity,
      tolerance: float64('Largest size of the quantity that passes.', { unit: units.quantity }),
      result: utf8('Pass or fail.'),
      reason: utf8('The number behind the result.'),
    },
  },
  penalty_curve: {
    name: 'penalty_curve',
    row: 'one batch size',
    columns: {
      batch_size: int32('Examples in a minibatch.', { unit: 'example' }),
      ...estimateIn(units.gradient2),
      law: float64('Squared norm by the law, mean over seeds; null where it is absent.', {
        unit: units.gradient2,
        nullable: true,
      }),
      norm_part: float64('Norm part of the penalty.', { unit: units.loss, nullable: true }),
      variance_part: float64('Variance part of the penalty.', { unit: units.loss, nullable: true }),
    },
  },
  curves: {
    name: 'curves',
    row: 'one curve x seed x step',
    columns: {
      curve: utf8('Name of the curve.'),
      seed,
      step: int32('Last step of the window.', { unit: 'step' }),
      value: float64('Mean over the window; null where nothing was measured.', {
        unit: units.curve,
        nullable: true,
      }),
    },
  },
} as const satisfies Record<string, TableDefinition>;

/** Tables of an analysis have no dictionaries. */
export const noDimensions: Dimensions = {
  stages: [],
  groups: [],
  tensors: [],
  testSets: [],
  subsets: [],
  sketchSize: 1,
};
