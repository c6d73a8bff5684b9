import type { ExampleSet } from '../../data/experiment.js';
import type { RandomStream } from '../../data/random/streams.js';
import { shuffledWithReplay } from '../../data/replay.js';
import { rowDrawer, rowWeights, type Sampler } from '../../data/samplers.js';

/** Minibatches of a stage, one replica's. */
export interface MinibatchOrder {
  readonly stepsPerEpoch: number;
  /** Whether an epoch can be had without those before it. */
  readonly isByPosition: boolean;
  /**
   * Rows of the minibatches of epoch `epoch` = 0, 1, ...; the last one may be smaller. Call with all epochs in order unless
   * the order is by position.
   */
  epoch(epoch: number): Int32Array[];
}

/** Updates of one epoch: a pass over the rows, or over the stream that the data are drawn from. */
export function stepsPerEpoch(
  { size, epochSize, replay }: Pick<ExampleSet, 'size' | 'epochSize' | 'replay'>,
  batchSize: number,
  sampler: Sampler,
): number {
  const met = replay === undefined ? size : replay.first + replay.perEpoch;
  const examples = sampler === 'mixture' ? (epochSize ?? size) : met;
  return Math.ceil(examples / batchSize);
}

/**
 * The order in which a stage meets its examples, as `data/samplers.ts` declares it. The random stream is consumed epoch
 * by epoch, so that a stream restored to its state at the start of an epoch reproduces that epoch.
 *
 * Minibatches go on across the end of a block: their sizes and number are those of a shuffled epoch, and one minibatch at
 * each end holds rows of both blocks.
 *
 * @param blockOf `[row]` number of each row's block, for the sampler `blocks`
 */
export function minibatchOrder(
  set: ExampleSet,
  batchSize: number,
  sampler: Sampler,
  random: RandomStream,
  blockOf: Int32Array | null = null,
): MinibatchOrder {
  if ((sampler === 'blocks') !== (blockOf !== null)) throw new Error('blocks are of the sampler blocks');
  const { size, replay } = set;
  if (replay !== undefined && sampler !== 'shuffle')
    throw new Error('rows are replayed by the sampler shuffle');
  const steps = stepsPerEpoch(set, batchSize, sampler);
  const draw = sampler === 'mixture' ? rowDrawer(rowWeights(set, sampler)) : null;
  let fixed: Int32Array | null = null;
  return {
    stepsPerEpoch: steps,
    isByPosition: false,
    epoch: () => {
      let rows: Int32Array;
      if (replay !== undefined) rows = shuffledWithReplay(size, replay, random);
      else if (sampler === 'shuffle') rows = random.permutation(size);
      else if (sampler === 'shuffleOnce') rows = fixed ??= random.permutation(size);
      else if (sampler === 'fixed') rows = fixed ??= Int32Array.from({ length: size }, (_, row) => row);
      else if (blockOf !== null) {
        // Sorting an array is stable: within a block the order stays that of the permutation.
        const drawn = Array.from(random.permutation(size));
        rows = Int32Array.from(drawn.sort((a, b) => blockOf[a]! - blockOf[b]!));
      } else if (draw === null) rows = Int32Array.from({ length: size }, () => random.integer(size));
      else rows = Int32Array.from({ length: steps * batchSize }, () => draw(random));
      return Array.from({ length: steps }, (_, step) =>
        rows.subarray(step * batchSize, (step + 1) * batchSize),
      );
    },
  };
}
