import type { FieldBuffers } from '../experiment.js';
import { float32Field, int32Field } from '../fields.js';
import type { LossConfig } from '../loss.js';
import type { PartKind } from '../pieces.js';
import type { TextLayout } from './layout.js';

/** A text whose last tokens are the answer to what stands before them, or to a source text that does. */
export interface Text {
  /** Token ids, the answer last. */
  readonly tokens: readonly number[];
  /** Tokens of the answer; 1 when left out. */
  readonly answerLength?: number;
  /** Place of the variable among the tokens, of its first token where it has several; -1 where the text names none. */
  readonly variableAt: number;
  /** What each token is; none of them anything special when left out. */
  readonly parts?: readonly PartKind[];
}

/** Writes `text` as the training row `slot` of buffers with the fields of `trainingFields(layout)`. */
export function writeTrainingRow(layout: TextLayout, text: Text, slot: number, buffers: FieldBuffers): void {
  const { loss } = layout;
  if (layout.inputLength !== undefined) {
    writePair(layout, text, loss.includePadding ? 'all' : 'answer', loss.normalisation, slot, buffers);
  } else if (loss.target === 'answer') writeAnswerRow(layout, text, slot, buffers);
  else writeWholeRow(layout, text, slot, buffers);
}

/**
 * Writes `text` as row `slot` of buffers with the fields of `questionFields(layout)`: one query for every token of its
 * answer, each of weight 1, so that the loss is minus the log-probability of the answer, in nats.
 *
 * @param contrast the wrong answer to compare with, where answers are one token; else null
 */
export function writeQuestionRow(
  layout: TextLayout,
  text: Text,
  contrast: number | null,
  slot: number,
  buffers: FieldBuffers,
): void {
  if (layout.inputLength !== undefined) return writePair(layout, text, 'answer', 'token', slot, buffers);
  writeAnswer(layout, text, 1, slot, buffers);
  if (contrast !== null) int32Field(buffers, 'contrast')[slot] = contrast;
}

function writeAnswerRow(layout: TextLayout, text: Text, slot: number, buffers: FieldBuffers): void {
  const weight = layout.loss.normalisation === 'token' ? 1 : 1 / (text.answerLength ?? 1);
  writeAnswer(layout, text, weight, slot, buffers);
}

function writeAnswer(
  layout: TextLayout,
  text: Text,
  weight: number,
  slot: number,
  buffers: FieldBuffers,
): void {
  const { answerQueries: queries, padToken } = layout;
  const { tokens, answerLength = 1 } = text;
  const last = tokens.length - 1;
  writeTokens(layout, text, last, slot, buffers);
  const positions = int32Field(buffers, 'positions');
  const labels = int32Field(buffers, 'labels');
  const weights = float32Field(buffers, 'weights');
  for (let query = 0; query < queries; query++) {
    const at = last + 1 - answerLength + query;
    // A query that is not asked still needs a position and a label that there are.
    positions[slot * queries + query] = Math.min(at, last) - 1;
    labels[slot * queries + query] = tokens[at] ?? padToken;
    weights[slot * queries + query] = at <= last ? weight : 0;
  }
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

/** A source text, and its answer with what the decoder reads of it. */
function writePair(
  { queries, padToken, inputLength = 0 }: TextLayout,
  { tokens, answerLength = 1, variableAt }: Text,
  targets: 'answer' | 'all',
  normalisation: LossConfig['normalisation'],
  slot: number,
  buffers: FieldBuffers,
): void {
  const source = tokens.length - answerLength;
  const input = int32Field(buffers, 'tokens');
  for (let i = 0; i < inputLength; i++) input[slot * inputLength + i] = i < source ? tokens[i]! : padToken;
  int32Field(buffers, 'variablePosition')[slot] = variableAt;
  const decoder = int32Field(buffers, 'decoderTokens');
  const labels = int32Field(buffers, 'labels');
  const weights = float32Field(buffers, 'weights');
  const count = targets === 'all' ? queries : answerLength;
  for (let query = 0; query < queries; query++) {
    const at = slot * queries + query;
    labels[at] = tokens[source + query] ?? padToken;
    decoder[at] = query === 0 ? padToken : labels[at - 1]!;
    weights[at] = query >= count ? 0 : normalisation === 'token' ? 1 : 1 / count;
  }
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
