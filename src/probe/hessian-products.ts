import * as tf from '@tensorflow/tfjs-core';
import type { GradientFunction } from '../train/gradient-function.js';
import type { ModelInputs } from '../train/models/model.js';
import { blockProducts, blockwise, shiftedBy, type BlockVectors } from '../train/parameters/block-vectors.js';

/**
 * `H_i v_i` of the losses of replicas without second derivatives: central differences of their gradients along `v_i /
 * |v_i|`; zero where `v_i` is. The caller disposes of them.
 *
 * @param at parameters, blocks `[replica, size]`
 * @param inputs `[replica, example, ...]`
 * @param directions `v_i`, blocks `[replica, size]`
 * @param step length of the shifts, in units of the parameters
 */
export function hessianProducts(
  gradient: GradientFunction,
  at: BlockVectors,
  inputs: ModelInputs,
  directions: BlockVectors,
  step: number,
): tf.Tensor[] {
  const norms = blockProducts(directions, directions).map(Math.sqrt);
  const along = (sign: 1 | -1) => {
    const moved = shiftedBy(
      at,
      norms.map((norm) => (norm === 0 ? 0 : (sign * step) / norm)),
      directions,
    );
    const result = gradient(moved, inputs, 1);
    tf.dispose(moved);
    return result;
  };
  const [ahead, behind] = [along(1), along(-1)];
  const change = blockwise(tf.sub, ahead.blocks, behind.blocks);
  const scale = tf.tensor(
    Float32Array.from(norms, (norm) => norm / (2 * step)),
    [norms.length, 1],
  );
  const products = change.map((block) => tf.mul(block, scale));
  for (const result of [ahead, behind]) result.dispose();
  tf.dispose([change, scale]);
  return products;
}
