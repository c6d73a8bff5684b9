import { z } from 'zod';
import { buildTransformer } from './transformer/transformer.js';
import { transformerSchema } from './transformer/config.js';
import type { Model, ModelContext } from './model.js';

/** Every family of models: its config and its builder. */
export const modelSchema = z.discriminatedUnion('kind', [transformerSchema]);

export type ModelConfig = z.infer<typeof modelSchema>;

/** Builds a model for the data of an experiment. Throws a UserError when they do not fit each other. */
export function buildModel(config: ModelConfig, context: ModelContext): Model {
  switch (config.kind) {
    case 'transformer':
      return buildTransformer(config, context);
  }
}
