import { z } from 'zod';

/**
 * 0 is allowed: a run that measures a network that does not move. A rate that is too large is no mistake of the file: the
 * run ends and says where its numbers stopped being finite. The bound is that of float32.
 */
export const learningRateSchema = z
  .number()
  .nonnegative()
  .max(1e38)
  .describe('step along the changed gradient; 0: nothing moves');

/** A rate times a decay of 1 would remove a parameter at one update; `optimizerSchema` checks the product. */
export const weightDecaySchema = z.number().nonnegative().max(100).default(0);

/**
 * Numbers added before a root or a division: below the smallest normal float32 they would be 0, above 1 they would
 * hide what they are added to.
 */
export const epsilonSchema = z.number().min(1e-37).max(1);
