import { UserError } from '../errors.js';
import type { FieldSpecs } from '../experiment.js';
import type { LossConfig } from '../loss.js';

/** How texts become rows of equal length with queries. */
export interface TextLayout {
  /** Tokens of a row, padding included. */
  readonly blockSize: number;
  /** Queries of a training row. */
  readonly queries: number;
  /** Queries of a question, and of a training row with target `answer`: tokens of the longest answer. */
  readonly answerQueries: number;
  readonly padToken: number;
  /** Tokens that can be answered: ids below this number. Other tokens are no targets. */
  readonly outputSize: number;
  readonly loss: LossConfig;
  /**
   * Tokens of a source text, padding included, where a decoder writes the answer to it: rows of `blockSize` tokens are then
   * answers, with a query each. Absent where a model continues one text.
   */
  readonly inputLength?: number;
}

export interface TextLayoutOptions {
  /** Tokens of the longest text, its answer included. */
  readonly longestText: number;
  /** Tokens of the longest answer; 1 when left out. */
  readonly longestAnswer?: number | undefined;
  /** Tokens of a row; when undefined, the fewest that lose nothing. */
  readonly blockSize: number | undefined;
  readonly padToken: number;
  readonly outputSize: number;
  readonly loss: LossConfig;
}

/**
 * The layout for a loss. With target `answer` a row holds the text but its last token (which is no input) and has one
 * query for every token of the longest answer. With target `text` it holds all of the text and, where the block has room,
 * padding; the query at position p asks for token p + 1, so there are blockSize - 1.
 * Throws a UserError when `blockSize` is too small for the longest text.
 */
export function textLayout(options: TextLayoutOptions): TextLayout {
  const { longestText, longestAnswer = 1, padToken, outputSize, loss } = options;
  const wholeText = loss.target === 'text';
  const least = wholeText ? longestText : longestText - 1;
  // One more than the text, so that even the longest one has a padding token to end with.
  const blockSize = options.blockSize ?? (wholeText ? longestText + 1 : least);
  if (blockSize < least) {
    throw new UserError(
      `data.blockSize: ${blockSize} is too small, the longest row has ${least} tokens; raise it`,
    );
  }
  return {
    blockSize,
    queries: wholeText ? blockSize - 1 : longestAnswer,
    answerQueries: longestAnswer,
    padToken,
    outputSize,
    loss,
  };
}

/**
 * The layout of pairs of texts for a model with an encoder and a decoder: a source of `blockSize` tokens, and an answer of as
 * many as the longest one has. With target `text` and `includePadding` the padding behind answers is a target, too.
 * Throws a UserError when `blockSize` is too small for the longest source.
 */
export function pairLayout({
  longestSource,
  longestAnswer,
  blockSize = longestSource,
  padToken,
  outputSize,
  loss,
}: Omit<TextLayoutOptions, 'longestText' | 'longestAnswer'> & {
  readonly longestSource: number;
  readonly longestAnswer: number;
}): TextLayout {
  if (blockSize < longestSource) {
    throw new UserError(
      `data.blockSize: ${blockSize} is too small, the longest source text has ${longestSource} tokens; raise it`,
    );
  }
  return {
    inputLength: blockSize,
    blockSize: longestAnswer,
    queries: longestAnswer,
    answerQueries: longestAnswer,
    padToken,
    outputSize,
    loss,
  };
}

/**
 * Fields of a training row: `tokens` right padded; for each query its `positions` (of the token whose logits answer),
 * `labels` and `weights`; and `variablePosition`, where the variable is among the tokens, or -1 if it is not. Of a pair of
 * texts `tokens` are the source, and instead of positions there are `decoderTokens`: the padding token, then the labels but
 * the last.
 */
export function trainingFields(layout: TextLayout): FieldSpecs {
  if (layout.inputLength !== undefined) return pairFields(layout.inputLength, layout.queries);
  return textFields(layout.blockSize, layout.queries);
}

/**
 * Fields of a test row: those of a training row with one query for every token of the answer; where answers are one token,
 * also `contrast`, a wrong answer. A wrong answer of several tokens is a row of its own, see `TestSet.contrasts`.
 */
export function questionFields(layout: TextLayout): FieldSpecs {
  if (layout.inputLength !== undefined) return pairFields(layout.inputLength, layout.queries);
  const fields = textFields(layout.blockSize, layout.answerQueries);
  return layout.answerQueries === 1 ? { ...fields, contrast: { dtype: 'int32', shape: [1] } } : fields;
}

function pairFields(inputLength: number, queries: number): FieldSpecs {
  return {
    tokens: { dtype: 'int32', shape: [inputLength] },
    decoderTokens: { dtype: 'int32', shape: [queries] },
    labels: { dtype: 'int32', shape: [queries] },
    weights: { dtype: 'float32', shape: [queries] },
    variablePosition: { dtype: 'int32', shape: [] },
  };
}

function textFields(blockSize: number, queries: number): FieldSpecs {
  return {
    tokens: { dtype: 'int32', shape: [blockSize] },
    positions: { dtype: 'int32', shape: [queries] },
    labels: { dtype: 'int32', shape: [queries] },
    weights: { dtype: 'float32', shape: [queries] },
    variablePosition: { dtype: 'int32', shape: [] },
  };
}
