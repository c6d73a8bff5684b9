import * as tf from '@tensorflow/tfjs-core';
import type { ExampleSet } from '../../data/experiment.js';
import type { RandomStream } from '../../data/random/streams.js';
import { batchTensors, gatherExamples } from '../train/batch.js';
import { gradientFunction } from '../train/gradient-function.js';
import { trainingFields, type Model, type ModelInputs } from '../train/models/model.js';
import type { Block } from '../train/parameters/layout.js';
import {
  blockProducts,
  blocksOf,
  blockwise,
  shiftedBy,
  sumOverReplicas,
  tiled,
  type BlockVectors,
} from './block-vectors.js';
import { addTo, dotOf } from './host-vectors.js';

/** The loss of a training set around a checkpoint. */
export interface Landscape {
  readonly examples: number;
  /** Mean loss C, nats. */
  readonly loss: number;
  /** `|grad C|`. */
  readonly lossGradientNorm: number;
  /** `Gamma = (1/N) sum |g_i - G|^2`. */
  readonly gamma: number;
  /** `|grad Gamma|`. */
  readonly varianceGradientNorm: number;
  /** Cosine of the two gradients; null where one of them is zero. */
  readonly varianceLossCosine: number | null;
  /** Mean over coordinates of `G_p^2 / Var_p` (Liu et al. 2020), population variance; null where none varies. */
  readonly gsnr: number | null;
  /** Largest eigenvalue, in size, of the Hessian of the mean loss over a sample. */
  readonly lambdaMax: number;
  /** Relative change of it in the last iteration. */
  readonly lambdaChange: number;
  /** Examples of that sample. */
  readonly lambdaExamples: number;
}

export interface LandscapeOptions {
  /** Examples that count as the training set where it is larger: a seeded choice. */
  readonly examples: number;
  /** Examples behind the eigenvalue. */
  readonly lambdaExamples: number;
  /** Length of the steps of central differences, in units of the parameters. */
  readonly step: number;
}

/**
 * 3e-4: from 1e-3 to 1e-4 central differences of float32 gradients agree within 0.3 % at the small presets.
 * The variance gradient takes three backward passes an example; 16384 of them take seconds at the small presets.
 */
export const landscapeDefaults: LandscapeOptions = { examples: 16_384, lambdaExamples: 1024, step: 3e-4 };

/** Measures the loss landscape at a checkpoint. */
export interface LandscapeMeter {
  /** @param values blocks of parameters, `[1, size]` */
  (values: BlockVectors, set: ExampleSet, random: RandomStream, options?: LandscapeOptions): Landscape;
  dispose(): void;
}

/** Single examples computed at once, as replicas. */
const together = 64;

/** Examples of one backward pass of the mean loss. */
const batch = 256;

/** Power iterations at most, and the relative change at which they stop. */
const iterations = { most: 30, change: 0.005 };

/**
 * Per-example gradients are those of single-example replicas, without the noise of training; `grad Gamma = (2/N) sum
 * H_i (g_i - G)` by central differences along `g_i - G`, so that no second derivatives are needed (gradient-alignment
 * literature: Dandi et al. 2022).
 */
export function createLandscapeMeter(model: Model, blocks: readonly Block[]): LandscapeMeter {
  const gradient = gradientFunction(model, blocks, 'example');
  const names = trainingFields(model);

  /** Inputs of replicas with `examples` rows each. */
  const inputsOf = (
    set: ExampleSet,
    rows: Int32Array,
    replicas: number,
    random: RandomStream,
  ): ModelInputs => {
    const examples = rows.length / replicas;
    const host = gatherExamples(
      Array.from({ length: replicas }, () => set),
      Array.from({ length: replicas }, (_, i) => rows.subarray(i * examples, (i + 1) * examples)),
      () => random,
    );
    return batchTensors(host, names);
  };

  /** Mean gradient and loss over batches of inputs that are weighted by their examples. */
  const meanGradient = (
    values: BlockVectors,
    batches: readonly { readonly inputs: ModelInputs; readonly examples: number }[],
  ): { gradient: Float64Array; loss: number } => {
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
  };

  const batchesOf = (set: ExampleSet, rows: Int32Array, random: RandomStream) =>
    Array.from({ length: Math.ceil(rows.length / batch) }, (_, i) => {
      const own = rows.subarray(i * batch, (i + 1) * batch);
      return { inputs: inputsOf(set, own, 1, random), examples: own.length };
    });

  /** Sums over single examples: squared deviations, `H_i (g_i - G)`, and squares by coordinate. */
  const overExamples = (
    values: BlockVectors,
    set: ExampleSet,
    rows: Int32Array,
    mean: Float64Array,
    random: RandomStream,
    step: number,
  ): { deviation2: number; curved: Float64Array; squares: Float64Array } => {
    const centre = blocksOf(mean, values);
    const start = tiled(values, together);
    let deviation2 = 0;
    const curved = new Float64Array(mean.length);
    const squares = new Float64Array(mean.length);
    for (let first = 0; first < rows.length; first += together) {
      const count = Math.min(together, rows.length - first);
      // A short round is filled up with its last row, which then does not count.
      const chosen = Int32Array.from({ length: together }, (_, i) => rows[first + Math.min(i, count - 1)]!);
      const inputs = inputsOf(set, chosen, together, random);
      const own = gradient(start, inputs, 1);
      const deviations = blockwise(tf.sub, own.blocks, centre);
      const norms = blockProducts(deviations, deviations).map(Math.sqrt);
      const counts = norms.map((_, i) => (i < count ? 1 : 0));
      norms.forEach((norm, i) => (deviation2 += counts[i]! * norm * norm));
      const scale = norms.map((norm) => (norm === 0 ? 0 : step / norm));
      const along = (sign: 1 | -1) => {
        const moved = shiftedBy(
          start,
          scale.map((value) => sign * value),
          deviations,
        );
        const result = gradient(moved, inputs, 1);
        tf.dispose(moved);
        return result;
      };
      const [ahead, behind] = [along(1), along(-1)];
      const difference = blockwise(tf.sub, ahead.blocks, behind.blocks);
      const weights = tf.tensor(
        Float32Array.from(norms, (norm, i) => (counts[i]! * norm) / (2 * step)),
        [together, 1],
      );
      const mask = tf.tensor(Float32Array.from(counts), [together, 1]);
      const weighted = difference.map((block) => tf.mul(block, weights));
      const squared = own.blocks.map((block) => tf.tidy(() => tf.mul(tf.square(block), mask)));
      addTo(curved, sumOverReplicas(weighted));
      addTo(squares, sumOverReplicas(squared));
      for (const result of [own, ahead, behind]) result.dispose();
      tf.dispose([inputs, deviations, difference, weights, mask, weighted, squared]);
    }
    tf.dispose([centre, start]);
    return { deviation2, curved, squares };
  };

  /** Power iteration on Hessian-vector products of the mean loss over a sample. */
  const largestEigenvalue = (
    values: BlockVectors,
    set: ExampleSet,
    rows: Int32Array,
    size: number,
    random: RandomStream,
    step: number,
  ): { value: number; change: number } => {
    const batches = batchesOf(set, rows, random);
    let direction = unit(Float64Array.from({ length: size }, () => random.normal()));
    let value = 0;
    let change = Infinity;
    for (let i = 0; i < iterations.most && change > iterations.change; i++) {
      const along = blocksOf(direction, values);
      const [ahead, behind] = ([step, -step] as const).map((signed) => {
        const moved = shiftedBy(values, signed, along);
        const { gradient: result } = meanGradient(moved, batches);
        tf.dispose(moved);
        return result;
      });
      tf.dispose(along);
      const product = ahead!.map((own, p) => (own - behind![p]!) / (2 * step));
      const next = dotOf(product, direction);
      change = next === 0 ? 0 : Math.abs((next - value) / next);
      value = next;
      if (dotOf(product, product) === 0) break;
      direction = unit(product);
    }
    for (const { inputs } of batches) tf.dispose(inputs);
    return { value, change };
  };

  const measure = (
    ...[values, set, random, options = landscapeDefaults]: Parameters<LandscapeMeter>
  ): Landscape => {
    const order = random.permutation(set.size);
    const rows = order.slice(0, Math.min(set.size, options.examples));
    const batches = batchesOf(set, rows, random);
    const { gradient: mean, loss } = meanGradient(values, batches);
    for (const { inputs } of batches) tf.dispose(inputs);
    const { deviation2, curved, squares } = overExamples(values, set, rows, mean, random, options.step);
    const n = rows.length;
    const variance = curved.map((value) => (2 * value) / n);
    const sample = rows.subarray(0, Math.min(n, options.lambdaExamples));
    const lambda = largestEigenvalue(values, set, sample, mean.length, random, options.step);
    const norm = Math.sqrt(dotOf(mean, mean));
    const varianceNorm = Math.sqrt(dotOf(variance, variance));
    return {
      examples: n,
      loss,
      lossGradientNorm: norm,
      gamma: deviation2 / n,
      varianceGradientNorm: varianceNorm,
      varianceLossCosine: norm * varianceNorm === 0 ? null : dotOf(mean, variance) / norm / varianceNorm,
      gsnr: meanSignalToNoise(mean, squares, n),
      lambdaMax: lambda.value,
      lambdaChange: lambda.change,
      lambdaExamples: sample.length,
    };
  };
  return Object.assign(measure, { dispose: () => gradient.dispose() });
}

/** Mean of `G_p^2 / (E g_p^2 - G_p^2)` over coordinates whose variance is more than the rounding of its terms. */
function meanSignalToNoise(mean: Float64Array, squares: Float64Array, n: number): number | null {
  let sum = 0;
  let counted = 0;
  mean.forEach((value, p) => {
    const second = squares[p]! / n;
    const variance = second - value * value;
    if (variance <= 1e-6 * second) return;
    sum += (value * value) / variance;
    counted++;
  });
  return counted === 0 ? null : sum / counted;
}

function unit(vector: Float64Array): Float64Array {
  const norm = Math.sqrt(dotOf(vector, vector));
  return vector.map((value) => value / norm);
}
