import { z } from 'zod';
import { projectionWidths, type CausalArchitecture } from '../../transformer/architecture.js';
import { blockNames, transformerNames } from '../../transformer/parameters.js';
import { activationOf, normEpsilonSchema, rotaryOf, sizeSchema } from '../config-reader.js';
import type { FolderFamily } from '../family.js';
import { biasRows, sameLayout, transposedRows, type TensorMapping } from '../layout.js';
import { causalFamilyModel } from './causal.js';

const schema = z.looseObject({
  hidden_size: sizeSchema,
  intermediate_size: sizeSchema,
  num_hidden_layers: sizeSchema,
  num_attention_heads: sizeSchema,
  num_key_value_heads: sizeSchema.nullish(),
  head_dim: sizeSchema.nullish(),
  vocab_size: sizeSchema,
  rms_norm_eps: normEpsilonSchema.default(1e-6),
  hidden_act: z.string().default('silu'),
  tie_word_embeddings: z.boolean().default(false),
  attention_bias: z.boolean().default(false),
  mlp_bias: z.boolean().default(false),
});

/** Llama (Touvron et al. 2023): root-mean-square norm, gated MLP, grouped queries, rotary positions of whole heads. */
export const llama: FolderFamily = {
  modelType: 'llama',
  open: (reader) => {
    const config = reader.read(schema);
    const { hidden_size: width, num_attention_heads: heads } = config;
    const keyValueHeads = config.num_key_value_heads ?? heads;
    const headSize = config.head_dim ?? width / heads;
    if (!Number.isInteger(headSize))
      throw reader.refuse('num_attention_heads', `${heads} do not divide hidden_size ${width}`);
    if (headSize % 2 !== 0)
      throw reader.refuse('head_dim', `a head of ${headSize} dimensions has no pairs to turn`);
    if (heads % keyValueHeads !== 0)
      throw reader.refuse('num_key_value_heads', `${keyValueHeads} do not divide ${heads} heads`);
    const { base } = rotaryOf(reader, { base: 10_000, share: 1 });
    const architecture: CausalArchitecture = {
      layers: config.num_hidden_layers,
      width,
      heads,
      keyValueHeads,
      headSize,
      feedForward: config.intermediate_size,
      positions: { kind: 'rotary', rotated: headSize, base, pairing: 'half' },
      residual: 'sequential',
      norm: { kind: 'rms', epsilon: config.rms_norm_eps },
      activation: activationOf(reader, 'hidden_act', config.hidden_act),
      isGated: true,
      biases: {
        attention: config.attention_bias,
        attentionOutput: config.attention_bias,
        mlp: config.mlp_bias,
      },
      vocabularySize: config.vocab_size,
      outputSize: config.vocab_size,
      isTied: config.tie_word_embeddings,
      variableEmbedding: null,
      tagEmbedding: null,
    };
    return causalFamilyModel(architecture, {
      mappings: llamaTensors(architecture),
      prefix: 'model.',
      aliases: architecture.isTied ? [{ name: 'lm_head.weight', of: 'model.embed_tokens.weight' }] : [],
      isIgnored: (name) => /^model\.layers\.\d+\.self_attn\.rotary_emb\.inv_freq$/.test(name),
    });
  },
};

/** Parameters of the architecture as tensors of a Llama folder. */
function llamaTensors(architecture: CausalArchitecture): TensorMapping[] {
  const { layers, width, feedForward, vocabularySize, outputSize, biases } = architecture;
  const { query, key } = projectionWidths(architecture);
  const norm = (parameter: string, name: string): TensorMapping =>
    sameLayout(`${parameter}.weight`, `${name}.weight`, [width]);
  /** Maps side by side, from names and numbers of outputs. */
  const linear = (
    parameter: string,
    inputs: number,
    hasBias: boolean,
    maps: readonly (readonly [string, number])[],
  ): TensorMapping[] => {
    const part = (of: 'weight' | 'bias') => maps.map(([name, rows]) => ({ name: `${name}.${of}`, rows }));
    return [
      transposedRows(`${parameter}.weight`, part('weight'), inputs),
      ...(hasBias ? [biasRows(`${parameter}.bias`, part('bias'))] : []),
    ];
  };
  const blocks = Array.from({ length: layers }, (_, i) => {
    const own = blockNames(i);
    const name = `model.layers.${i}`;
    const attention = `${name}.self_attn`;
    return [
      norm(own.attentionNorm, `${name}.input_layernorm`),
      ...linear(own.projection, width, biases.attention, [
        [`${attention}.q_proj`, query],
        [`${attention}.k_proj`, key],
        [`${attention}.v_proj`, key],
      ]),
      ...linear(own.attentionOutput, query, biases.attentionOutput, [[`${attention}.o_proj`, width]]),
      norm(own.mlpNorm, `${name}.post_attention_layernorm`),
      ...linear(own.mlpGate, width, biases.mlp, [[`${name}.mlp.gate_proj`, feedForward]]),
      ...linear(own.mlpIn, width, biases.mlp, [[`${name}.mlp.up_proj`, feedForward]]),
      ...linear(own.mlpOut, feedForward, biases.mlp, [[`${name}.mlp.down_proj`, width]]),
    ];
  });
  return [
    sameLayout(transformerNames.embedding, 'model.embed_tokens.weight', [vocabularySize, width]),
    ...blocks.flat(),
    norm(transformerNames.finalNorm, 'model.norm'),
    ...(architecture.isTied
      ? []
      : [
          transposedRows(transformerNames.unembedding, [{ name: 'lm_head.weight', rows: outputSize }], width),
        ]),
  ];
}
