import * as tf from '@tensorflow/tfjs-core';
import type { ExampleSet } from '../../../data/experiment.js';
import type { RandomStream } from '../../../data/random/streams.js';
import type { BlockVectors } from '../../train/parameters/block-vectors.js';
import { dotOf } from '../host-vectors.js';
import { batchesOf, meanProduct, type LossGradient } from './mean-gradient.js';

/** Power iterations at most, and the relative change at which they stop. */
const iterations = { most: 30, change: 0.005 };

/**
 * Power iteration on Hessian-vector products of the mean loss over a sample, in coordinates whose units are `units` of
 * the parameters.
 */
export function largestEigenvalue(
  model: LossGradient,
  values: BlockVectors,
  set: ExampleSet,
  rows: Int32Array,
  units: Float64Array,
  random: RandomStream,
  step: number,
): { value: number; change: number } {
  const batches = batchesOf(model, set, rows, random);
  let direction = unit(units.map(() => random.normal()));
  let value = 0;
  let change = Infinity;
  for (let i = 0; i < iterations.most && change > iterations.change; i++) {
    const moving = direction.map((own, p) => own * units[p]!);
    if (dotOf(moving, moving) === 0) break;
    const product = meanProduct(model, values, batches, moving, step).map((own, p) => units[p]! * own);
    const next = dotOf(product, direction);
    change = next === 0 ? 0 : Math.abs((next - value) / next);
    value = next;
    if (dotOf(product, product) === 0) break;
    direction = unit(product);
  }
  for (const { inputs } of batches) tf.dispose(inputs);
  return { value, change };
}

function unit(vector: Float64Array): Float64Array {
  const norm = Math.sqrt(dotOf(vector, vector));
  return vector.map((value) => value / norm);
}
