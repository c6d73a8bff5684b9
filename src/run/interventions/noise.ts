import * as tf from '@tensorflow/tfjs-core';
import { z } from 'zod';
import { createStream } from '../../../data/random/streams.js';
import { exampleGradients } from '../../train/example-gradients.js';
import { parameterCount } from '../../train/models/model.js';
import { blockNorms } from '../../train/parameters/block-vectors.js';
import type { ParameterBlock } from '../../train/parameters/layout.js';
import type { StageConfig } from '../config.js';
import { configuredSampling } from '../configured-sampling.js';
import type { Minibatch } from '../minibatch.js';
import { factorBytes } from '../planned-bytes.js';
import { noiseCycle, type Draw } from './noise-cycle.js';
import type { ActiveIntervention, Intervention, InterventionContext } from './intervention.js';
import { trainedIn } from './patterns.js';
import { accumulationProblem } from './whole-minibatch.js';

export const noiseSchema = z
  .strictObject({
    kind: z
      .enum(['isotropic', 'covariance'])
      .describe(
        'isotropic: equal in all directions; covariance: with the covariance of the gradients of the examples of the minibatch',
      ),
    batchSize: z
      .number()
      .int()
      .positive()
      .max(1 << 20)
      .describe(
        'examples of the smaller minibatch whose gradient is as noisy; below the batchSize of the stage',
      ),
    order: z
      .enum(['fresh', 'anticorrelated'])
      .default('fresh')
      .describe(
        'fresh: every update draws its own; anticorrelated: the draws of the updates that an epoch of the smaller ' +
          'minibatches has sum to zero, as the noise of disjoint minibatches does (full batch only)',
      ),
    strength: z
      .number()
      .min(0)
      .max(1e6)
      .default(1)
      .describe('factor of the noise; 1 is that of the smaller minibatch'),
  })
  .nullable()
  .default(null)
  .describe('noise on the gradient that makes it as noisy as that of a smaller minibatch');

/** Copies of the parameters: numbers, the mean of a cycle in float64, the noise on host and in the engine, the changed gradient. */
const copiesOfNoise = 6;

type NoiseConfig = NonNullable<StageConfig['noise']>;

/**
 * Gradient noise of a smaller minibatch. b of the B examples of a minibatch, drawn without replacement, have a mean gradient of
 * covariance `S (1/b - 1/B)` about that of all B, with S the unbiased covariance of the B gradients. For the full batch that is
 * Smith's `Gamma/b (N-b)/(N-1)`; added to the noise that a minibatch of B < N has already, it is that of a minibatch of b.
 */
export const noise: Intervention = {
  key: 'noise',
  changesGradient: true,
  problem: (stage) => accumulationProblem(stage, 'noise', 'single examples'),
  planProblem: ({ config, stage, cost }) => {
    const { rows, batchSize } = cost.stages[stage]!;
    const { noise: own, ...stageConfig } = config.stages[stage]!;
    if (own === null) return null;
    if (own.batchSize >= batchSize) {
      return (
        `batchSize: a minibatch of ${own.batchSize} is no noisier than one of the stage, which has ${batchSize} examples; ` +
        'lower it, or raise batchSize of the stage'
      );
    }
    return own.order === 'anticorrelated' && !takesAllRows(stageConfig, rows)
      ? `order: anticorrelated noise is of the same examples at every update, and those of the stage's minibatches change; ` +
          `set batchSize of the stage to full and sampler to shuffle, or order to fresh`
      : null;
  },
  bytes: ({ noise: own }, { batchSize }, model) =>
    own === null ? 0 : copiesOfNoise * 4 * parameterCount(model) + factorBytes(model, batchSize),
  activate: (context) => (context.stage.config.noise === null ? null : activeNoise(context)),
};

function takesAllRows(
  stage: Pick<StageConfig, 'sampler' | 'batchSize' | 'replay'>,
  examples: number,
): boolean {
  const { draws, batchSize } = configuredSampling(stage, examples);
  return draws === 'partition' && batchSize === examples;
}

function activeNoise({ plan, stage, learner }: InterventionContext): ActiveIntervention {
  const { name } = stage.config;
  const configs = stage.configs.map(({ noise: own }) => own!);
  const isTrained = trainedIn(stage.config);
  const ofExamples = exampleGradients(learner.blocks, isTrained);
  const places = trainedPlaces(learner.blocks, learner.model.parameters, isTrained);
  const dimensions = places.reduce((sum, { size }) => sum + size, 0);
  const rows = stage.sets[0]!.size;
  // Draws of a replica: one for every number of the gradient, or one for every example.
  const length = (own: NoiseConfig, minibatch: Minibatch): number =>
    own.kind === 'isotropic' ? dimensions : minibatch.rows[0]!.length;
  const drawsOf = configs.map((own, replica) => {
    const draw: Draw = (stageStep, target) =>
      createStream(plan.seeds[replica]!, `gradient-noise/${name}/${stageStep}`).fillNormal(target, 1);
    return own.order === 'fresh' ? draw : noiseCycle(draw, Math.ceil(rows / own.batchSize));
  });
  const { draws } = configuredSampling(stage.config, rows);
  // Of rows that are drawn without replacement Gamma has the divisor N (gradient-maths section 5).
  const toGamma = draws === 'independent' ? 1 : (rows - 1) / rows;

  return {
    change: ({ place, minibatch, gradient, blocks }) => {
      const [, examples] = gradient.losses.shape;
      const traces = ofExamples.trace(gradient);
      // The last minibatch of an epoch may be smaller, and then as noisy without.
      const shares = configs.map((own) => Math.max(0, 1 / own.batchSize - 1 / examples));
      const gammas = Array.from(traces, (trace) => (examples === 1 ? null : trace * toGamma));
      const expected = configs.map(({ strength }, replica) =>
        shares[replica] === 0 ? 0 : strength ** 2 * traces[replica]! * shares[replica]!,
      );
      const none = configs.map(() => 0);
      const scales = configs.map(({ strength }, replica) => strength * Math.sqrt(shares[replica]!));
      if (scales.every((scale) => scale === 0))
        return { blocks, values: { noise_norm: none, noise_trace: expected, noise_gamma: gammas } };

      const numbers = drawsOf.map((draw, replica) => {
        const target = new Float32Array(length(configs[replica]!, minibatch));
        draw(place.stageStep, target);
        return target;
      });
      const added =
        configs[0]!.kind === 'isotropic'
          ? isotropic(
              learner.blocks,
              places,
              numbers,
              expected.map((trace) => Math.sqrt(trace / dimensions)),
            )
          : ofExamples.weightedMean(gradient, exampleWeights(minibatch, configs[0]!, numbers, scales));
      const norms = blockNorms(added);
      const changed = blocks.map((block, i) => tf.add<tf.Tensor2D>(block, added[i]!));
      tf.dispose(added);
      return { blocks: changed, values: { noise_norm: norms, noise_trace: expected, noise_gamma: gammas } };
    },
    dispose: () => ofExamples.dispose(),
  };
}

/**
 * `[replica, example]` weights `a_i = c (x_i - mean x)` of the examples' gradients in their mean, from N(0, 1) numbers x, such that
 * it has the covariance `scale^2 S`: `c^2 = scale^2 B^2/(B-1)`.
 */
function exampleWeights(
  { rows }: Minibatch,
  { order }: NoiseConfig,
  numbers: readonly Float32Array[],
  scales: readonly number[],
): Float32Array {
  const examples = rows[0]!.length;
  const weights = new Float32Array(rows.length * examples);
  numbers.forEach((own, replica) => {
    const mean = own.reduce((sum, x) => sum + x, 0) / examples;
    const factor = scales[replica]! * (examples / Math.sqrt(examples - 1));
    for (let i = 0; i < examples; i++) {
      // The rows of a full batch come in another order every epoch; a row keeps its number.
      const x = own[order === 'fresh' ? i : rows[replica]![i]!]!;
      weights[replica * examples + i] = factor * (x - mean);
    }
  });
  return weights;
}

/** Where a parameter lies: block, offset and size. */
interface ParameterPlace {
  readonly block: number;
  readonly offset: number;
  readonly size: number;
}

/** Places of the trained parameters in the model's order, which does not depend on what they are packed with. */
function trainedPlaces(
  blocks: readonly ParameterBlock[],
  parameters: readonly { readonly name: string }[],
  isTrained: (parameter: string) => boolean,
): ParameterPlace[] {
  const places = new Map(
    blocks.flatMap((own, block) =>
      own.parameters.map(({ name, offset, size }) => [name, { block, offset, size }] as const),
    ),
  );
  return parameters.flatMap(({ name }) => (isTrained(name) ? [places.get(name)!] : []));
}

/** Blocks `[replica, size]` of numbers `[replica][trained number]`, times a factor of each replica; 0 where nothing is trained. */
function isotropic(
  blocks: readonly ParameterBlock[],
  places: readonly ParameterPlace[],
  numbers: readonly Float32Array[],
  factors: readonly number[],
): tf.Tensor2D[] {
  const values = blocks.map(({ size }) => new Float32Array(numbers.length * size));
  numbers.forEach((own, replica) => {
    let next = 0;
    for (const { block, offset, size } of places) {
      const first = replica * blocks[block]!.size + offset;
      const target = values[block]!;
      for (let i = 0; i < size; i++) target[first + i] = factors[replica]! * own[next++]!;
    }
  });
  return values.map((own, i) => tf.tensor2d(own, [numbers.length, blocks[i]!.size]));
}
