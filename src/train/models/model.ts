import type * as tf from '@tensorflow/tfjs-core';
import type { DataShape } from '../../../data/experiment.js';
import type { RandomStream } from '../../../data/random/streams.js';
import type { Site } from '../sites/site.js';
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
  /** Whether they are the same for every stream, as those of a folder: replicas then share them. Absent: they are drawn. */
  readonly isStored?: boolean;
}

/** Gaussian noise that training adds to an activation: one tensor `[replica, example, ...shape]` a step. */
export interface NoiseSpec {
  readonly name: string;
  readonly shape: readonly number[];
  readonly standardDeviation: number;
}

/** Fields of a batch as tensors `[replica, example, ...]`; noise under its own name where training adds it. */
export type ModelInputs = Readonly<Record<string, tf.Tensor>>;

/** The folder that a model is read from. */
export interface ModelSource {
  readonly folder: string;
  /** SHA-256 of its config and weights, in hexadecimal. Throws a UserError when they cannot be read. */
  hash(): string;
}

/** What a model is built for. */
export interface ModelContext {
  readonly shape: DataShape;
  /** Whether padding is among the targets; attention must then hide it from later padding. */
  readonly hidePadding: boolean;
}

/** One step of a generation: logits of the next token, and what is kept for the tokens after it. */
export interface GenerationStep {
  /** `[replica, example, answer]` */
  readonly logits: tf.Tensor3D;
  /** Of equal number and shapes from step to step; each with a leading axis of replicas or replicas times examples, or none. */
  readonly kept: readonly tf.Tensor[];
}

/** Writing of texts token by token, where what earlier tokens have been computed to be is kept. Uses no gradient. */
export interface Generation {
  /** Token that fills prompts up to the longest. */
  readonly padToken: number;
  /** Tokens that a prompt and what is written after it may have together; null where there is no limit. */
  readonly longest: number | null;
  /**
   * Reads prompts.
   *
   * @param prompts `[replica, example, row]`, shorter ones filled up behind their end
   * @param lengths `[replica, example]` int32 tokens of each prompt
   * @param room tokens that will be given to {@link Generation.next}
   */
  begin(tape: FactorTape, prompts: tf.Tensor3D, lengths: tf.Tensor2D, room: number): GenerationStep;
  /**
   * Reads one more token of every text.
   *
   * @param kept of the step before
   * @param tokens `[replica, example]` int32
   * @param made int32 tokens that have been read behind the prompts, without this one
   */
  next(tape: FactorTape, kept: readonly tf.Tensor[], tokens: tf.Tensor2D, made: tf.Scalar): GenerationStep;
}

/** A network: its parameters, and the function from a batch to logits. */
export interface Model {
  readonly parameters: readonly ParameterSpec[];
  readonly noise: readonly NoiseSpec[];
  /** Activations that have names, in the order of the forward pass; absent where none has. */
  readonly sites?: readonly Site[];
  /** Where its initial parameters are read from; absent where they are drawn. */
  readonly source?: ModelSource;
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
  /** Writes texts; absent where the model answers questions of another kind. */
  readonly generation?: Generation;
}

/** Fields of a batch that training and gradient probes need: the model's own, and what the loss reads. */
export function trainingFieldNames(model: Model): string[] {
  return [...new Set([...model.trainingInputs, 'labels', 'weights'])];
}

/** Number of scalars of all parameters of one replica. */
export function parameterCount(model: Model): number {
  return parameterSizes(model).reduce((sum, size) => sum + size, 0);
}

/** Number of scalars of each parameter of one replica. */
export function parameterSizes(model: Model): number[] {
  return model.parameters.map(({ shape }) => shape.reduce((product, size) => product * size, 1));
}
