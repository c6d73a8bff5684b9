import { samplingOf, type Sampling } from '../../../../data/samplers.js';
import type { RatedMoments } from '../../measures/smith-regulariser.js';
import { expectedMinibatchNorm2 } from '../../measures/expected-minibatch-norm.js';
import type { tables } from '../../../store/tables/registry.js';
import type { TypedTable } from '../../../store/typed-table.js';

/** Columns of the table `penalty` that points take. */
export const penaltyColumns = [
  'step',
  'sampler',
  'batch_size',
  'minibatches',
  'norm2',
  'example_norm2',
  'full_norm2',
  'examples',
] as const;

/** Columns of the table `penalty`. */
export type PenaltyTable<N extends string, L extends string = never> = TypedTable<
  typeof tables.penalty,
  N,
  L
>;

/** Real minibatches of one size at a checkpoint of a run. */
export interface MinibatchPoint {
  readonly batchSize: number;
  /** Minibatches of all draws that went into it. */
  readonly minibatches: number;
  /** Mean over draws of the mean squared norm of the minibatches. */
  readonly measured: number;
  /** The law of its sampler: what is predicted without fitting. */
  readonly law: number;
}

/** Measured norms of a run at a checkpoint, and what the law takes. */
export interface PenaltyPoints {
  /** Minibatches as the training set is split into; empty for a stream, which has none. */
  readonly shuffle: readonly MinibatchPoint[];
  /** Examples drawn independently, with the probabilities that the sampler of the run has. */
  readonly withReplacement: readonly MinibatchPoint[];
  /** Gamma, trace of the covariance of example gradients, divisor N. */
  readonly gamma: number;
  /** |G|^2 */
  readonly fullNorm2: number;
  /** N */
  readonly examples: number;
}

/**
 * The minibatches that are drawn as a run's sampler draws them, and those that are not: of a sampler whose minibatches are no
 * samples (`whyNoSample`) none is.
 */
export function pointsBySampler(
  { shuffle, withReplacement }: PenaltyPoints,
  { draws }: Pick<Sampling, 'draws'>,
): { readonly own: readonly MinibatchPoint[]; readonly other: readonly MinibatchPoint[] } {
  if (draws === 'arranged') return { own: [], other: shuffle };
  return draws === 'partition'
    ? { own: shuffle, other: withReplacement }
    : { own: withReplacement, other: shuffle };
}

/** Columns of norms with the learning rates of the parameters; tables of earlier versions lack them. */
export const ratedPenaltyColumns = ['rated_example_norm2', 'rated_full_norm2'] as const;

/**
 * `sum_p epsilon_p |G_p|^2` and `sum_p epsilon_p Gamma_p` of a checkpoint from {@link ratedPenaltyColumns}, as moments with
 * a learning rate of 1; null where it was not measured.
 */
export function ratedMoments(
  { columns }: PenaltyTable<'step', (typeof ratedPenaltyColumns)[number]>,
  at: number,
): RatedMoments | null {
  const row = columns.step.indexOf(at);
  if (row < 0 || columns.rated_example_norm2 === null || columns.rated_full_norm2 === null) return null;
  const [example, full] = [columns.rated_example_norm2[row]!, columns.rated_full_norm2[row]!];
  return { gamma: example - full, meanNorm2: full, learningRate: 1 };
}

/** Checkpoints of the table, ascending. */
export const penaltySteps = ({ columns }: PenaltyTable<'step'>): number[] =>
  [...new Set(columns.step)].toSorted((a, b) => a - b);

/**
 * Points of a checkpoint, or null where it has none. The law without replacement is `|G|^2 + (N-B)/(N-1) Gamma/B`, with
 * replacement `|G|^2 + Gamma/B`.
 */
export function penaltyPoints(
  { columns }: PenaltyTable<(typeof penaltyColumns)[number]>,
  at: number,
): PenaltyPoints | null {
  const { step, sampler, batch_size: size, minibatches, examples } = columns;
  const { norm2, example_norm2: example, full_norm2: full } = columns;
  const rows = Array.from(step.keys()).filter((row) => step[row] === at);
  const [first] = rows;
  if (first === undefined) return null;
  const moments = { gamma: example[first]! - full[first]!, meanNorm2: full[first]! };
  const population = examples[first]!;
  const pointsOf = (name: 'shuffle' | 'withReplacement'): MinibatchPoint[] => {
    const own = rows.filter((row) => sampler.text(row) === name);
    const sizes = [...new Set(own.map((row) => size[row]!))].toSorted((a, b) => a - b);
    return sizes.map((batchSize) => {
      const draws = own.filter((row) => size[row] === batchSize);
      return {
        batchSize,
        minibatches: draws.reduce((sum, row) => sum + minibatches[row]!, 0),
        measured: draws.reduce((sum, row) => sum + norm2[row]!, 0) / draws.length,
        law: expectedMinibatchNorm2(moments, samplingOf({ sampler: name, batchSize, examples: population })),
      };
    });
  };
  return {
    shuffle: pointsOf('shuffle'),
    withReplacement: pointsOf('withReplacement'),
    gamma: moments.gamma,
    fullNorm2: moments.meanNorm2,
    examples: population,
  };
}
