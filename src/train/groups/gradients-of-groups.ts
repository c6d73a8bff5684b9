import * as tf from '@tensorflow/tfjs-core';
import { assembleGradients } from '../gradient.js';
import type { ParameterUse } from '../tape/uses.js';
import { weightExamples } from '../tape/weighted.js';

/**
 * The gradients of the groups of a minibatch, from the factors of one backward pass: parameter -> tensor
 * `[replica, ...shape]`, for every group, which add up to the minibatch's. Simple rather than fast: every group costs as
 * much as the assembly of the minibatch's gradient (`GroupStatistics`, which training logs with, computes less twice).
 * The caller disposes of the tensors.
 *
 * @param groupOf `[example]` group of each example, the same in every replica; -1 for none
 * @param groups number of groups
 */
export function gradientsOfGroups(
  uses: readonly ParameterUse[],
  groupOf: ArrayLike<number>,
  groups: number,
): ReadonlyMap<string, tf.Tensor>[] {
  return Array.from({ length: groups }, (_, group) => {
    const kept = new Map<string, tf.Tensor>();
    tf.tidy(() => {
      const member = Float32Array.from(groupOf, (own) => (own === group ? 1 : 0));
      const masked = uses.map((use) => weightExamples(use, tf.tensor2d(member, [1, member.length])));
      for (const [name, tensor] of assembleGradients(masked, 1).total) kept.set(name, tf.keep(tensor));
    });
    return kept;
  });
}
