import * as tf from '@tensorflow/tfjs-core';
import { createStream } from '../../../data/random/streams.js';
import { modelLosses } from '../../train/backward.js';
import type { ModelInputs } from '../../train/models/model.js';
import { parameterCount } from '../../train/models/model.js';
import { replicaProducts, squaredNorms } from '../../train/parameters/block-vectors.js';
import { penaltyFunction, type PenaltyGradient } from '../../train/quadratic-penalty.js';
import type { StagePlan } from '../plan.js';
import { trainingBytes } from '../planned-bytes.js';
import type {
  ActiveIntervention,
  ChangedGradient,
  ComingGradient,
  Intervention,
  InterventionContext,
} from './intervention.js';
import type { PenaltyConfig } from './penalty/config.js';
import { blockParts, microBatches, resolveBlocks, type PartCall, type PartSource } from './penalty/parts.js';

/**
 * Length of the shifts as a share of the length of the parameters, between the error of the difference, which grows with the
 * shift (forward) or its square (central), and the rounding of float32 gradients, which is divided by it. Set inclusion, smoke,
 * variance over 16, relative to the best central difference: forward 1e-5: 19 % at the first update and 0.9 % at the 40th, 3e-6:
 * 6 % and 0.3 %; central 3e-5: 13 % and 0.07 %, 1e-5: 1.3 % and 0.02 %. Rounding is 0.03 % at 3e-6.
 */
const shifts = { forward: 5e-6, central: 1e-5 } as const;

/** Bytes that the copies of the parameters of parts may take at once, per replica; the others wait. */
const mostBytes = 256e6;
/** Copies that a part needs at once, for each side: its gradient, its shift and shifted parameters, and temporaries. */
const copiesOfPart = 8;

/**
 * Adds the gradient of `(lambda / 4) R` to that of the loss, R a quadratic form of gradients of parts of the minibatch
 * (gradient-maths sections 6, 13; `lambda` replaces the learning rate in Smith's `epsilon / 4`).
 */
export const penalty: Intervention = {
  key: 'penalty',
  changesGradient: true,
  problem: () => null,
  planProblem: ({ config, stage, cost }) => {
    const own = config.stages[stage]!.penalty;
    const { batchSize } = cost.stages[stage]!;
    if (own?.kind !== 'variance' || own.size < batchSize) return null;
    return (
      `size: a micro-batch of ${own.size} is the whole minibatch (${batchSize} examples), over which nothing varies; ` +
      `make it smaller than that`
    );
  },
  dataProblem: (stage, plan) => {
    const { penalty: own } = stage.config;
    if (own?.kind !== 'blocks') return null;
    const resolved = resolve(own, stage, plan);
    return typeof resolved === 'string' ? resolved : null;
  },
  bytes: ({ penalty: own }, { batchSize, atOnce }, model) => {
    if (own === null) return 0;
    const parameters = parameterCount(model);
    const size = own.kind === 'variance' ? own.size : own.kind === 'exampleNorm' ? 1 : batchSize;
    const parts =
      own.kind === 'blocks'
        ? 2 * own.blocks.length
        : partsTogether(bytesOfPart(parameters, own), size, batchSize, atOnce);
    const { activationBytes } = trainingBytes(model, Math.min(size, batchSize) * parts);
    return sidesOf(own) * activationBytes + bytesOfPart(parameters, own) * parts;
  },
  activate: (context) => {
    const own = context.stage.configs.map((config) => config.penalty);
    const present = own.filter((settings) => settings !== null);
    return present.length === own.length ? apply(present, context) : null;
  },
};

/** Points at which a difference takes gradients of every part, beside that of the minibatch. */
const sidesOf = ({ difference }: PenaltyConfig): number => (difference === 'central' ? 2 : 1);

const bytesOfPart = (parameters: number, own: PenaltyConfig): number =>
  4 * copiesOfPart * parameters * sidesOf(own);

/** Parts of so many examples that are taken at once, of a minibatch of which so many examples may be. */
function partsTogether(partBytes: number, size: number, examples: number, atOnce: number): number {
  const inMemory = mostBytes / partBytes;
  return Math.max(1, Math.floor(Math.min(inMemory, Math.min(atOnce, examples) / size)));
}

const resolve = (
  { blocks }: Extract<PenaltyConfig, { kind: 'blocks' }>,
  { sets }: StagePlan,
  { design, data }: Pick<InterventionContext['plan'], 'design' | 'data'>,
): ReturnType<typeof resolveBlocks> =>
  resolveBlocks(blocks, design, data[0]!.groups, new Set(sets.flatMap(({ group }) => [...group])));

/** @param settings of each replica, which differ in strength at most */
function apply(
  settings: readonly PenaltyConfig[],
  { plan, stage, learner }: InterventionContext,
): ActiveIntervention {
  const own = settings[0]!;
  const { model, seeds, config } = plan;
  const compute = penaltyFunction(modelLosses(model), learner.blocks, own.difference, shifts[own.difference]);
  const together = (size: number, examples: number): number =>
    partsTogether(
      bytesOfPart(parameterCount(model), own),
      size,
      examples,
      stage.config.microBatch ?? examples,
    );
  const callsOf = (source: PartSource): PartCall[] => {
    const { examples } = source;
    switch (own.kind) {
      case 'variance':
        return microBatches(source, own.size, together(own.size, examples), true);
      case 'fullNorm':
        return microBatches(source, examples, 1, false);
      case 'exampleNorm':
        return microBatches(source, 1, together(1, examples), false);
      case 'blocks': {
        const blocks = resolve(own, stage, plan);
        // Asked before the run was made.
        if (typeof blocks === 'string') throw new Error(blocks);
        return [blockParts(source, blocks)];
      }
    }
  };
  return {
    change: ({ place, minibatch, gradient, blocks }: ComingGradient) => {
      const values = learner.read();
      const calls = callsOf({
        replicas: seeds.length,
        examples: minibatch.rows[0]!.length,
        shares: sharesOf(minibatch.inputs, config.loss.normalisation),
        groupOf: minibatch.groupOf,
        random: (replica) => createStream(seeds[replica]!, `penalty/${stage.config.name}/${place.stageStep}`),
      });
      const found = addUp(
        calls.map(
          ({ parts, form }) =>
            () =>
              compute(values, minibatch.inputs, gradient, parts, form),
        ),
      );
      tf.dispose(values);
      const changed = addForce(settings, found, gradient, blocks);
      tf.dispose([found.value, ...found.half]);
      return changed;
    },
    dispose: () => compute.dispose(),
  };
}

/** Sum of the penalties of several calls, one after the other. */
function addUp(calls: readonly (() => PenaltyGradient)[]): PenaltyGradient {
  let sum = calls[0]!();
  for (const call of calls.slice(1)) {
    const own = call();
    const next = {
      value: tf.add<tf.Tensor1D>(sum.value, own.value),
      half: sum.half.map((block, i) => tf.add<tf.Tensor2D>(block, own.half[i]!)),
    };
    tf.dispose([sum.value, ...sum.half, own.value, ...own.half]);
    sum = next;
  }
  return sum;
}

/** Adds `(lambda / 4) grad R = (lambda / 2) half` to a gradient. */
function addForce(
  settings: readonly PenaltyConfig[],
  { value, half }: PenaltyGradient,
  { blocks: task, norm2 }: ComingGradient['gradient'],
  blocks: readonly tf.Tensor2D[],
): ChangedGradient {
  const measured = tf.tidy(() => {
    return tf.stack([value, squaredNorms(half), replicaProducts(half, task), norm2]);
  });
  const [values, squares, inner, taskSquares] = measured.arraySync() as number[][];
  measured.dispose();
  const [halves, norms] = [squares!, taskSquares!].map((own) => own.map(Math.sqrt));
  const lambdas = settings.map(({ lambda, forceRatio }, replica) => {
    if (lambda !== undefined) return lambda;
    // A penalty that pulls nowhere has no strength that would match.
    return halves![replica] === 0 ? 0 : (2 * forceRatio! * norms![replica]!) / halves![replica]!;
  });
  const isIdle = lambdas.every((lambda) => lambda === 0);
  const changed = isIdle
    ? blocks
    : tf.tidy(() => {
        const factors = tf.tensor2d(
          lambdas.map((lambda) => lambda / 2),
          [lambdas.length, 1],
        );
        return blocks.map((block, i) => tf.add<tf.Tensor2D>(block, tf.mul(half[i]!, factors)));
      });
  return {
    blocks: changed,
    values: {
      penalty_value: values!,
      penalty_force: lambdas.map((lambda, replica) => (Math.abs(lambda) / 2) * halves![replica]!),
      penalty_cosine: inner!.map((product, replica) => {
        const lengths = halves![replica]! * norms![replica]!;
        return lengths > 0 ? product / lengths : null;
      }),
      penalty_lambda: lambdas,
    },
  };
}

/** `[replica, example]` shares of the examples in the weights of the minibatch's loss. */
function sharesOf(inputs: ModelInputs, normalisation: 'example' | 'token'): Float32Array {
  const weights = inputs['weights'] as tf.Tensor3D;
  const [replicas, examples] = weights.shape;
  if (normalisation === 'example') return new Float32Array(replicas * examples).fill(1 / examples);
  const shares = tf.tidy(() => {
    const own = tf.sum(weights, 2);
    return tf.div(own, tf.sum(own, 1, true));
  });
  const values = shares.dataSync<'float32'>();
  shares.dispose();
  return values;
}
