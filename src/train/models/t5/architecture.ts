import type { TextShape } from '../../../../data/experiment.js';
import type { Activation } from '../ops/activation.js';

/** What a T5 is made of (Raffel et al. 2019; v1.1: Shazeer 2020). No map has a bias. */
export interface T5Architecture {
  readonly width: number;
  readonly heads: number;
  /** Dimensions of a head; all heads together need not be as wide as the model. */
  readonly headSize: number;
  readonly feedForward: number;
  readonly encoderLayers: number;
  readonly decoderLayers: number;
  /** Buckets of distances, and the distance from which on all are in the last one. */
  readonly buckets: number;
  readonly longestDistance: number;
  readonly epsilon: number;
  readonly activation: Activation;
  /** Whether the activation of one map gates another (v1.1). */
  readonly isGated: boolean;
  readonly vocabularySize: number;
  /** Whether the table that encoder and decoder read gives the logits, too. */
  readonly isTied: boolean;
  /** Whether the decoder's output is multiplied by `1 / sqrt(width)` before the logits (not in v1.1). */
  readonly isScaled: boolean;
}

/** The shape of texts that have a source text. */
export type SourceShape = TextShape & { readonly inputLength: number };

/** Numbers that the tape records for one example, roughly. */
export function t5Activations(
  architecture: T5Architecture,
  { inputs, targets }: { readonly inputs: number; readonly targets: number },
): number {
  const { width, heads, headSize, feedForward, isGated, encoderLayers, decoderLayers } = architecture;
  const inner = heads * headSize;
  const mlp = 4 * width + (isGated ? 8 : 4) * feedForward;
  const attention = (rows: number): number => 4 * width + 4 * inner + heads * rows;
  const encoder = inputs * encoderLayers * (attention(inputs) + mlp);
  const decoder =
    decoderLayers * (targets * (attention(targets) + attention(inputs) + mlp) + inputs * (width + 2 * inner));
  return encoder + decoder + targets * architecture.vocabularySize * 2;
}
