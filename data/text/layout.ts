import { UserError } from '../errors.js';
import type { FieldSpecs } from '../experiment.js';
import type { LossConfig } from '../loss.js';

/** How texts become rows of equal length with queries. */
export interface TextLayout {
  /** Tokens of a row, padding included. */
  readonly blockSize: number;
  /** Queries of a training row. */
  readonly queries: number;
  readonly padToken: number;
  /** Tokens that can be answered: ids below this number. Other tokens are no targets. */
  readonly outputSize: number;
  readonly loss: LossConfig;
}

export interface TextLayoutOptions {
  /** Tokens of the longest text, its answer included. */
  readonly longestText: number;
  /** Tokens of a row; when undefined, the fewest that lose nothing. */
  readonly blockSize: number | undefined;
  readonly padToken: number;
  readonly outputSize: number;
  readonly loss: LossConfig;
}

/**
 * The layout for a loss. With target `answer` a row holds the text up to its answer (which is no input) and has one
 * query. With target `text` it holds all of the text and, where the block has room, padding; the query at position p
 * asks for token p + 1, so there are blockSize - 1.
 * Throws a UserError when `blockSize` is too small for the longest text.
 */
export function textLayout(options: TextLayoutOptions): TextLayout {
  const { longestText, padToken, outputSize, loss } = options;
  const wholeText = loss.target === 'text';
  const least = wholeText ? longestText : longestText - 1;
  // One more than the text, so that even the longest one has a padding token to end with.
  const blockSize = options.blockSize ?? (wholeText ? longestText + 1 : least);
  if (blockSize < least) {
    throw new UserError(
      `data.blockSize: ${blockSize} is too small, the longest row has ${least} tokens; raise it`,
    );
  }
  return { blockSize, queries: wholeText ? blockSize - 1 : 1, padToken, outputSize, loss };
}

/**
 * Fields of a training row: `tokens` right padded; for each query its `positions` (of the token whose logits answer),
 * `labels` and `weights`; and `variablePosition`, where the variable is among the tokens, or -1 if it is not.
 */
export function trainingFields(layout: TextLayout): FieldSpecs {
  return textFields(layout.blockSize, layout.queries);
}

/** Fields of a test row: those of a training row with one query, the answer, and `contrast`, a wrong answer. */
export function questionFields(layout: TextLayout): FieldSpecs {
  return { ...textFields(layout.blockSize, 1), contrast: { dtype: 'int32', shape: [1] } };
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
