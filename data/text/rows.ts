import type { FieldBuffers } from '../experiment.js';
import { float32Field, int32Field } from '../fields.js';
import type { TextLayout } from './layout.js';

/** A text whose last token is the answer to what stands before it. */
export interface Text {
  /** Token ids, the answer last. */
  readonly tokens: readonly number[];
  /** Place of the variable among the tokens. */
  readonly variableAt: number;
}

/** Writes `text` as the training row `slot` of buffers with the fields of `trainingFields(layout)`. */
export function writeTrainingRow(layout: TextLayout, text: Text, slot: number, buffers: FieldBuffers): void {
  if (layout.loss.target === 'answer') writeAnswerRow(layout, text, slot, buffers);
  else writeWholeRow(layout, text, slot, buffers);
}

/**
 * Writes the question of `text`, without its answer, as row `slot` of buffers with the fields of
 * `questionFields(layout)`; `contrast` is the wrong answer to compare with.
 */
export function writeQuestionRow(
  layout: TextLayout,
  text: Text,
  contrast: number,
  slot: number,
  buffers: FieldBuffers,
): void {
  writeAnswerRow(layout, text, slot, buffers);
  int32Field(buffers, 'contrast')[slot] = contrast;
}

function writeAnswerRow(layout: TextLayout, text: Text, slot: number, buffers: FieldBuffers): void {
  const asked = text.tokens.length - 1;
  writeTokens(layout, text, asked, slot, buffers);
  int32Field(buffers, 'positions')[slot] = asked - 1;
  int32Field(buffers, 'labels')[slot] = text.tokens[asked]!;
  float32Field(buffers, 'weights')[slot] = 1;
}

function writeWholeRow(layout: TextLayout, text: Text, slot: number, buffers: FieldBuffers): void {
  const { queries, padToken, outputSize, loss } = layout;
  const { tokens } = text;
  writeTokens(layout, text, tokens.length, slot, buffers);
  const positions = int32Field(buffers, 'positions');
  const labels = int32Field(buffers, 'labels');
  const weights = float32Field(buffers, 'weights');
  // The text's own tokens but the first, and the first padding token, by which the model says that the text ends.
  const targets = loss.includePadding ? queries : Math.min(tokens.length, queries);
  const start = slot * queries;
  let total = 0;
  for (let query = 0; query < queries; query++) {
    const next = tokens[query + 1] ?? padToken;
    const weight = query < targets && next < outputSize ? 1 : 0;
    positions[start + query] = query;
    // A masked query still needs a label that the model has a logit for.
    labels[start + query] = weight === 1 ? next : padToken;
    weights[start + query] = weight;
    total += weight;
  }
  if (loss.normalisation === 'token') return;
  for (let query = 0; query < queries; query++) weights[start + query]! /= total;
}

function writeTokens(
  layout: TextLayout,
  text: Text,
  length: number,
  slot: number,
  buffers: FieldBuffers,
): void {
  const target = int32Field(buffers, 'tokens');
  const start = slot * layout.blockSize;
  for (let i = 0; i < layout.blockSize; i++) {
    target[start + i] = i < length ? text.tokens[i]! : layout.padToken;
  }
  int32Field(buffers, 'variablePosition')[slot] = text.variableAt < length ? text.variableAt : -1;
}
