import { z } from 'zod';
import { UserError } from '../../../../../data/errors.js';
import type { T5Architecture } from '../../t5/architecture.js';
import { t5BlockNames, t5Names, t5Parameters } from '../../t5/parameters.js';
import { t5Model } from '../../t5/t5.js';
import { activationOf, normEpsilonSchema, sizeSchema } from '../config-reader.js';
import type { FolderFamily } from '../family.js';
import { sameLayout, transposedRows, type TensorMapping } from '../layout.js';
import { requireVocabulary } from './causal.js';

const schema = z.looseObject({
  d_model: sizeSchema,
  d_kv: sizeSchema,
  d_ff: sizeSchema,
  num_layers: sizeSchema,
  num_decoder_layers: sizeSchema.nullish(),
  num_heads: sizeSchema,
  relative_attention_num_buckets: sizeSchema.default(32),
  relative_attention_max_distance: sizeSchema.default(128),
  layer_norm_epsilon: normEpsilonSchema.default(1e-6),
  feed_forward_proj: z.string().default('relu'),
  vocab_size: sizeSchema,
  tie_word_embeddings: z.boolean().default(true),
  scale_decoder_outputs: z.boolean().optional(),
});

/** T5 and T5 v1.1. */
export const t5: FolderFamily = {
  modelType: 't5',
  open: (reader, hasTensor) => {
    const config = reader.read(schema);
    const isGated = config.feed_forward_proj.startsWith('gated-');
    const name = config.feed_forward_proj.replace(/^gated-/, '');
    // What v1.1 calls gated-gelu is the other GELU.
    const activation = isGated && name === 'gelu' ? 'gelu_new' : name;
    const architecture: T5Architecture = {
      width: config.d_model,
      heads: config.num_heads,
      headSize: config.d_kv,
      feedForward: config.d_ff,
      encoderLayers: config.num_layers,
      decoderLayers: config.num_decoder_layers ?? config.num_layers,
      buckets: config.relative_attention_num_buckets,
      longestDistance: config.relative_attention_max_distance,
      epsilon: config.layer_norm_epsilon,
      activation: activationOf(reader, 'feed_forward_proj', activation),
      isGated,
      vocabularySize: config.vocab_size,
      // Later versions say of every model that its tables are tied, and keep them apart where the file has both.
      isTied:
        config.tie_word_embeddings &&
        (config.scale_decoder_outputs === undefined || !hasTensor(t5Names.unembedding)),
      isScaled: config.scale_decoder_outputs ?? config.tie_word_embeddings,
    };
    const { isTied } = architecture;
    const copies = ['encoder.embed_tokens.weight', 'decoder.embed_tokens.weight'];
    return {
      width: architecture.width,
      mappings: t5Tensors(architecture),
      prefix: '',
      aliases: [...copies, ...(isTied ? [t5Names.unembedding] : [])].map((alias) => ({
        name: alias,
        of: t5Names.embedding,
      })),
      // Cross attention has no distances; a table of it was saved by early versions.
      isIgnored: (tensor) =>
        tensor === 'decoder.block.0.layer.1.EncDecAttention.relative_attention_bias.weight',
      build: (context, source, tables, stored) => {
        if (tables.variableEmbedding !== null || tables.tagEmbedding !== null)
          throw new UserError(
            'model.variableEmbedding, model.tagEmbedding: a t5 has no such tables; set them to null',
          );
        if (context.shape.modality === 'text')
          requireVocabulary(source.folder, architecture.vocabularySize, context.shape);
        return t5Model(architecture, t5Parameters(architecture).map(stored), context, source);
      },
    };
  },
};

/** Parameters of the architecture as tensors of a T5 folder. */
function t5Tensors(architecture: T5Architecture): TensorMapping[] {
  const { width, heads, headSize, feedForward, buckets, vocabularySize, isGated, isTied } = architecture;
  const inner = heads * headSize;
  const norm = (parameter: string, name: string): TensorMapping =>
    sameLayout(`${parameter}.weight`, `${name}.weight`, [width]);
  const maps = (parameter: string, inputs: number, names: readonly string[], rows: number): TensorMapping =>
    transposedRows(
      `${parameter}.weight`,
      names.map((name) => ({ name: `${name}.weight`, rows })),
      inputs,
    );
  const block = (stack: 'encoder' | 'decoder', i: number): TensorMapping[] => {
    const own = t5BlockNames(stack, i);
    const name = `${stack}.block.${i}.layer`;
    const [self, cross] = [`${name}.0.SelfAttention`, `${name}.1.EncDecAttention`];
    const last = stack === 'encoder' ? 1 : 2;
    const dense = `${name}.${last}.DenseReluDense`;
    return [
      norm(own.attentionNorm, `${name}.0.layer_norm`),
      maps(own.projection, width, [`${self}.q`, `${self}.k`, `${self}.v`], inner),
      maps(own.attentionOutput, inner, [`${self}.o`], width),
      ...(stack === 'encoder'
        ? []
        : [
            norm(own.crossNorm, `${name}.1.layer_norm`),
            maps(own.crossQuery, width, [`${cross}.q`], inner),
            maps(own.crossKeyValue, width, [`${cross}.k`, `${cross}.v`], inner),
            maps(own.crossOutput, inner, [`${cross}.o`], width),
          ]),
      norm(own.mlpNorm, `${name}.${last}.layer_norm`),
      ...(isGated ? [maps(own.mlpGate, width, [`${dense}.wi_0`], feedForward)] : []),
      maps(own.mlpIn, width, [isGated ? `${dense}.wi_1` : `${dense}.wi`], feedForward),
      maps(own.mlpOut, feedForward, [`${dense}.wo`], width),
    ];
  };
  const stack = (
    kind: 'encoder' | 'decoder',
    layers: number,
    bias: string,
    last: string,
  ): TensorMapping[] => [
    sameLayout(bias, `${kind}.block.0.layer.0.SelfAttention.relative_attention_bias.weight`, [
      buckets,
      heads,
    ]),
    ...Array.from({ length: layers }, (_, i) => block(kind, i)).flat(),
    norm(last, `${kind}.final_layer_norm`),
  ];
  return [
    sameLayout(t5Names.embedding, 'shared.weight', [vocabularySize, width]),
    ...stack('encoder', architecture.encoderLayers, t5Names.encoderBias, t5Names.encoderNorm),
    ...stack('decoder', architecture.decoderLayers, t5Names.decoderBias, t5Names.decoderNorm),
    ...(isTied
      ? []
      : [transposedRows(t5Names.unembedding, [{ name: 'lm_head.weight', rows: vocabularySize }], width)]),
  ];
}
