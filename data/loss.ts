import { z } from 'zod';

/** What a text model is trained to predict: the `loss` section of an experiment file. */
export interface LossConfig {
  /** `answer`: only the row's answer, one query per row. `text`: every next token of the row. */
  readonly target: 'answer' | 'text';
  /**
   * `example`: the weights of a row sum to 1, and the loss of a minibatch is the mean over its rows.
   * `token`: every target weighs 1, and the trainer divides the weighted sum by the total weight of the minibatch,
   * so that long rows count more. With target `answer` both are the same.
   */
  readonly normalisation: 'example' | 'token';
  /**
   * With target `text`: whether every position of the padded row is a target with the same weight, as in the
   * published code, where the mean runs mostly over padding that follows padding. Otherwise the targets end with the
   * first padding token, which is how a model learns to stop.
   */
  readonly includePadding: boolean;
}

export const lossSchema: z.ZodType<LossConfig> = z
  .strictObject({
    target: z
      .enum(['answer', 'text'])
      .describe("what is predicted: the row's answer alone, or every next token of its text"),
    normalisation: z
      .enum(['example', 'token'])
      .default('example')
      .describe('mean over rows (every row weighs 1) or over targets (every target token weighs 1)'),
    includePadding: z
      .boolean()
      .default(false)
      .describe(
        'faithful to the published code: padding counts as a target like any other token (target text only)',
      ),
  })
  .superRefine((loss, context) => {
    if (loss.includePadding && loss.target === 'answer') {
      context.addIssue({
        code: 'custom',
        path: ['includePadding'],
        message: 'an answer has no padding: set target to text, or includePadding to false',
      });
    }
  })
  .describe('what is trained on');
