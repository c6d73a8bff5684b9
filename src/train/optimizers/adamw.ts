import * as tf from '@tensorflow/tfjs-core';
import { z } from 'zod';
import { fusedAdam, type Variable } from '../engine/variable.js';
import { epsilonSchema, learningRateSchema, weightDecaySchema } from './bounds.js';
import { descend, rateOf, type OptimizerRule } from './rule.js';

export const adamwSchema = z.strictObject({
  kind: z.literal('adamw'),
  learningRate: learningRateSchema,
  beta1: z.number().nonnegative().lt(1).default(0.9).describe('decay of the mean of gradients'),
  beta2: z.number().nonnegative().lt(1).default(0.999).describe('decay of the mean of their squares'),
  epsilon: epsilonSchema.default(1e-8).describe('added to the root of the mean square'),
  weightDecay: weightDecaySchema.describe('decoupled: shrinks the parameter, not the gradient'),
});

/**
 * AdamW (Kingma & Ba 2015; Loshchilov & Hutter 2019) as in PyTorch:
 * `m = b1 m + (1-b1) g`, `v = b2 v + (1-b2) g^2`, `p -= lr weightDecay p`,
 * `p -= lr (m / (1-b1^t)) / (sqrt(v / (1-b2^t)) + epsilon)`. Dense: rows without a gradient still move by momentum.
 */
export function adamw({ beta1, beta2, epsilon, weightDecay }: z.infer<typeof adamwSchema>): OptimizerRule {
  return {
    elementwise: true,
    momentum: { decay: beta1, biasCorrected: true },
    // A root mean square gradient below epsilon.
    unseenAbove: 0.5 / epsilon,
    slots: (shape) => ({ firstMoment: shape, secondMoment: shape }),
    update: (parameter, slots, gradient, context) => {
      const { firstMoment, secondMoment } = slots as Record<'firstMoment' | 'secondMoment', Variable>;
      const { step, learningRates } = context;
      if (weightDecay > 0) {
        tf.tidy(() => {
          const rate = rateOf(context, parameter.shape.length);
          parameter.assign(tf.mul(parameter.read(), tf.sub(1, tf.mul(rate, weightDecay))));
        });
      }
      const learningRate = learningRates[0]!;
      const sameRate = learningRates.every((rate) => rate === learningRate);
      const scalars = { learningRate, beta1, beta2, epsilon, step };
      if (sameRate && fusedAdam(parameter, firstMoment, secondMoment, gradient, scalars)) return;
      tf.tidy(() => {
        const m = firstMoment.read();
        const v = secondMoment.read();
        const newM = tf.add(m, tf.mul(tf.sub(gradient, m), 1 - beta1));
        const newV = tf.add(v, tf.mul(tf.sub(tf.square(gradient), v), 1 - beta2));
        firstMoment.assign(newM);
        secondMoment.assign(newV);
        const denominator = tf.add(tf.mul(tf.sqrt(newV), 1 / Math.sqrt(1 - beta2 ** step)), epsilon);
        const direction = tf.div(tf.mul(newM, 1 / (1 - beta1 ** step)), denominator);
        descend(parameter, direction, rateOf(context, parameter.shape.length), 0);
      });
    },
    // The shares of g in the coming first moments, (1 - b1) b1^k, add up to 1.
    preconditioner: (slots, step) =>
      step === 0
        ? null
        : tf.tidy(() => {
            const corrected = tf.mul(slots['secondMoment']!.read(), 1 / (1 - beta2 ** step));
            return tf.reciprocal(tf.add(tf.sqrt(corrected), epsilon));
          }),
  };
}
