import * as tf from '@tensorflow/tfjs-core';
import type { ExampleSet } from '../../../data/experiment.js';
import type { RandomStream } from '../../../data/random/streams.js';
import { batchTensors, gatherExamples } from '../../train/batch.js';
import type { GradientFunction } from '../../train/gradient-function.js';
import type { ModelInputs } from '../../train/models/model.js';
import {
  blocksOf,
  shiftedBy,
  sumOverReplicas,
  tiled,
  type BlockVectors,
} from '../../train/parameters/block-vectors.js';
import { addTo, dotOf } from '../host-vectors.js';
import { roundOf, together, type WeightedRows } from './rows.js';

/** The gradient of a model's loss, and the names of its inputs. */
export interface LossGradient {
  readonly gradient: GradientFunction;
  readonly names: readonly string[];
}

/** Mean loss, nats, and its gradient. */
export interface MeanLoss {
  readonly gradient: Float64Array;
  readonly loss: number;
}

/** Inputs that are weighted by their examples; whoever has it disposes of them. */
export interface Batch {
  readonly inputs: ModelInputs;
  readonly examples: number;
}

/** Examples of one backward pass of the mean loss. */
const batch = 256;

/** Inputs of replicas with `examples` rows each. */
export function inputsOf(
  { names }: LossGradient,
  set: ExampleSet,
  rows: Int32Array,
  replicas: number,
  random: RandomStream,
): ModelInputs {
  const examples = rows.length / replicas;
  const host = gatherExamples(
    Array.from({ length: replicas }, () => set),
    Array.from({ length: replicas }, (_, i) => rows.subarray(i * examples, (i + 1) * examples)),
    () => random,
  );
  return batchTensors(host, names);
}

/** Mean gradient and loss over batches of inputs that are weighted by their examples. */
export function meanGradient(
  { gradient }: LossGradient,
  values: BlockVectors,
  batches: readonly Batch[],
): MeanLoss {
  let sum: Float64Array | null = null;
  let loss = 0;
  let count = 0;
  for (const { inputs, examples } of batches) {
    const own = gradient(values, inputs, 1);
    const host = sumOverReplicas(own.blocks);
    sum ??= new Float64Array(host.length);
    for (let p = 0; p < sum.length; p++) sum[p]! += host[p]! * examples;
    for (const value of own.losses.dataSync<'float32'>()) loss += value;
    count += examples;
    own.dispose();
  }
  return { gradient: sum!.map((value) => value / count), loss: loss / count };
}

/**
 * The Hessian of the mean loss times a direction, by central differences of the gradient.
 *
 * @param step length of the shifts, in units of the parameters
 */
export function meanProduct(
  loss: LossGradient,
  values: BlockVectors,
  batches: readonly Batch[],
  direction: Float64Array,
  step: number,
): Float64Array {
  const norm = Math.sqrt(dotOf(direction, direction));
  if (norm === 0) return new Float64Array(direction.length);
  const reach = step / norm;
  const along = blocksOf(direction, values);
  const [ahead, behind] = ([reach, -reach] as const).map((signed) => {
    const moved = shiftedBy(values, signed, along);
    const { gradient } = meanGradient(loss, moved, batches);
    tf.dispose(moved);
    return gradient;
  });
  tf.dispose(along);
  return ahead!.map((own, p) => (own - behind![p]!) / (2 * reach));
}

/** All rows in batches. */
export function batchesOf(
  loss: LossGradient,
  set: ExampleSet,
  rows: Int32Array,
  random: RandomStream,
): Batch[] {
  return Array.from({ length: Math.ceil(rows.length / batch) }, (_, i) => {
    const own = rows.subarray(i * batch, (i + 1) * batch);
    return { inputs: inputsOf(loss, set, own, 1, random), examples: own.length };
  });
}

/** Mean gradient and loss of rows that weigh differently, from single examples. */
export function weightedGradient(
  model: LossGradient,
  values: BlockVectors,
  set: ExampleSet,
  { rows, weights }: WeightedRows,
  random: RandomStream,
): MeanLoss {
  const start = tiled(values, together);
  const size = values.reduce((sum, block) => sum + block.shape[1]!, 0);
  const sum = new Float64Array(size);
  let loss = 0;
  for (let first = 0; first < rows.length; first += together) {
    const { chosen, counts } = roundOf(rows, weights, first);
    const inputs = inputsOf(model, set, chosen, together, random);
    const own = model.gradient(start, inputs, 1);
    const factors = tf.tensor(counts, [together, 1]);
    const weighted = own.blocks.map((block) => tf.mul(block, factors));
    addTo(sum, sumOverReplicas(weighted));
    own.losses.dataSync<'float32'>().forEach((value, i) => (loss += counts[i]! * value));
    own.dispose();
    tf.dispose([inputs, factors, weighted]);
  }
  tf.dispose(start);
  return { gradient: sum, loss };
}
