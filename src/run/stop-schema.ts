import { z } from 'zod';

/** The key `stop` of a stage. */
export const stopSchema = z
  .strictObject({
    updates: z.number().int().positive().max(1e9).nullable().default(null).describe('after so many updates'),
    trainingLoss: z
      .number()
      .positive()
      .max(1e6)
      .nullable()
      .default(null)
      .describe(
        'nats; mean loss of the minibatches of the last stepsPerEpoch updates, each before its update, below it',
      ),
    distance: z
      .number()
      .positive()
      .max(1e9)
      .nullable()
      .default(null)
      .describe('Euclidean distance of the parameters from the start of the stage above it'),
  })
  .refine((stop) => Object.values(stop).some((value) => value !== null), {
    error: 'says nothing to stop at: give updates, trainingLoss or distance, or set it to null',
  })
  .nullable()
  .default(null)
  .describe('ends the stage at the first of these that is reached, though its epochs are not over');
