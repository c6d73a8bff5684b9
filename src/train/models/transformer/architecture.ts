import type { Activation } from '../ops/activation.js';
import type { RotaryConfig } from '../ops/rotary.js';
import { rotatedSize, type TransformerConfig, type TagEmbedding, type VariableEmbedding } from './config.js';

/**
 * What a causal decoder-only transformer is made of: GPT-2, GPT-NeoX and Llama, and anything between. Made from a
 * `transformer` config, or from the config of a Hugging Face folder.
 */
export interface CausalArchitecture {
  readonly layers: number;
  readonly width: number;
  readonly heads: number;
  /** Heads of keys and values; fewer than `heads` are shared by groups of query heads. */
  readonly keyValueHeads: number;
  /** Dimensions of a head. */
  readonly headSize: number;
  readonly feedForward: number;
  /** Learned positions have a table of so many rows; rotary ones turn queries and keys. */
  readonly positions:
    { readonly kind: 'learned'; readonly rows: number } | ({ readonly kind: 'rotary' } & RotaryConfig);
  /** sequential: attention, then MLP; parallel: both read the same stream. */
  readonly residual: 'sequential' | 'parallel';
  readonly norm: { readonly kind: 'layer' | 'rms'; readonly epsilon: number };
  readonly activation: Activation;
  /** Whether the activation of one map gates another: `W_out (f(W_gate x) * W_in x)` (Shazeer 2020). */
  readonly isGated: boolean;
  /** Which linear maps have a bias. */
  readonly biases: { readonly attention: boolean; readonly attentionOutput: boolean; readonly mlp: boolean };
  /** Rows of the embedding table. */
  readonly vocabularySize: number;
  /** Tokens that logits are about: all of the table where it is tied. */
  readonly outputSize: number;
  readonly isTied: boolean;
  readonly variableEmbedding: VariableEmbedding | null;
  /** A table of tags beside that of variables. */
  readonly tagEmbedding: TagEmbedding | null;
}

/** Columns of the queries, and of the keys (as many as of the values). */
export function projectionWidths({
  heads,
  keyValueHeads,
  headSize,
}: Pick<CausalArchitecture, 'heads' | 'keyValueHeads' | 'headSize'>): { query: number; key: number } {
  return { query: heads * headSize, key: keyValueHeads * headSize };
}

/** The architecture of a `transformer` config for texts of given sizes. */
export function architectureOf(
  config: TransformerConfig,
  shape: { readonly vocabularySize: number; readonly outputSize: number; readonly blockSize: number },
): CausalArchitecture {
  const { layers, width, heads, feedForward, positions, rotaryFraction, rotaryBase, residual } = config;
  const headSize = width / heads;
  return {
    layers,
    width,
    heads,
    keyValueHeads: heads,
    headSize,
    feedForward,
    positions:
      positions === 'learned'
        ? { kind: 'learned', rows: shape.blockSize }
        : {
            kind: 'rotary',
            rotated: rotatedSize(headSize, rotaryFraction),
            base: rotaryBase,
            pairing: positions === 'rotary' ? 'half' : 'interleaved',
          },
    residual,
    norm: { kind: 'layer', epsilon: config.layerNormEpsilon },
    activation: 'gelu',
    isGated: false,
    biases: { attention: true, attentionOutput: true, mlp: true },
    vocabularySize: shape.vocabularySize,
    outputSize: shape.outputSize,
    isTied: config.tiedEmbedding,
    variableEmbedding: config.variableEmbedding,
    tagEmbedding: config.tagEmbedding,
  };
}

/** Numbers that the tape records for one example, roughly. */
export function activationsOf(
  architecture: CausalArchitecture,
  { rows, queries }: { readonly rows: number; readonly queries: number },
): number {
  const { layers, width, heads, feedForward, isGated, outputSize } = architecture;
  const { query, key } = projectionWidths(architecture);
  // Inputs and output gradients of a block's maps and two norms, and its attention weights.
  const block = 8 * width + 2 * query + 2 * key + (isGated ? 8 : 4) * feedForward + heads * rows;
  return rows * layers * block + queries * outputSize * 2;
}
