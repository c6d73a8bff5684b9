import { z } from 'zod';
import { rotatedSize } from '../../transformer/config.js';
import type { CausalArchitecture } from '../../transformer/architecture.js';
import { blockNames, transformerNames } from '../../transformer/parameters.js';
import { activationOf, normEpsilonSchema, rotaryOf, sizeSchema } from '../config-reader.js';
import type { FolderFamily } from '../family.js';
import { biasRows, sameLayout, transposedRows, type TensorMapping } from '../layout.js';
import { causalFamilyModel } from './causal.js';

const schema = z.looseObject({
  hidden_size: sizeSchema,
  num_hidden_layers: sizeSchema,
  num_attention_heads: sizeSchema,
  intermediate_size: sizeSchema,
  vocab_size: sizeSchema,
  use_parallel_residual: z.boolean().default(true),
  layer_norm_eps: normEpsilonSchema.default(1e-5),
  hidden_act: z.string().default('gelu'),
  tie_word_embeddings: z.boolean().default(false),
  attention_bias: z.boolean().default(true),
});

/** GPT-NeoX and Pythia (Black et al. 2022; Biderman et al. 2023). */
export const gptNeox: FolderFamily = {
  modelType: 'gpt_neox',
  open: (reader) => {
    const config = reader.read(schema);
    const { hidden_size: width, num_attention_heads: heads } = config;
    if (width % heads !== 0)
      throw reader.refuse('num_attention_heads', `${heads} do not divide hidden_size ${width}`);
    const headSize = width / heads;
    const { base, share } = rotaryOf(reader, { base: 10_000, share: 0.25 });
    const rotated = rotatedSize(headSize, share);
    if (rotated < 2 || rotated % 2 !== 0)
      throw reader.refuse(
        'rotary_pct',
        `${share} of ${headSize} dimensions are ${rotated}, which are no pairs to turn`,
      );
    const architecture: CausalArchitecture = {
      layers: config.num_hidden_layers,
      width,
      heads,
      keyValueHeads: heads,
      headSize,
      feedForward: config.intermediate_size,
      positions: { kind: 'rotary', rotated, base, pairing: 'half' },
      residual: config.use_parallel_residual ? 'parallel' : 'sequential',
      norm: { kind: 'layer', epsilon: config.layer_norm_eps },
      activation: activationOf(reader, 'hidden_act', config.hidden_act),
      isGated: false,
      biases: { attention: config.attention_bias, attentionOutput: config.attention_bias, mlp: true },
      vocabularySize: config.vocab_size,
      outputSize: config.vocab_size,
      isTied: config.tie_word_embeddings,
      variableEmbedding: null,
      tagEmbedding: null,
    };
    return causalFamilyModel(architecture, {
      mappings: gptNeoxTensors(architecture),
      prefix: 'gpt_neox.',
      // Versions from 5 on have another name for what gives the logits.
      aliases: (architecture.isTied ? ['embed_out.weight', 'lm_head.weight'] : ['lm_head.weight']).map(
        (name) => ({
          name,
          of: architecture.isTied ? 'gpt_neox.embed_in.weight' : 'embed_out.weight',
        }),
      ),
      isIgnored: (name) =>
        /^gpt_neox\.layers\.\d+\.attention\.(?:bias|masked_bias|rotary_emb\.inv_freq)$/.test(name),
    });
  },
};

/** Parameters of the architecture as tensors of a GPT-NeoX folder. */
export function gptNeoxTensors(architecture: CausalArchitecture): TensorMapping[] {
  const { layers, width, heads, headSize, feedForward, vocabularySize, outputSize } = architecture;
  const vector = (parameter: string, name: string, size: number): TensorMapping =>
    sameLayout(parameter, name, [size]);
  const norm = (parameter: string, name: string): TensorMapping[] =>
    ['weight', 'bias'].map((part) => vector(`${parameter}.${part}`, `${name}.${part}`, width));
  const linear = (
    parameter: string,
    name: string,
    [inputs, rows]: readonly [number, number],
    hasBias: boolean,
    order: Int32Array | null = null,
  ): TensorMapping[] => [
    transposedRows(`${parameter}.weight`, [{ name: `${name}.weight`, rows }], inputs, order),
    ...(hasBias ? [biasRows(`${parameter}.bias`, [{ name: `${name}.bias`, rows }], order)] : []),
  ];
  const order = projectionOrder(heads, headSize);
  const blocks = Array.from({ length: layers }, (_, i) => {
    const own = blockNames(i);
    const name = `gpt_neox.layers.${i}`;
    const { attention, attentionOutput, mlp } = architecture.biases;
    return [
      ...norm(own.attentionNorm, `${name}.input_layernorm`),
      ...linear(own.projection, `${name}.attention.query_key_value`, [width, 3 * width], attention, order),
      ...linear(own.attentionOutput, `${name}.attention.dense`, [width, width], attentionOutput),
      ...norm(own.mlpNorm, `${name}.post_attention_layernorm`),
      ...linear(own.mlpIn, `${name}.mlp.dense_h_to_4h`, [width, feedForward], mlp),
      ...linear(own.mlpOut, `${name}.mlp.dense_4h_to_h`, [feedForward, width], mlp),
    ];
  });
  return [
    sameLayout(transformerNames.embedding, 'gpt_neox.embed_in.weight', [vocabularySize, width]),
    ...blocks.flat(),
    ...norm(transformerNames.finalNorm, 'gpt_neox.final_layer_norm'),
    ...(architecture.isTied
      ? []
      : [
          transposedRows(
            transformerNames.unembedding,
            [{ name: 'embed_out.weight', rows: outputSize }],
            width,
          ),
        ]),
  ];
}

/** Rows of its `query_key_value` go by (head, q/k/v, dimension), the columns of ours by (q/k/v, head, dimension). */
function projectionOrder(heads: number, headSize: number): Int32Array {
  return Int32Array.from({ length: 3 * heads * headSize }, (_, column) => {
    const part = Math.floor(column / (heads * headSize));
    const head = Math.floor(column / headSize) % heads;
    return (head * 3 + part) * headSize + (column % headSize);
  });
}
