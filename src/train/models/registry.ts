import { z } from 'zod';
import { convnetSchema } from './convnet/config.js';
import { buildConvnet } from './convnet/convnet.js';
import { convnextSchema } from './convnext/config.js';
import { buildConvnext } from './convnext/convnext.js';
import { folderSchema } from './folder/config.js';
import { buildFolderModel, folderWidth } from './folder/folder.js';
import { buildTransformer } from './transformer/transformer.js';
import { transformerSchema } from './transformer/config.js';
import type { Model, ModelContext } from './model.js';

/** Every family of models: its config and its builder. */
export const modelSchema = z
  .discriminatedUnion('kind', [transformerSchema, convnetSchema, convnextSchema, folderSchema])
  .describe('the network, of one of several families');

export type ModelConfig = z.infer<typeof modelSchema>;

/** Builds a model for the data of an experiment. Throws a UserError when they do not fit each other. */
export function buildModel(config: ModelConfig, context: ModelContext): Model {
  switch (config.kind) {
    case 'transformer':
      return buildTransformer(config, context);
    case 'convnet':
      return buildConvnet(config, context);
    case 'convnext':
      return buildConvnext(config, context);
    case 'folder':
      return buildFolderModel(config, context);
  }
}

/** The same model without the tables of variables and tags, as it is pretrained; any other model as it is. */
export function textModelAlone(config: ModelConfig): ModelConfig {
  return config.kind === 'transformer' || config.kind === 'folder'
    ? { ...config, variableEmbedding: null, tagEmbedding: null }
    : config;
}

/** Width of a model's typical ops, by which threads are chosen. */
export function modelWidth(config: ModelConfig): number {
  switch (config.kind) {
    case 'transformer':
      return config.width;
    case 'convnet':
      return Math.max(...config.convolutions.map(({ channels }) => channels));
    case 'convnext':
      return Math.max(...config.stages.map(({ width }) => width));
    case 'folder':
      return folderWidth(config);
  }
}
