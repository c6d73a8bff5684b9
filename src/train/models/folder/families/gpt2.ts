import { z } from 'zod';
import type { CausalArchitecture } from '../../transformer/architecture.js';
import { blockNames, transformerNames } from '../../transformer/parameters.js';
import { activationOf, normEpsilonSchema, sizeSchema } from '../config-reader.js';
import type { FolderFamily } from '../family.js';
import { sameLayout, transposedRows, type TensorMapping } from '../layout.js';
import { causalFamilyModel } from './causal.js';

const schema = z.looseObject({
  n_embd: sizeSchema,
  n_layer: sizeSchema,
  n_head: sizeSchema,
  n_inner: sizeSchema.nullish(),
  n_positions: sizeSchema,
  vocab_size: sizeSchema,
  layer_norm_epsilon: normEpsilonSchema.default(1e-5),
  activation_function: z.string().default('gelu_new'),
  tie_word_embeddings: z.boolean().default(true),
  scale_attn_weights: z.literal(true, 'attention without scaling cannot be computed').default(true),
  scale_attn_by_inverse_layer_idx: z
    .literal(false, 'attention that is scaled by the number of the layer cannot be computed')
    .default(false),
  add_cross_attention: z.literal(false, 'cross attention cannot be computed').default(false),
});

/** GPT-2 (Radford et al. 2019). Its linear maps ("Conv1D") are `[in, out]` already, the projections q | k | v. */
export const gpt2: FolderFamily = {
  modelType: 'gpt2',
  open: (reader) => {
    const config = reader.read(schema);
    const { n_embd: width, n_head: heads } = config;
    if (width % heads !== 0) throw reader.refuse('n_head', `${heads} do not divide n_embd ${width}`);
    const architecture: CausalArchitecture = {
      layers: config.n_layer,
      width,
      heads,
      keyValueHeads: heads,
      headSize: width / heads,
      feedForward: config.n_inner ?? 4 * width,
      positions: { kind: 'learned', rows: config.n_positions },
      residual: 'sequential',
      norm: { kind: 'layer', epsilon: config.layer_norm_epsilon },
      activation: activationOf(reader, 'activation_function', config.activation_function),
      isGated: false,
      biases: { attention: true, attentionOutput: true, mlp: true },
      vocabularySize: config.vocab_size,
      outputSize: config.vocab_size,
      isTied: config.tie_word_embeddings,
      variableEmbedding: null,
      tagEmbedding: null,
    };
    return causalFamilyModel(architecture, {
      mappings: gpt2Tensors(architecture),
      prefix: 'transformer.',
      aliases: architecture.isTied ? [{ name: 'lm_head.weight', of: 'transformer.wte.weight' }] : [],
      isIgnored: (name) => /^transformer\.h\.\d+\.attn\.(?:bias|masked_bias)$/.test(name),
    });
  },
};

/** Parameters of the architecture as tensors of a GPT-2 folder. */
export function gpt2Tensors(architecture: CausalArchitecture): TensorMapping[] {
  const { layers, width, feedForward, positions, vocabularySize, outputSize } = architecture;
  const linear = (parameter: string, name: string, inputs: number, outputs: number): TensorMapping[] => [
    sameLayout(`${parameter}.weight`, `${name}.weight`, [inputs, outputs]),
    sameLayout(`${parameter}.bias`, `${name}.bias`, [outputs]),
  ];
  const norm = (parameter: string, name: string): TensorMapping[] =>
    ['weight', 'bias'].map((part) => sameLayout(`${parameter}.${part}`, `${name}.${part}`, [width]));
  const blocks = Array.from({ length: layers }, (_, i) => {
    const own = blockNames(i);
    const name = `transformer.h.${i}`;
    return [
      ...norm(own.attentionNorm, `${name}.ln_1`),
      ...linear(own.projection, `${name}.attn.c_attn`, width, 3 * width),
      ...linear(own.attentionOutput, `${name}.attn.c_proj`, width, width),
      ...norm(own.mlpNorm, `${name}.ln_2`),
      ...linear(own.mlpIn, `${name}.mlp.c_fc`, width, feedForward),
      ...linear(own.mlpOut, `${name}.mlp.c_proj`, feedForward, width),
    ];
  });
  const rows = positions.kind === 'learned' ? positions.rows : 0;
  return [
    sameLayout(transformerNames.embedding, 'transformer.wte.weight', [vocabularySize, width]),
    sameLayout(transformerNames.positions, 'transformer.wpe.weight', [rows, width]),
    ...blocks.flat(),
    ...norm(transformerNames.finalNorm, 'transformer.ln_f'),
    ...(architecture.isTied
      ? []
      : [
          transposedRows(transformerNames.unembedding, [{ name: 'lm_head.weight', rows: outputSize }], width),
        ]),
  ];
}
