import * as tf from '@tensorflow/tfjs-core';
import type { ExampleSet } from '../../../data/experiment.js';
import type { RandomStream } from '../../../data/random/streams.js';
import {
  blockProducts,
  blocksOf,
  blockwise,
  shiftedBy,
  sumOverReplicas,
  tiled,
  type BlockVectors,
} from '../block-vectors.js';
import { addTo } from '../host-vectors.js';
import { inputsOf, type LossGradient } from './mean-gradient.js';
import { roundOf, together, type WeightedRows } from './rows.js';

/**
 * Weighted sums over single examples: squared deviations, `H_i (g_i - G)`, and squares by coordinate; with rates (blocks
 * `[1, size]`) also `(g_i - G) E (g_i - G)` and `H_i E (g_i - G)`.
 */
export function sumsOverExamples(
  model: LossGradient,
  values: BlockVectors,
  set: ExampleSet,
  { rows, weights }: WeightedRows,
  mean: Float64Array,
  random: RandomStream,
  step: number,
  rates: BlockVectors | null,
) {
  const centre = blocksOf(mean, values);
  const start = tiled(values, together);
  let [deviation2, ratedDeviation2] = [0, 0];
  const curved = new Float64Array(mean.length);
  const ratedCurved = new Float64Array(mean.length);
  const squares = new Float64Array(mean.length);
  for (let first = 0; first < rows.length; first += together) {
    const { chosen, counts } = roundOf(rows, weights, first);
    const inputs = inputsOf(model, set, chosen, together, random);
    const own = model.gradient(start, inputs, 1);
    const deviations = blockwise(tf.sub, own.blocks, centre);
    /** Adds `sum_i w_i H_i v_i` of directions `[replica, size]` to a target. */
    const addCurved = (target: Float64Array, directions: BlockVectors): void => {
      const norms = blockProducts(directions, directions).map(Math.sqrt);
      const scale = norms.map((norm) => (norm === 0 ? 0 : step / norm));
      const along = (sign: 1 | -1) => {
        const moved = shiftedBy(
          start,
          scale.map((value) => sign * value),
          directions,
        );
        const result = model.gradient(moved, inputs, 1);
        tf.dispose(moved);
        return result;
      };
      const [ahead, behind] = [along(1), along(-1)];
      const difference = blockwise(tf.sub, ahead.blocks, behind.blocks);
      const factors = tf.tensor(
        Float32Array.from(norms, (norm, i) => (counts[i]! * norm) / (2 * step)),
        [together, 1],
      );
      const weighted = difference.map((block) => tf.mul(block, factors));
      addTo(target, sumOverReplicas(weighted));
      for (const result of [ahead, behind]) result.dispose();
      tf.dispose([difference, factors, weighted]);
    };
    blockProducts(deviations, deviations).forEach((norm2, i) => (deviation2 += counts[i]! * norm2));
    addCurved(curved, deviations);
    if (rates !== null) {
      const scaled = blockwise(tf.mul, deviations, rates);
      blockProducts(scaled, deviations).forEach((norm2, i) => (ratedDeviation2 += counts[i]! * norm2));
      addCurved(ratedCurved, scaled);
      tf.dispose(scaled);
    }
    const mask = tf.tensor(counts, [together, 1]);
    const squared = own.blocks.map((block) => tf.tidy(() => tf.mul(tf.square(block), mask)));
    addTo(squares, sumOverReplicas(squared));
    own.dispose();
    tf.dispose([inputs, deviations, mask, squared]);
  }
  tf.dispose([centre, start]);
  return { deviation2, curved, squares, ratedDeviation2, ratedCurved };
}
