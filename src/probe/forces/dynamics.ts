import * as tf from '@tensorflow/tfjs-core';
import type { ExampleSet } from '../../../data/experiment.js';
import type { RandomStream } from '../../../data/random/streams.js';
import type { ForceName } from '../../store/tables/forces.js';
import { drawnNoise } from '../../train/batch.js';
import { gradientFunction } from '../../train/gradient-function.js';
import { trainingFieldNames, type Model, type ModelInputs } from '../../train/models/model.js';
import type { ParameterBlock } from '../../train/parameters/layout.js';
import { setGradientFunction } from '../../train/set-gradients.js';
import { blocksOf, sumOverReplicas, tiled, type BlockVectors } from '../../train/parameters/block-vectors.js';
import { hessianProducts } from '../hessian-products.js';
import { addTo } from '../host-vectors.js';
import {
  batchesOf,
  inputsOf,
  meanGradient,
  meanProduct,
  type Batch,
  type LossGradient,
} from '../landscape/mean-gradient.js';
import { roundOf, together } from '../landscape/rows.js';
import type { Population } from '../population.js';

/**
 * Where plain SGD with a learning rate for each coordinate, the diagonal E, moves the parameters in one update on average
 * over orders, apart into its forces, `[parameter]` each: the loss's `-E grad C`, and with the gradients of the implicit
 * penalty (Smith et al. 2021) in the coordinates `E^-1/2 theta`, in which the rate is 1, that of its norm part `-E grad (1/4)
 * grad C E grad C = -(1/2) E H E G` and that of its variance part `-f E grad (1/N) sum (g_i - G) E (g_i - G) = -2 f E (1/N) sum
 * H_i E (g_i - G)`.
 */
export type Drift = Readonly<Partial<Record<ForceName, Float64Array>>>;

export interface DynamicsOptions {
  /** Examples that count as the training set where it is larger: a seeded choice. */
  readonly examples: number;
  /** Length of the steps of central differences, in units of the parameters. */
  readonly step: number;
}

/** As in the landscape. */
export const dynamicsDefaults: DynamicsOptions = { examples: 16_384, step: 3e-4 };

/** Measures mean dynamics at a checkpoint. */
export interface DynamicsMeter {
  /**
   * @param values blocks of parameters, `[1, size]`
   * @param rates E
   * @param varianceFactor f, see `variancePenaltyFactor`; 0: there is no force of the variance
   */
  (
    values: BlockVectors,
    population: Population,
    random: RandomStream,
    rates: Float64Array,
    varianceFactor: number,
    options?: DynamicsOptions,
  ): Drift;
  dispose(): void;
}

/**
 * The loss is the one that is trained, the model's noise included. Noise is drawn anew at every sight of an example, so that
 * two minibatches share examples' means over it and not the noise itself: in `H_i (g_i - G)` the two factors have
 * independent draws of it, which makes the product unbiased for that of the means.
 */
export function createDynamicsMeter(model: Model, blocks: readonly ParameterBlock[]): DynamicsMeter {
  const gradient = gradientFunction(model, blocks, 'example');
  const single = setGradientFunction(model, blocks);
  const loss: LossGradient = { gradient, names: trainingFieldNames(model) };

  /** Inputs with fresh noise. */
  const withNoise = (inputs: ModelInputs, replicas: number, examples: number, random: RandomStream) => ({
    ...inputs,
    ...drawnNoise(
      model,
      examples,
      Array.from({ length: replicas }, () => random),
    ),
  });
  const noisyBatches = (set: ExampleSet, rows: Int32Array, random: RandomStream): Batch[] =>
    batchesOf(loss, set, rows, random).map(({ inputs, examples }) => ({
      inputs: withNoise(inputs, 1, examples, random),
      examples,
    }));

  /** `(1/N) sum_i H_i E (g_i - G)`. */
  const varianceProduct = (
    values: BlockVectors,
    set: ExampleSet,
    rows: Int32Array,
    mean: Float64Array,
    rates: Float64Array,
    random: RandomStream,
    step: number,
  ): Float64Array => {
    const centre = blocksOf(mean, values);
    const start = tiled(values, together);
    const scale = blocksOf(rates, values);
    const weights = new Float64Array(rows.length).fill(1 / rows.length);
    const sum = new Float64Array(mean.length);
    for (let first = 0; first < rows.length; first += together) {
      const { chosen, counts } = roundOf(rows, weights, first);
      const mask = tf.tensor(counts, [together, 1]);
      const inputs = inputsOf(loss, set, chosen, together, random);
      const seen = withNoise(inputs, together, 1, random);
      const again = withNoise(inputs, together, 1, random);
      const own = single(values, seen);
      const directions = own.blocks.map((block, i) =>
        tf.tidy(() => tf.mul(tf.sub(block, centre[i]!), scale[i]!)),
      );
      const products = hessianProducts(gradient, start, again, directions, step);
      const weighted = products.map((block) => tf.mul(block, mask));
      addTo(sum, sumOverReplicas(weighted));
      own.dispose();
      tf.dispose([mask, seen, again, directions, products, weighted]);
    }
    tf.dispose([centre, start, scale]);
    return sum;
  };

  const measure = (
    ...[
      values,
      population,
      random,
      rates,
      varianceFactor,
      options = dynamicsDefaults,
    ]: Parameters<DynamicsMeter>
  ): Drift => {
    const { set } = population;
    const rows = rowsOf(population, random, options.examples);
    const [seen, again] = [noisyBatches(set, rows, random), noisyBatches(set, rows, random)];
    const mean = meanGradient(loss, values, seen).gradient;
    const task = mean.map((value, p) => -rates[p]! * value);
    // task is -E G, so that H task is -H E G.
    const norm = meanProduct(loss, values, again, task, options.step).map(
      (value, p) => 0.5 * rates[p]! * value,
    );
    tf.dispose([...seen, ...again].map(({ inputs }) => inputs));
    if (varianceFactor === 0) return { task, norm };
    const variance = varianceProduct(values, set, rows, mean, rates, random, options.step);
    const alignment = variance.map((value, p) => -2 * varianceFactor * rates[p]! * value);
    return { task, norm, alignment };
  };
  return Object.assign(measure, {
    dispose: () => {
      gradient.dispose();
      single.dispose();
    },
  });
}

/** All rows; of more than `most`, and of rows that differ in probability, a random choice by it. */
function rowsOf({ set, isUniform, draw }: Population, random: RandomStream, most: number): Int32Array {
  return isUniform
    ? random.permutation(set.size).slice(0, most)
    : Int32Array.from({ length: most }, () => draw(random));
}
