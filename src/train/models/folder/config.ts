import path from 'node:path';
import { z } from 'zod';
import { tagEmbeddingSchema, variableEmbeddingSchema } from '../transformer/config.js';

/** A pretrained model in a local folder. */
export const folderSchema = z.strictObject({
  kind: z.literal('folder'),
  from: z
    .string()
    .min(1)
    .max(4096)
    .overwrite((folder) => path.resolve(folder))
    .describe(
      'folder of a model as Hugging Face saves it: config.json, model.safetensors; relative to this file',
    ),
  variableEmbedding: variableEmbeddingSchema
    .nullable()
    .default(null)
    .describe(
      "a table of their own for variables, drawn and not read; null: variables are tokens of the model's vocabulary",
    ),
  tagEmbedding: tagEmbeddingSchema
    .nullable()
    .default(null)
    .describe(
      "a table of their own for tags, drawn and not read; null: tags are tokens of the model's vocabulary",
    ),
});

/** Tables beside the model of a folder. */
export type OwnTables = Pick<FolderConfig, 'variableEmbedding' | 'tagEmbedding'>;

export type FolderConfig = z.infer<typeof folderSchema>;
