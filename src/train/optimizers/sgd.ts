import * as tf from '@tensorflow/tfjs-core';
import { z } from 'zod';
import { learningRateSchema, weightDecaySchema } from './bounds.js';
import { descend, rateOf, type OptimizerRule } from './rule.js';

export const sgdSchema = z.strictObject({
  kind: z.literal('sgd'),
  learningRate: learningRateSchema,
  momentum: z.number().nonnegative().lt(1).default(0).describe('0: plain gradient descent'),
  nesterov: z.boolean().default(false).describe('looks one step of momentum ahead'),
  weightDecay: weightDecaySchema.describe('L2 penalty: added to the gradient'),
});

/**
 * Stochastic gradient descent as in PyTorch: `b = momentum b + g`, `p -= lr b` (Nesterov: `p -= lr (g + momentum b)`),
 * with `g` including `weightDecay p`. With momentum 0 it keeps no state: the optimizer of Smith et al.'s theorem.
 */
export function sgd({ momentum, nesterov, weightDecay }: z.infer<typeof sgdSchema>): OptimizerRule {
  return {
    elementwise: true,
    momentum: { decay: momentum, biasCorrected: false },
    unseenAbove: Infinity,
    slots: (shape): Record<string, readonly number[]> => (momentum === 0 ? {} : { momentum: shape }),
    update: (parameter, slots, gradient, context) =>
      tf.tidy(() => {
        const full = weightDecay === 0 ? gradient : tf.add(gradient, tf.mul(parameter.read(), weightDecay));
        const rate = rateOf(context, parameter.shape.length);
        const buffer = slots['momentum'];
        if (buffer === undefined) return descend(parameter, full, rate, 0);
        const velocity = tf.add(tf.mul(buffer.read(), momentum), full);
        buffer.assign(velocity);
        descend(parameter, nesterov ? tf.add(full, tf.mul(velocity, momentum)) : velocity, rate, 0);
      }),
    preconditioner: () => tf.scalar(1 / (1 - momentum)),
  };
}
