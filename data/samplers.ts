import { z } from 'zod';
import { UserError } from './errors.js';
import type { ExampleSet } from './experiment.js';
import type { RandomStream } from './random/streams.js';

/** How minibatches are drawn from the rows of a training set, as far as formulas about them depend on it. */
interface SamplerDeclaration {
  /**
   * `partition`: the minibatches of an epoch are disjoint and together hold every row once, every order being equally
   * likely; `arranged`: the same, and the sampler or a composition decides which rows share a minibatch, so that nothing
   * about it follows from Gamma and |G|^2 alone; `independent`: every example of every minibatch is a draw of its own.
   */
  readonly draws: 'partition' | 'arranged' | 'independent';
  /** Probability of a row: the same for all, or the data's ({@link ExampleSet.probability}). */
  readonly probabilities: 'uniform' | 'data';
}

/** What every sampler is: formulas ask here, never for a sampler's name. */
const declarations = {
  shuffle: { draws: 'partition', probabilities: 'uniform' },
  withReplacement: { draws: 'independent', probabilities: 'uniform' },
  // One order for all epochs: what holds of its average over orders holds before the one order is drawn.
  shuffleOnce: { draws: 'partition', probabilities: 'uniform' },
  mixture: { draws: 'independent', probabilities: 'data' },
  fixed: { draws: 'arranged', probabilities: 'uniform' },
  blocks: { draws: 'arranged', probabilities: 'uniform' },
} as const satisfies Record<string, SamplerDeclaration>;

export type Sampler = keyof typeof declarations;

export const samplers = [
  'shuffle',
  'withReplacement',
  'shuffleOnce',
  'mixture',
  'fixed',
  'blocks',
] as const satisfies Sampler[];

export const samplerSchema = z
  .enum(samplers)
  .default('shuffle')
  .describe(
    'shuffle: a new order every epoch; shuffleOnce: one order for all epochs; withReplacement: every example drawn ' +
      'by itself; mixture: drawn with the probabilities of the data (a stream of fresh examples); fixed: the rows in the ' +
      'order of the data, the same every epoch; blocks: block after block as the key blocks lists them, a new order ' +
      'within each every epoch',
  );

/** What the minibatches of a stage are drawn from, and how. */
export interface Sampling extends SamplerDeclaration {
  readonly sampler: Sampler;
  /** N, rows of the training set. */
  readonly population: number;
  /** B, examples of a whole minibatch. */
  readonly batchSize: number;
  /** What decides which rows share a minibatch, where the draws are `arranged`. */
  readonly arranger: string | null;
}

/** What a config or a `run.json` says of a stage. */
export interface SampledStage {
  readonly sampler: string;
  /** As configured: may be more than there are rows. */
  readonly batchSize: number;
  /** Rows of the training set. */
  readonly examples: number;
  /** Whether a composition places some of them. */
  readonly isComposed?: boolean;
  /** Whether some of them are replayed: met only now and then. */
  readonly isReplayed?: boolean;
}

/**
 * The sampling of a stage. A minibatch has at most as many examples as a pass over the rows, except for a stream of
 * fresh examples; one of all rows is a partition however they are ordered. Throws a UserError for a sampler that is not known, and for a stage without rows.
 */
export function samplingOf({
  sampler,
  batchSize,
  examples,
  isComposed = false,
  isReplayed = false,
}: SampledStage): Sampling {
  const name = samplers.find((own) => own === sampler);
  if (name === undefined) {
    throw new UserError(
      `unknown sampler ${sampler}; this gradscope knows ${samplers.join(', ')}: update it, or correct the run`,
    );
  }
  if (examples < 1 || batchSize < 1) {
    throw new UserError(`a stage of ${examples} examples in minibatches of ${batchSize} has no gradients`);
  }
  const declared = declarations[name];
  const isStream = declared.probabilities === 'data';
  const hasOneMinibatch = !isStream && batchSize >= examples;
  let arranger: string | null = null;
  if (!hasOneMinibatch && declared.draws === 'arranged') arranger = `the sampler ${name}`;
  if (!hasOneMinibatch && isComposed) arranger = 'the composition';
  if (isReplayed) arranger = 'the replay of facts';
  const drawn = declared.draws === 'independent' ? 'independent' : 'partition';
  return {
    sampler: name,
    probabilities: declared.probabilities,
    draws: arranger === null ? drawn : 'arranged',
    arranger,
    population: examples,
    batchSize: isStream ? batchSize : Math.min(batchSize, examples),
  };
}

/**
 * Variance of the gradient of a whole minibatch, `E|g_B - G|^2`, in units of Gamma: `(N-B)/(N-1)/B` for parts of a
 * partition, 0 for the full batch; `1/B` for independent draws. NaN for arranged minibatches, see
 * {@link whyNoSample}.
 */
export function minibatchVarianceFactor({ draws, batchSize, population }: Sampling): number {
  if (draws === 'arranged') return NaN;
  if (draws === 'independent') return 1 / batchSize;
  return batchSize === population ? 0 : (population - batchSize) / (population - 1) / batchSize;
}

/**
 * Coefficient of Gamma in the implicit penalty of plain SGD, in units of the learning rate: for partitions
 * `(m-1)/(4(N-1))` with the `m = ceil(N/B)` minibatches of an epoch, which is `(N-B)/(N-1)/(4B)` where B divides N (Smith
 * et al. 2021) and exact for a smaller last minibatch: two different minibatches have
 * `E H_k g_j = H G - sum_i H_i (g_i - G) / (N(N-1))` whatever their sizes. 0 for the full batch, and for independent
 * draws, whose different minibatches have `E H_k g_j = H G`. NaN for arranged minibatches, see
 * {@link whyNoVariancePenalty}.
 */
export function variancePenaltyFactor({ draws, batchSize, population }: Sampling): number {
  if (draws === 'arranged') return NaN;
  if (draws === 'independent' || batchSize === population) return 0;
  return (Math.ceil(population / batchSize) - 1) / (4 * (population - 1));
}

/** Why the implicit penalty has no variance part, or null where it has one (0 for the full batch). */
export function whyNoVariancePenalty({ draws, sampler, arranger }: Sampling): string | null {
  if (draws === 'partition') return null;
  return draws === 'independent'
    ? `the sampler ${sampler} draws examples independently: the implicit penalty has no variance part at this order`
    : `${arranger} decides which rows share a minibatch: the implicit penalty is not kappa Gamma`;
}

/**
 * Why a minibatch of a stage is no random sample of its rows, so that neither does its norm follow from Gamma and |G|^2 nor
 * do they from it; null where it is one.
 */
export function whyNoSample({ draws, arranger }: Sampling): string | null {
  return draws === 'arranged'
    ? `${arranger} decides which rows share a minibatch: it is no random sample of them, and Gamma and |G|^2 do not follow from it`
    : null;
}

/** What the formulas leave out of a sampling, or null where nothing. */
export function samplingCaveat({ sampler, batchSize, population }: Sampling): string | null {
  return sampler === 'shuffleOnce' && population % batchSize !== 0
    ? 'one order for all epochs and a smaller last minibatch: its examples weigh more in every epoch, which adds a term ' +
        'of the order of the penalty that the penalty here leaves out'
    : null;
}

/** `[size]` probability of each row in a draw. Throws an Error for a sampler that needs probabilities the set has not. */
export function rowProbabilities(set: ExampleSet, sampler: Sampler): Float64Array {
  const weights = rowWeights(set, sampler);
  const total = weights.reduce((sum, own) => sum + own, 0);
  return weights.map((own) => own / total);
}

/**
 * `[size]` what the probabilities of the rows are proportional to: with a replay, how often an epoch meets each. Throws as
 * {@link rowProbabilities}.
 */
export function rowWeights({ size, probability, replay }: ExampleSet, sampler: Sampler): Float64Array {
  if (declarations[sampler].probabilities === 'uniform') {
    const weights = new Float64Array(size).fill(1);
    if (replay !== undefined) weights.fill(replay.perEpoch / (size - replay.first), replay.first);
    return weights;
  }
  if (probability === undefined) throw new Error(`the sampler ${sampler} needs data with probabilities`);
  return probability;
}

/** A row drawn with probabilities that are proportional to `weights`, `[size]`: the first whose cumulative share exceeds u. */
export function rowDrawer(weights: Float64Array): (random: RandomStream) => number {
  const sums = new Float64Array(weights.length);
  let total = 0;
  weights.forEach((weight, row) => (sums[row] = total += weight));
  const cumulative = sums.map((sum) => sum / total);
  return (random) => {
    const u = random.uniform();
    let low = 0;
    let high = cumulative.length - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (cumulative[middle]! > u) high = middle;
      else low = middle + 1;
    }
    return low;
  };
}
