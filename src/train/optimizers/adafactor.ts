import * as tf from '@tensorflow/tfjs-core';
import { z } from 'zod';
import { epsilonSchema, learningRateSchema, weightDecaySchema } from './bounds.js';
import { descend, rateOf, type OptimizerRule } from './rule.js';

export const adafactorSchema = z.strictObject({
  kind: z.literal('adafactor'),
  learningRate: learningRateSchema,
  epsilon: epsilonSchema.default(1e-30).describe('added to squared gradients'),
  clipThreshold: z.number().min(1e-6).max(1e6).default(1).describe('largest root mean square of an update'),
  decayRate: z.number().min(-10).max(-0.01).default(-0.8).describe('second-moment decay is 1 - t^decayRate'),
  weightDecay: weightDecaySchema.describe('decoupled: shrinks the parameter, not the gradient'),
});

/**
 * Adafactor (Shazeer & Stern 2018) as Hugging Face wires it with `scale_parameter` and `relative_step` off and no
 * momentum: with `s = g^2 + epsilon` and `beta = 1 - t^decayRate`, matrices keep moving averages R, C of the row and
 * column means of s and update by `u = g / sqrt(R C / mean(R))`, vectors keep the average V of s and update by
 * `u = g / sqrt(V)`; then `u /= max(1, rms(u) / clipThreshold)` for each tensor.
 */
export function adafactor(config: z.infer<typeof adafactorSchema>): OptimizerRule {
  const { epsilon, clipThreshold, decayRate, weightDecay } = config;
  return {
    elementwise: false,
    momentum: { decay: 0, biasCorrected: false },
    // Of a factored moment the entry also depends on the other rows and columns.
    unseenAbove: 0.01 / Math.sqrt(epsilon),
    slots: (shape): Record<string, readonly number[]> =>
      shape.length < 3
        ? { secondMoment: shape }
        : { rowMoment: shape.slice(0, -1), columnMoment: [...shape.slice(0, -2), shape.at(-1)!] },
    update: (parameter, slots, gradient, context) =>
      tf.tidy(() => {
        const beta = 1 - context.step ** decayRate;
        const squared = tf.add(tf.square(gradient), epsilon);
        const average = (slot: string, present: tf.Tensor): tf.Tensor => {
          const variable = slots[slot]!;
          const next = tf.add(tf.mul(variable.read(), beta), tf.mul(present, 1 - beta));
          variable.assign(next);
          return next;
        };
        const scale =
          slots['secondMoment'] !== undefined
            ? tf.rsqrt(average('secondMoment', squared))
            : factoredScale(
                average('rowMoment', tf.mean(squared, -1)),
                average('columnMoment', tf.mean(squared, -2)),
              );
        const update = tf.mul(gradient, scale);
        const axes = update.shape.map((_, axis) => axis).slice(1);
        const rms = tf.sqrt(tf.mean(tf.square(update), axes, true));
        const clipped = tf.div(update, tf.maximum(tf.div(rms, clipThreshold), 1));
        descend(parameter, clipped, rateOf(context, parameter.shape.length), weightDecay);
      }),
    // Without the clipping of the update, which depends on all of it.
    preconditioner: ({ secondMoment, rowMoment, columnMoment }, step) =>
      step === 0
        ? null
        : tf.tidy(() =>
            secondMoment === undefined
              ? factoredScale(rowMoment!.read(), columnMoment!.read())
              : tf.rsqrt(secondMoment.read()),
          ),
  };
}

/** `1 / sqrt(R C / mean(R))` of moments of rows `[..., rows]` and columns `[..., columns]`. */
function factoredScale(rows: tf.Tensor, columns: tf.Tensor): tf.Tensor {
  const rowScale = tf.rsqrt(tf.div(rows, tf.mean(rows, -1, true)));
  return tf.mul(tf.expandDims(rowScale, -1), tf.expandDims(tf.rsqrt(columns), -2));
}
