import * as tf from '@tensorflow/tfjs-core';
import type { ExampleSet } from '../../../data/experiment.js';
import type { RandomStream } from '../../../data/random/streams.js';
import {
  blockProducts,
  blocksOf,
  blockwise,
  sumOverReplicas,
  tiled,
  type BlockVectors,
} from '../../train/parameters/block-vectors.js';
import { hessianProducts } from '../hessian-products.js';
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
    const mask = tf.tensor(counts, [together, 1]);
    /** Adds `sum_i w_i H_i v_i` of directions `[replica, size]` to a target. */
    const addCurved = (target: Float64Array, directions: BlockVectors): void => {
      const products = hessianProducts(model.gradient, start, inputs, directions, step);
      const weighted = products.map((block) => tf.mul(block, mask));
      addTo(target, sumOverReplicas(weighted));
      tf.dispose([products, weighted]);
    };
    blockProducts(deviations, deviations).forEach((norm2, i) => (deviation2 += counts[i]! * norm2));
    addCurved(curved, deviations);
    if (rates !== null) {
      const scaled = blockwise(tf.mul, deviations, rates);
      blockProducts(scaled, deviations).forEach((norm2, i) => (ratedDeviation2 += counts[i]! * norm2));
      addCurved(ratedCurved, scaled);
      tf.dispose(scaled);
    }
    const squared = own.blocks.map((block) => tf.tidy(() => tf.mul(tf.square(block), mask)));
    addTo(squares, sumOverReplicas(squared));
    own.dispose();
    tf.dispose([inputs, deviations, mask, squared]);
  }
  tf.dispose([centre, start]);
  return { deviation2, curved, squares, ratedDeviation2, ratedCurved };
}
