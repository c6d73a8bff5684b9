import * as tf from '@tensorflow/tfjs-core';
import type { ExampleSet } from '../../data/experiment.js';
import { type RandomStream, createStream } from '../../data/random/streams.js';
import { batchTensors, gatherExamples } from '../train/batch.js';
import { gradientFunction } from '../train/gradient-function.js';
import { trainingFieldNames, type Model, type ModelInputs } from '../train/models/model.js';
import type { ParameterBlock } from '../train/parameters/layout.js';
import { tables } from '../store/tables/registry.js';
import {
  blockwise,
  shiftedBy,
  sumOverReplicas,
  tiled,
  type BlockVectors,
} from '../train/parameters/block-vectors.js';
import { hessianProducts } from './hessian-products.js';
import { dotOf } from './host-vectors.js';
import type { Population } from './population.js';
import { questionPopulation, ToolCache, type ProbeSpec } from './probe.js';

/** Where a short epoch of SGD ends on average when it shuffles, minus where it ends with replacement. */
export interface EpochDrift {
  readonly learningRate: number;
  readonly minibatches: number;
  readonly batchSize: number;
  /** Norm of the difference of the two mean end points. */
  readonly measuredNorm: number;
  /** Norm of what the variance penalty predicts, `(epsilon^2 / 2) |sum_k H_k (g_k - G)|`. */
  readonly predictedNorm: number;
  /** Measured along predicted, as a share of predicted: 1 where the penalty is all there is. */
  readonly projection: number | null;
  /** Cosine of measured and predicted; null where one of them is zero. */
  readonly cosine: number | null;
}

/** Minibatches of the epoch: all their 4^4 sequences are taken, of which 4! are shuffles. */
const minibatches = 4;
const batchSize = 8;

/** Replicas of one call. */
const together = 64;

/** Length of the step of central differences, as in the landscape. */
const difference = 3e-4;

/** Most numbers in all end points at once: 1 GB of float32. */
const mostNumbers = 1 << 28;

/** Measures the drift of an epoch at a checkpoint; null for a model that is too large for it. */
export interface EpochDriftMeter {
  /** @param values blocks of parameters, `[1, size]` */
  (
    values: BlockVectors,
    population: Population,
    random: RandomStream,
    learningRates: readonly number[],
  ): EpochDrift[] | null;
  dispose(): void;
}

/**
 * Tells the implicit penalty of shuffling from none at all, on the model itself: 4 minibatches, plain SGD, every
 * sequence of them. Averaged over the shuffles an epoch ends where it ends on average with replacement, moved by
 * `-(epsilon^2/2) sum_k H_k (g_k - G)`, which is `m epsilon` times the negative gradient of the variance penalty
 * `epsilon/(4m) sum_k |g_k - G|^2`, up to O(epsilon^3) (Smith et al. 2021; gradscope verify V1 and V3). Nothing is
 * drawn at random but the examples.
 */
export function createEpochDriftMeter(model: Model, blocks: readonly ParameterBlock[]): EpochDriftMeter {
  const gradient = gradientFunction(model, blocks, 'example');
  const names = trainingFieldNames(model);

  /** Inputs of replicas, each with a minibatch. */
  const inputsOf = (set: ExampleSet, rows: readonly Int32Array[], random: RandomStream): ModelInputs =>
    batchTensors(
      gatherExamples(
        rows.map(() => set),
        rows,
        () => random,
      ),
      names,
    );

  /** Mean end points of all sequences and of the shuffles, as distances from the start. */
  const endPoints = (
    start: BlockVectors,
    set: ExampleSet,
    batches: readonly Int32Array[],
    learningRate: number,
    random: RandomStream,
  ): { all: Float64Array; shuffles: Float64Array } => {
    let states: tf.Tensor[] = start.map((block) => tf.clone(block));
    let sequences: readonly (readonly number[])[] = [[]];
    for (let step = 0; step < minibatches; step++) {
      const next = sequences.flatMap((sequence, state) =>
        batches.map((_, k) => ({ state, sequence: [...sequence, k] })),
      );
      const parts: tf.Tensor[][] = [];
      for (let first = 0; first < next.length; first += together) {
        const own = next.slice(first, first + together);
        const filled = Array.from({ length: together }, (_, i) => own[i] ?? own[0]!);
        const from = states.map((block) =>
          tf.tidy(() =>
            tf.gather(
              block,
              tf.tensor1d(
                filled.map(({ state }) => state),
                'int32',
              ),
            ),
          ),
        );
        const inputs = inputsOf(
          set,
          filled.map(({ sequence }) => batches[sequence.at(-1)!]!),
          random,
        );
        const result = gradient(from, inputs, 1);
        const moved = shiftedBy(from, -learningRate, result.blocks);
        parts.push(
          moved.map((block) => tf.tidy(() => tf.slice(block, [0, 0], [own.length, block.shape[1]!]))),
        );
        result.dispose();
        tf.dispose([from, inputs, moved]);
      }
      tf.dispose(states);
      states = start.map((_, block) => {
        const joined = parts.map((part) => part[block]!);
        const whole = tf.concat(joined, 0);
        tf.dispose(joined);
        return whole;
      });
      sequences = next.map(({ sequence }) => sequence);
    }
    const isShuffle = sequences.map((sequence) => new Set(sequence).size === minibatches);
    const shuffles = isShuffle.filter(Boolean).length;
    const distances = blockwise(tf.sub, states, start);
    const weighted = (weights: readonly number[]): Float64Array => {
      const scaled = distances.map((block) =>
        tf.tidy(() => tf.mul(block, tf.tensor2d([...weights], [weights.length, 1]))),
      );
      const sum = sumOverReplicas(scaled);
      tf.dispose(scaled);
      return sum;
    };
    const result = {
      all: weighted(isShuffle.map(() => 1 / isShuffle.length)),
      shuffles: weighted(isShuffle.map((own) => (own ? 1 / shuffles : 0))),
    };
    tf.dispose([states, distances]);
    return result;
  };

  /** `sum_k H_k (g_k - G)` by central differences. */
  const varianceForce = (
    start: BlockVectors,
    set: ExampleSet,
    batches: readonly Int32Array[],
    random: RandomStream,
  ): Float64Array => {
    const inputs = inputsOf(set, batches, random);
    const at = tiled(start, minibatches);
    const own = gradient(at, inputs, 1);
    const mean = own.blocks.map((block) => tf.tidy(() => tf.mean(block, 0, true)));
    const deviations = blockwise(tf.sub, own.blocks, mean);
    const products = hessianProducts(gradient, at, inputs, deviations, difference);
    const sum = sumOverReplicas(products);
    own.dispose();
    tf.dispose([inputs, at, mean, deviations, products]);
    return sum;
  };

  const measure = (...[values, population, random, learningRates]: Parameters<EpochDriftMeter>) => {
    const { set, isUniform } = population;
    const size = values.reduce((sum, block) => sum + block.shape[1]!, 0);
    const examples = minibatches * batchSize;
    if (size * minibatches ** minibatches > mostNumbers || (isUniform && set.size < examples)) return null;
    const rows = isUniform
      ? random.permutation(set.size)
      : Int32Array.from({ length: examples }, () => population.draw(random));
    const batches = Array.from({ length: minibatches }, (_, k) =>
      rows.slice(k * batchSize, (k + 1) * batchSize),
    );
    const force = varianceForce(values, set, batches, random);
    return learningRates.map((learningRate): EpochDrift => {
      const { all, shuffles } = endPoints(values, set, batches, learningRate, random);
      const measured = shuffles.map((value, p) => value - all[p]!);
      const predicted = force.map((value) => -0.5 * learningRate ** 2 * value);
      const product = dotOf(measured, predicted);
      const [m2, p2] = [dotOf(measured, measured), dotOf(predicted, predicted)];
      return {
        learningRate,
        minibatches,
        batchSize,
        measuredNorm: Math.sqrt(m2),
        predictedNorm: Math.sqrt(p2),
        projection: p2 === 0 ? null : product / p2,
        cosine: m2 * p2 === 0 ? null : product / Math.sqrt(m2 * p2),
      };
    });
  };
  return Object.assign(measure, { dispose: () => gradient.dispose() });
}

/** Learning rates of the short epochs: third-order terms and rounding pull apart. */
const learningRates = [1e-3, 2.5e-4];

/** The variance penalty's drift of an epoch that shuffles, beyond one with replacement. */
export const epochDriftProbe: ProbeSpec = {
  name: 'epoch-drift',
  tables: [tables.epoch_drift],
  create: () => {
    const meters = new ToolCache(createEpochDriftMeter);
    return {
      begin: (run, open) => {
        const { seed } = run;
        const writer = open(tables.epoch_drift);
        const { population } = questionPopulation(run);
        return ({ stage, step, end, blocks, values }) => {
          if (!end) return;
          const random = createStream(seed, 'epoch-drift');
          for (const drift of meters.of(run, blocks)(values, population, random, learningRates) ?? []) {
            writer.append({
              stage,
              step,
              learning_rate: drift.learningRate,
              minibatches: drift.minibatches,
              batch_size: drift.batchSize,
              measured_norm: drift.measuredNorm,
              predicted_norm: drift.predictedNorm,
              projection: drift.projection,
              cosine: drift.cosine,
            });
          }
          writer.flush();
        };
      },
      dispose: () => meters.dispose(),
    };
  },
};
