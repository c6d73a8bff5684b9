import * as tf from '@tensorflow/tfjs-core';
import type { Variable } from '../engine/variable.js';

/** What an update step needs to know beside gradient and state. */
export interface UpdateContext {
  /** Learning rate of each replica. */
  readonly learningRates: readonly number[];
  /** Updates since the start of the stage, this one included: 1, 2, ... */
  readonly step: number;
}

/** A moving average of gradients. */
export interface Momentum {
  /** 0: none. */
  readonly decay: number;
  /** Whether the average is divided by `1 - decay^t`, as Adam's. */
  readonly biasCorrected: boolean;
}

/**
 * An update rule for one parameter tensor (or one block of them) with a leading replica axis. Replicas never mix:
 * every mean or norm in a rule is taken within a replica.
 */
export interface OptimizerRule {
  /** Whether the rule treats each number by itself, so that it may be given blocks of several parameters. */
  readonly elementwise: boolean;
  /** State tensors by name and shape, zero at the start; `shape` is the parameter's, `[replica, ...]`. */
  slots(shape: readonly number[]): Readonly<Record<string, readonly number[]>>;
  /**
   * Updates `parameter` and `slots` in place.
   *
   * @param gradient of the parameter's shape, already clipped
   */
  update(
    parameter: Variable,
    slots: Readonly<Record<string, Variable>>,
    gradient: tf.Tensor,
    context: UpdateContext,
  ): void;
  /** How the rule remembers gradients: the share of one in the coming updates is `(1 - decay) decay^k`. */
  readonly momentum: Momentum;
  /**
   * Diagonal P of the rule's geometry as the present state has it: one more example's gradient g moves the parameter,
   * the tail of momentum included, by `-learningRate P g`. The state is that of the steps before ("lagged"): g itself
   * is not in it. Of the parameter's shape, or a scalar; null before the first update, when there is no state.
   *
   * @param step updates that are done
   */
  preconditioner(slots: Readonly<Record<string, Variable>>, step: number): tf.Tensor | null;
  /**
   * Entries of P above it are those of coordinates whose gradients have all been zero: P there is what the rule's epsilon
   * makes it, not what the coming update takes. Infinity for a rule without second moments.
   */
  readonly unseenAbove: number;
}

/** The learning rates as a tensor that broadcasts over a parameter of `rank` axes, or a number where all agree. */
export function rateOf({ learningRates }: UpdateContext, rank: number): tf.Tensor | number {
  const [first] = learningRates;
  if (learningRates.every((rate) => rate === first)) return first!;
  return tf.tensor(learningRates, [learningRates.length, ...new Array<number>(rank - 1).fill(1)]);
}

/** Subtracts `rate * direction` from the parameter, after shrinking it by `1 - rate * weightDecay`. */
export function descend(
  parameter: Variable,
  direction: tf.Tensor,
  rate: tf.Tensor | number,
  weightDecay: number,
): void {
  const value = parameter.read();
  const kept = weightDecay === 0 ? value : tf.mul(value, tf.sub(1, tf.mul(rate, weightDecay)));
  parameter.assign(tf.sub(kept, tf.mul(direction, rate)));
}
