import { UserError } from '../../../../data/errors.js';
import type { DataShape } from '../../../../data/experiment.js';
import type { ModelConfig } from '../registry.js';
import { architectureOf, type CausalArchitecture } from '../transformer/architecture.js';
import type { TransformerConfig } from '../transformer/config.js';
import { gpt2Tensors } from './families/gpt2.js';
import { gptNeoxTensors } from './families/gpt-neox.js';
import { openFamily } from './folder.js';
import type { TensorMapping } from './layout.js';

/** A model as a folder that Hugging Face's programs read. */
export interface FolderForm {
  /** Content of `config.json`. */
  readonly config: Readonly<Record<string, unknown>>;
  readonly mappings: readonly TensorMapping[];
  /** Folder whose tokenizer belongs to the model, or null. */
  readonly origin: string | null;
}

/**
 * The form of a model: of one from a folder that folder's, of a transformer the family that it is of. Throws a UserError for a
 * model that no family is.
 *
 * @param shape of the data that it was built for
 */
export function folderForm(config: ModelConfig, shape: DataShape): FolderForm {
  if (config.kind === 'folder') {
    const { folder, model } = openFamily(config.from);
    // Written as float32, whatever was read; the older name and the newer one.
    const dtype = Object.fromEntries(
      ['torch_dtype', 'dtype'].filter((key) => key in folder.config).map((key) => [key, 'float32']),
    );
    return { config: { ...folder.config, ...dtype }, mappings: model.mappings, origin: folder.path };
  }
  if (config.kind !== 'transformer' || shape.modality !== 'text')
    throw new UserError(
      `model.kind ${config.kind}: no family of Hugging Face is such a model; export a transformer`,
    );
  if (shape.outputSize !== shape.vocabularySize) {
    throw new UserError(
      `the model answers with ${shape.outputSize} tokens and reads ${shape.vocabularySize}, which no family of Hugging Face does`,
    );
  }
  const architecture = architectureOf(config, shape);
  const { positions, residual } = config;
  if (positions === 'rotary')
    return {
      config: gptNeoxConfig(config, architecture, shape),
      mappings: gptNeoxTensors(architecture),
      origin: null,
    };
  if (positions === 'learned' && residual === 'sequential')
    return { config: gpt2Config(architecture, shape), mappings: gpt2Tensors(architecture), origin: null };
  throw new UserError(
    `model.positions ${positions} with model.residual ${residual}: no family of Hugging Face that is written has both; ` +
      'positions rotary, or learned with sequential, can be exported',
  );
}

interface Sizes {
  readonly blockSize: number;
  readonly padToken: number;
}

function tokenIds(padToken: number): Record<string, number> {
  return { bos_token_id: padToken, eos_token_id: padToken, pad_token_id: padToken };
}

function gptNeoxConfig(
  { rotaryFraction, rotaryBase, residual }: TransformerConfig,
  { layers, width, heads, feedForward, vocabularySize, norm, isTied }: CausalArchitecture,
  { blockSize, padToken }: Sizes,
): Record<string, unknown> {
  return {
    architectures: ['GPTNeoXForCausalLM'],
    model_type: 'gpt_neox',
    hidden_size: width,
    num_hidden_layers: layers,
    num_attention_heads: heads,
    intermediate_size: feedForward,
    vocab_size: vocabularySize,
    max_position_embeddings: blockSize,
    rotary_pct: rotaryFraction,
    rotary_emb_base: rotaryBase,
    rope_parameters: { rope_type: 'default', rope_theta: rotaryBase, partial_rotary_factor: rotaryFraction },
    use_parallel_residual: residual === 'parallel',
    layer_norm_eps: norm.epsilon,
    hidden_act: 'gelu',
    tie_word_embeddings: isTied,
    attention_bias: true,
    attention_dropout: 0,
    hidden_dropout: 0,
    torch_dtype: 'float32',
    ...tokenIds(padToken),
  };
}

function gpt2Config(
  { layers, width, heads, feedForward, vocabularySize, norm, isTied }: CausalArchitecture,
  { blockSize, padToken }: Sizes,
): Record<string, unknown> {
  return {
    architectures: ['GPT2LMHeadModel'],
    model_type: 'gpt2',
    n_embd: width,
    n_layer: layers,
    n_head: heads,
    n_inner: feedForward,
    n_positions: blockSize,
    vocab_size: vocabularySize,
    layer_norm_epsilon: norm.epsilon,
    activation_function: 'gelu',
    tie_word_embeddings: isTied,
    attn_pdrop: 0,
    embd_pdrop: 0,
    resid_pdrop: 0,
    torch_dtype: 'float32',
    ...tokenIds(padToken),
  };
}
