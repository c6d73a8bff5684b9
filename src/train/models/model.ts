import type * as tf from '@tensorflow/tfjs-core';
import type { DataShape } from '../../../data/experiment.js';
import type { RandomStream } from '../../../data/random/streams.js';
import type { FactorTape } from '../tape/factor-tape.js';

/** What a parameter is for; statistics are reported by role and can leave roles out. */
export type ParameterRole =
  | 'embedding'
  | 'variable'
  | 'tag'
  | 'position'
  | 'attention'
  | 'mlp'
  | 'convolution'
  | 'norm'
  | 'unembedding';

/** A parameter of a model, without the replica axis. */
export interface ParameterSpec {
  readonly name: string;
  readonly shape: readonly number[];
  readonly role: ParameterRole;
  /** Initial values, row-major; draws from its own replica's stream. */
  readonly initialise: (random: RandomStream) => Float32Array;
}

/** Gaussian noise that training adds to an activation: one tensor `[replica, example, ...shape]` a step. */
export interface NoiseSpec {
  readonly name: string;
  readonly shape: readonly number[];
  readonly standardDeviation: number;
}

/** Fields of a batch as tensors `[replica, example, ...]`; noise under its own name where training adds it. */
export type ModelInputs = Readonly<Record<string, tf.Tensor>>;

/** What a model is built for. */
export interface ModelContext {
  readonly shape: DataShape;
  /** Whether padding is among the targets; attention must then hide it from later padding. */
  readonly hidePadding: boolean;
}

/** A network: its parameters, and the function from a batch to logits. */
export interface Model {
  readonly parameters: readonly ParameterSpec[];
  readonly noise: readonly NoiseSpec[];
  /** Numbers that the tape records for one training example, roughly: for planning memory. */
  readonly activationsPerExample: number;
  /** Fields of a training batch that {@link Model.logits} reads. */
  readonly trainingInputs: readonly string[];
  /** Fields of a test batch that it reads. */
  readonly testInputs: readonly string[];
  /**
   * Logits of every query, `[replica, example * query, answer]`. All parameters are used through the tape. A noise
   * tensor that is absent from the inputs is not added (evaluation, gradient probes).
   */
  logits(tape: FactorTape, inputs: ModelInputs): tf.Tensor3D;
}

/** Fields of a batch that training and gradient probes need: the model's own, and what the loss reads. */
export function trainingFieldNames(model: Model): string[] {
  return [...new Set([...model.trainingInputs, 'labels', 'weights'])];
}

/** Number of scalars of all parameters of one replica. */
export function parameterCount(model: Model): number {
  return model.parameters.reduce(
    (sum, { shape }) => sum + shape.reduce((product, size) => product * size, 1),
    0,
  );
}
