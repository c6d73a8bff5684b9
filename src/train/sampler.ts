import { z } from 'zod';
import type { ExampleSet } from '../../data/experiment.js';
import type { RandomStream } from '../../data/random/streams.js';

export const samplers = ['shuffle', 'withReplacement', 'shuffleOnce', 'mixture'] as const;

export const samplerSchema = z
  .enum(samplers)
  .default('shuffle')
  .describe(
    'shuffle: a new order every epoch; shuffleOnce: one order for all epochs; withReplacement: every example drawn ' +
      'by itself; mixture: drawn with the probabilities of the data (a stream of fresh examples)',
  );

export type Sampler = z.infer<typeof samplerSchema>;

/** Minibatches of a stage, one replica's. */
export interface MinibatchOrder {
  readonly stepsPerEpoch: number;
  /** Rows of the minibatches of epoch `epoch` = 0, 1, ...; the last one may be smaller. Call with epochs in order. */
  epoch(epoch: number): Int32Array[];
}

/** Updates of one epoch: a pass over the rows, or over the stream that the data are drawn from. */
export function stepsPerEpoch(
  set: Pick<ExampleSet, 'size' | 'epochSize'>,
  batchSize: number,
  sampler: Sampler,
): number {
  const examples = sampler === 'mixture' ? (set.epochSize ?? set.size) : set.size;
  return Math.ceil(examples / batchSize);
}

/**
 * The order in which a stage meets its examples. The random stream is consumed epoch by epoch, so that a stream
 * restored to its state at the start of an epoch reproduces that epoch.
 */
export function minibatchOrder(
  set: ExampleSet,
  batchSize: number,
  sampler: Sampler,
  random: RandomStream,
): MinibatchOrder {
  const { size } = set;
  const steps = stepsPerEpoch(set, batchSize, sampler);
  const cumulative = sampler === 'mixture' ? cumulativeProbabilities(set) : null;
  let fixed: Int32Array | null = null;
  return {
    stepsPerEpoch: steps,
    epoch: () => {
      let rows: Int32Array;
      if (sampler === 'shuffle') rows = random.permutation(size);
      else if (sampler === 'shuffleOnce') rows = fixed ??= random.permutation(size);
      else if (cumulative === null) rows = Int32Array.from({ length: size }, () => random.integer(size));
      else rows = Int32Array.from({ length: steps * batchSize }, () => draw(cumulative, random.uniform()));
      return Array.from({ length: steps }, (_, step) =>
        rows.subarray(step * batchSize, (step + 1) * batchSize),
      );
    },
  };
}

function cumulativeProbabilities({ size, probability }: ExampleSet): Float64Array {
  if (probability === undefined) throw new Error('the mixture sampler needs data with probabilities');
  const sums = new Float64Array(size);
  let total = 0;
  for (let row = 0; row < size; row++) sums[row] = total += probability[row]!;
  return sums.map((sum) => sum / total);
}

/** First row whose cumulative probability exceeds `u`. */
function draw(cumulative: Float64Array, u: number): number {
  let low = 0;
  let high = cumulative.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (cumulative[middle]! > u) high = middle;
    else low = middle + 1;
  }
  return low;
}
