import * as tf from '@tensorflow/tfjs-core';
import { gradientSnr } from '../../data/gradient-snr.js';
import { type RandomStream, createStream } from '../../data/random/streams.js';
import { gradientFunction } from '../train/gradient-function.js';
import { trainingFieldNames, type Model } from '../train/models/model.js';
import type { ParameterBlock } from '../train/parameters/layout.js';
import { tables } from '../store/tables/registry.js';
import { blocksOf, type BlockVectors } from '../train/parameters/block-vectors.js';
import { dotOf } from './host-vectors.js';
import { largestEigenvalue } from './landscape/eigenvalue.js';
import {
  batchesOf,
  meanGradient,
  weightedGradient,
  type LossGradient,
  type MeanLoss,
} from './landscape/mean-gradient.js';
import { chooseRows } from './landscape/rows.js';
import { sumsOverExamples } from './landscape/variance.js';
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
  /** {@link gradientSnr} of these examples as all there are; null where no coordinate varies. */
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

/**
 * Per-example gradients are those of single-example replicas, without the noise of training; `grad Gamma = (2/N) sum
 * H_i (g_i - G)` by central differences along `g_i - G`, so that no second derivatives are needed (gradient-alignment
 * literature: Dandi et al. 2022).
 */
export function createLandscapeMeter(model: Model, blocks: readonly ParameterBlock[]): LandscapeMeter {
  const gradient = gradientFunction(model, blocks, 'example');
  const lossGradient: LossGradient = { gradient, names: trainingFieldNames(model) };

  const measure = (
    ...[values, population, random, rates, options = landscapeDefaults]: Parameters<LandscapeMeter>
  ): Landscape => {
    const { set, isUniform } = population;
    const chosen = chooseRows(population, random, options.examples);
    const { rows } = chosen;
    let whole: MeanLoss;
    if (isUniform) {
      const batches = batchesOf(lossGradient, set, rows, random);
      whole = meanGradient(lossGradient, values, batches);
      for (const { inputs } of batches) tf.dispose(inputs);
    } else {
      whole = weightedGradient(lossGradient, values, set, chosen, random);
    }
    const { gradient: mean, loss } = whole;
    const rate = rates.every((own) => own === rates[0]) ? rates[0]! : null;
    const rateBlocks = rate === null ? blocksOf(rates, values) : null;
    const sums = sumsOverExamples(lossGradient, values, set, chosen, mean, random, options.step, rateBlocks);
    if (rateBlocks !== null) tf.dispose(rateBlocks);
    const variance = sums.curved.map((value) => 2 * value);
    const sample = isUniform
      ? rows.subarray(0, Math.min(rows.length, options.lambdaExamples))
      : Int32Array.from({ length: options.lambdaExamples }, () => population.draw(random));
    const eigenvalue = (units: Float64Array) =>
      largestEigenvalue(lossGradient, values, set, sample, units, random, options.step);
    const lambda = eigenvalue(new Float64Array(mean.length).fill(1));
    const deviations2 = sums.squares.map((square, p) => square - mean[p]! ** 2);
    const snr = gradientSnr({ count: Infinity, mean, variance: deviations2 });
    const norm = Math.sqrt(dotOf(mean, mean));
    const varianceNorm = Math.sqrt(dotOf(variance, variance));
    return {
      examples: rows.length,
      loss,
      lossGradientNorm: norm,
      gamma: sums.deviation2,
      varianceGradientNorm: varianceNorm,
      varianceLossCosine: norm * varianceNorm === 0 ? null : dotOf(mean, variance) / norm / varianceNorm,
      gsnr: typeof snr === 'string' ? null : snr.mean,
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

/** `sqrt(sum_p epsilon_p v_p^2)` */
function ratedNorm(vector: Float64Array, rates: Float64Array): number {
  return Math.sqrt(vector.reduce((sum, value, p) => sum + rates[p]! * value * value, 0));
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
