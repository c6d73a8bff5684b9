import { z } from 'zod';
import { adafactor, adafactorSchema } from './adafactor.js';
import { adamw, adamwSchema } from './adamw.js';
import type { OptimizerRule } from './rule.js';
import { sgd, sgdSchema } from './sgd.js';

/** Every optimizer: its config and its rule. */
export const optimizerSchema = z
  .discriminatedUnion('kind', [sgdSchema, adamwSchema, adafactorSchema])
  .superRefine((optimizer, context) => {
    if (optimizer.kind === 'sgd' && optimizer.nesterov && optimizer.momentum === 0) {
      context.addIssue({
        code: 'custom',
        path: ['nesterov'],
        message: 'has no effect without momentum; give momentum, or set it to false',
      });
    }
  })
  .describe('how gradients move parameters');

export type OptimizerConfig = z.infer<typeof optimizerSchema>;

export function optimizerRule(config: OptimizerConfig): OptimizerRule {
  switch (config.kind) {
    case 'sgd':
      return sgd(config);
    case 'adamw':
      return adamw(config);
    case 'adafactor':
      return adafactor(config);
  }
}
