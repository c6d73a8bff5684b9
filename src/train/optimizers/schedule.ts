import { z } from 'zod';

export const scheduleSchema = z
  .strictObject({
    kind: z.enum(['constant', 'linear', 'cosine']).describe('course of the learning rate after the warm-up'),
    warmupSteps: z
      .number()
      .int()
      .nonnegative()
      .max(1e9)
      .default(0)
      .describe('updates over which the rate rises linearly to its full value'),
  })
  .describe('course of the learning rate over a stage');

export type ScheduleConfig = z.infer<typeof scheduleSchema>;

/**
 * Factor on the learning rate of update `step` = 1, 2, ... of a stage of `totalSteps` updates. Warm-up: step /
 * warmupSteps. Then `linear` falls to 0 as in Hugging Face (the last update still moves, by 1 / (totalSteps -
 * warmupSteps)), `cosine` along half a cosine.
 */
export function scheduleFactor(
  { kind, warmupSteps }: ScheduleConfig,
  step: number,
  totalSteps: number,
): number {
  if (step <= warmupSteps) return step / warmupSteps;
  if (kind === 'constant') return 1;
  const progress = (step - 1 - warmupSteps) / Math.max(1, totalSteps - warmupSteps);
  return kind === 'linear'
    ? Math.max(0, 1 - progress)
    : 0.5 * (1 + Math.cos(Math.PI * Math.min(1, progress)));
}

/** Factor that brings a gradient of norm `norm` to at most `maximum`, as torch.nn.utils.clip_grad_norm_. */
export function clipFactor(norm: number, maximum: number | null): number {
  return maximum === null ? 1 : Math.min(1, maximum / (norm + 1e-6));
}
