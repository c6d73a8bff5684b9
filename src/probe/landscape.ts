import * as tf from '@tensorflow/tfjs-core';
import type { ExampleSet } from '../../data/experiment.js';
import { type RandomStream, createStream } from '../../data/random/streams.js';
import { batchTensors, gatherExamples } from '../train/batch.js';
import { gradientFunction } from '../train/gradient-function.js';
import { trainingFieldNames, type Model, type ModelInputs } from '../train/models/model.js';
import type { ParameterBlock } from '../train/parameters/layout.js';
import { tables } from '../store/tables/registry.js';
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
import { type Population, ratesOfCoordinates } from './population.js';
import { questionPopulation, ToolCache, type ProbeSpec } from './probe.js';

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
  /**
   * The same in the coordinates `theta / sqrt(learning rate)`, in which SGD with a learning rate for each parameter is SGD
   * of rate 1: `|E^1/2 grad C|`, `Gamma_E = sum_p epsilon_p Gamma_p`, `|E^1/2 grad Gamma_E|`, and the largest eigenvalue of
   * `E^1/2 H E^1/2`.
   */
  readonly rated: Pick<Landscape, 'lossGradientNorm' | 'gamma' | 'varianceGradientNorm' | 'lambdaMax'>;
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
  /**
   * @param values blocks of parameters, `[1, size]`
   * @param rates learning rate of every coordinate
   */
  (
    values: BlockVectors,
    population: Population,
    random: RandomStream,
    rates: Float64Array,
    options?: LandscapeOptions,
  ): Landscape;
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
export function createLandscapeMeter(model: Model, blocks: readonly ParameterBlock[]): LandscapeMeter {
  const gradient = gradientFunction(model, blocks, 'example');
  const names = trainingFieldNames(model);

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

  /** Mean gradient and loss of rows that weigh differently, from single examples. */
  const weightedGradient = (
    values: BlockVectors,
    set: ExampleSet,
    { rows, weights }: WeightedRows,
    random: RandomStream,
  ): { gradient: Float64Array; loss: number } => {
    const start = tiled(values, together);
    const size = values.reduce((sum, block) => sum + block.shape[1]!, 0);
    const sum = new Float64Array(size);
    let loss = 0;
    for (let first = 0; first < rows.length; first += together) {
      const { chosen, counts } = roundOf(rows, weights, first);
      const inputs = inputsOf(set, chosen, together, random);
      const own = gradient(start, inputs, 1);
      const factors = tf.tensor(counts, [together, 1]);
      const weighted = own.blocks.map((block) => tf.mul(block, factors));
      addTo(sum, sumOverReplicas(weighted));
      own.losses.dataSync<'float32'>().forEach((value, i) => (loss += counts[i]! * value));
      own.dispose();
      tf.dispose([inputs, factors, weighted]);
    }
    tf.dispose(start);
    return { gradient: sum, loss };
  };

  /**
   * Weighted sums over single examples: squared deviations, `H_i (g_i - G)`, and squares by coordinate; with rates (blocks
   * `[1, size]`) also `(g_i - G) E (g_i - G)` and `H_i E (g_i - G)`.
   */
  const overExamples = (
    values: BlockVectors,
    set: ExampleSet,
    { rows, weights }: WeightedRows,
    mean: Float64Array,
    random: RandomStream,
    step: number,
    rates: BlockVectors | null,
  ) => {
    const centre = blocksOf(mean, values);
    const start = tiled(values, together);
    let [deviation2, ratedDeviation2] = [0, 0];
    const curved = new Float64Array(mean.length);
    const ratedCurved = new Float64Array(mean.length);
    const squares = new Float64Array(mean.length);
    for (let first = 0; first < rows.length; first += together) {
      const { chosen, counts } = roundOf(rows, weights, first);
      const inputs = inputsOf(set, chosen, together, random);
      const own = gradient(start, inputs, 1);
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
          const result = gradient(moved, inputs, 1);
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
  };

  /**
   * Power iteration on Hessian-vector products of the mean loss over a sample, in coordinates whose units are `units` of
   * the parameters.
   */
  const largestEigenvalue = (
    values: BlockVectors,
    set: ExampleSet,
    rows: Int32Array,
    units: Float64Array,
    random: RandomStream,
    step: number,
  ): { value: number; change: number } => {
    const batches = batchesOf(set, rows, random);
    let direction = unit(units.map(() => random.normal()));
    let value = 0;
    let change = Infinity;
    for (let i = 0; i < iterations.most && change > iterations.change; i++) {
      const moving = direction.map((own, p) => own * units[p]!);
      const norm = Math.sqrt(dotOf(moving, moving));
      if (norm === 0) break;
      const reach = step / norm;
      const along = blocksOf(moving, values);
      const [ahead, behind] = ([reach, -reach] as const).map((signed) => {
        const moved = shiftedBy(values, signed, along);
        const { gradient: result } = meanGradient(moved, batches);
        tf.dispose(moved);
        return result;
      });
      tf.dispose(along);
      const product = ahead!.map((own, p) => (units[p]! * (own - behind![p]!)) / (2 * reach));
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
    ...[values, population, random, rates, options = landscapeDefaults]: Parameters<LandscapeMeter>
  ): Landscape => {
    const { set, isUniform } = population;
    const chosen = chooseRows(population, random, options.examples);
    const { rows } = chosen;
    let whole: { gradient: Float64Array; loss: number };
    if (isUniform) {
      const batches = batchesOf(set, rows, random);
      whole = meanGradient(values, batches);
      for (const { inputs } of batches) tf.dispose(inputs);
    } else {
      whole = weightedGradient(values, set, chosen, random);
    }
    const { gradient: mean, loss } = whole;
    const rate = rates.every((own) => own === rates[0]) ? rates[0]! : null;
    const rateBlocks = rate === null ? blocksOf(rates, values) : null;
    const sums = overExamples(values, set, chosen, mean, random, options.step, rateBlocks);
    if (rateBlocks !== null) tf.dispose(rateBlocks);
    const variance = sums.curved.map((value) => 2 * value);
    const sample = isUniform
      ? rows.subarray(0, Math.min(rows.length, options.lambdaExamples))
      : Int32Array.from({ length: options.lambdaExamples }, () => population.draw(random));
    const eigenvalue = (units: Float64Array) =>
      largestEigenvalue(values, set, sample, units, random, options.step);
    const lambda = eigenvalue(new Float64Array(mean.length).fill(1));
    const norm = Math.sqrt(dotOf(mean, mean));
    const varianceNorm = Math.sqrt(dotOf(variance, variance));
    return {
      examples: rows.length,
      loss,
      lossGradientNorm: norm,
      gamma: sums.deviation2,
      varianceGradientNorm: varianceNorm,
      varianceLossCosine: norm * varianceNorm === 0 ? null : dotOf(mean, variance) / norm / varianceNorm,
      gsnr: meanSignalToNoise(mean, sums.squares),
      lambdaMax: lambda.value,
      lambdaChange: lambda.change,
      lambdaExamples: sample.length,
      rated:
        rate === null
          ? {
              lossGradientNorm: ratedNorm(mean, rates),
              gamma: sums.ratedDeviation2,
              varianceGradientNorm: 2 * ratedNorm(sums.ratedCurved, rates),
              lambdaMax: eigenvalue(rates.map(Math.sqrt)).value,
            }
          : {
              lossGradientNorm: Math.sqrt(rate) * norm,
              gamma: rate * sums.deviation2,
              varianceGradientNorm: rate ** 1.5 * varianceNorm,
              lambdaMax: rate * lambda.value,
            },
    };
  };
  return Object.assign(measure, { dispose: () => gradient.dispose() });
}

/** Rows with weights that add up to 1. */
interface WeightedRows {
  readonly rows: Int32Array;
  readonly weights: Float64Array;
}

/** All rows with their probabilities; of more than `most`, a random choice of equal weights. */
function chooseRows(
  { set, probabilities, isUniform, draw }: Population,
  random: RandomStream,
  most: number,
): WeightedRows {
  const equal = (rows: Int32Array): WeightedRows => ({
    rows,
    weights: new Float64Array(rows.length).fill(1 / rows.length),
  });
  if (isUniform) return equal(random.permutation(set.size).slice(0, Math.min(set.size, most)));
  const met = Int32Array.from(probabilities.keys()).filter((row) => probabilities[row]! > 0);
  if (met.length > most) return equal(Int32Array.from({ length: most }, () => draw(random)));
  return { rows: met, weights: Float64Array.from(met, (row) => probabilities[row]!) };
}

/** Rows of one round with their weights; a short round is filled up with its last row, which then weighs nothing. */
function roundOf(rows: Int32Array, weights: Float64Array, first: number) {
  const count = Math.min(together, rows.length - first);
  return {
    chosen: Int32Array.from({ length: together }, (_, i) => rows[first + Math.min(i, count - 1)]!),
    counts: Float32Array.from({ length: together }, (_, i) => (i < count ? weights[first + i]! : 0)),
  };
}

/** `sqrt(sum_p epsilon_p v_p^2)` */
function ratedNorm(vector: Float64Array, rates: Float64Array): number {
  return Math.sqrt(vector.reduce((sum, value, p) => sum + rates[p]! * value * value, 0));
}

/** Mean of `G_p^2 / (E g_p^2 - G_p^2)` over coordinates whose variance is more than the rounding of its terms. */
function meanSignalToNoise(mean: Float64Array, squares: Float64Array): number | null {
  let sum = 0;
  let counted = 0;
  mean.forEach((value, p) => {
    const second = squares[p]!;
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

/** Gradient of the gradient variance, curvature and signal-to-noise ratio of the training set of the stage with questions. */
export const landscapeProbe: ProbeSpec = {
  name: 'landscape',
  tables: [tables.landscape],
  create: () => {
    const meters = new ToolCache(createLandscapeMeter);
    return {
      begin: (run, open) => {
        const { seed } = run;
        const writer = open(tables.landscape);
        const { population, rateOf } = questionPopulation(run);
        return ({ stage, step, end, blocks, values }) => {
          if (!end) return;
          const rates = ratesOfCoordinates(blocks, rateOf);
          const random = createStream(seed, 'landscape');
          const found = meters.of(run, blocks)(values, population, random, rates);
          writer.append({
            stage,
            step,
            examples: found.examples,
            loss: found.loss,
            loss_gradient_norm: found.lossGradientNorm,
            gamma: found.gamma,
            variance_gradient_norm: found.varianceGradientNorm,
            variance_loss_cosine: found.varianceLossCosine,
            gsnr: found.gsnr,
            lambda_max: found.lambdaMax,
            lambda_change: found.lambdaChange,
            lambda_examples: found.lambdaExamples,
            rated_loss_gradient_norm: found.rated.lossGradientNorm,
            rated_gamma: found.rated.gamma,
            rated_variance_gradient_norm: found.rated.varianceGradientNorm,
            rated_lambda_max: found.rated.lambdaMax,
          });
          writer.flush();
        };
      },
      dispose: () => meters.dispose(),
    };
  },
};
