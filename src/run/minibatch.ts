import { createStream, type RandomStream } from '../../data/random/streams.js';
import { rowWeights } from '../../data/samplers.js';
import { arrangeGroups } from '../train/groups/division.js';
import { batchTensors, gatherExamples, noiseTensors } from '../train/batch.js';
import { parameterCount, trainingFieldNames, type Model, type ModelInputs } from '../train/models/model.js';
import type { RunPlan, StagePlan } from './plan.js';

/** A minibatch of every replica, as training sees it. */
export interface Minibatch {
  /** Fields and noise, `[replica, example, ...]`; the caller disposes of them. */
  readonly inputs: ModelInputs;
  /** `[replica, example]` group of each example. */
  readonly groupOf: Int32Array;
  /** `[replica][example]` row of each example in its training set. */
  readonly rows: readonly Int32Array[];
  /** Runs of examples that its gradient is to keep apart. */
  readonly chunks: 1 | 2;
}

/**
 * The minibatch of update `stageStep` = 1, 2, ... of a stage, sorted by group; digits, noise and whatever else differs
 * between two sights of a row are those of this update, whenever it is computed.
 *
 * @param sizes {@link groupSizes} of the stage
 * @param rows `[replica]` rows of the minibatch, in the order of the sampler
 */
export function minibatchOf(
  { model, seeds }: RunPlan,
  { config, sets }: StagePlan,
  sizes: readonly number[],
  rows: readonly Int32Array[],
  stageStep: number,
): Minibatch {
  // The last minibatch of an epoch may be smaller, and any is where the set has fewer rows than batchSize says.
  const chunks = chunksOf(model, rows[0]!.length);
  const { rank } = arrangeGroups(sizes, chunks);
  const sorted = rows.map((own, replica) => {
    const { group } = sets[replica]!;
    return sortByRank(own, (row) => rank[group[row]!]!, rank.length);
  });
  const examples = sorted[0]!.length;
  const groupOf = new Int32Array(sets.length * examples);
  sorted.forEach((own, replica) => {
    const { group } = sets[replica]!;
    own.forEach((row, i) => {
      groupOf[replica * examples + i] = group[row]!;
    });
  });
  const host = gatherExamples(sets, sorted, (replica) =>
    examplesStream(seeds[replica]!, config.name, stageStep),
  );
  const noise = noiseTensors(model, seeds, examples, config.name, stageStep);
  return {
    inputs: { ...batchTensors(host, trainingFieldNames(model)), ...noise },
    groupOf,
    chunks,
    rows: sorted,
  };
}

/** What the examples of an update of a stage draw from, such as the digit images of a grid. */
export function examplesStream(seed: number, stage: string, stageStep: number): RandomStream {
  return createStream(seed, `examples/${stage}/${stageStep}`);
}

/** Models with more parameters gain nothing from keeping two chunks apart: the log's slots are cheap beside them. */
const chunkedBelow = 1_000_000;

/** Runs of examples that the gradient of a minibatch keeps apart; two need an even number of examples. */
function chunksOf(model: Model, examples: number): 1 | 2 {
  return examples % 2 === 0 && parameterCount(model) < chunkedBelow ? 2 : 1;
}

/** How often each group is met, relative to the others and summed over replicas. */
export function groupSizes({ config, sets }: StagePlan, groups: number): number[] {
  const sizes = new Array<number>(groups).fill(0);
  for (const set of sets) {
    const weights = rowWeights(set, config.sampler);
    set.group.forEach((own, row) => {
      sizes[own]! += weights[row]!;
    });
  }
  return sizes;
}

/** Rows in the order of their ranks `0 .. ranks - 1`, otherwise as they were. */
function sortByRank(rows: Int32Array, rankOf: (row: number) => number, ranks: number): Int32Array {
  const next = new Int32Array(ranks + 1);
  for (const row of rows) next[rankOf(row) + 1]!++;
  for (let rank = 0; rank < ranks; rank++) next[rank + 1]! += next[rank]!;
  const sorted = new Int32Array(rows.length);
  for (const row of rows) sorted[next[rankOf(row)]!++] = row;
  return sorted;
}
