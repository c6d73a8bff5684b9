import type { ExamplePiece } from '../pieces.js';
import type { TextLayout } from './layout.js';
import type { Text } from './rows.js';

/**
 * The tokens of a text, one by one.
 *
 * @param target what the row asks: the answer, or every token but the first; a test asks the answer whatever the loss
 * @param decode words of token ids
 */
export function textPieces(
  { blockSize, outputSize }: TextLayout,
  { tokens, parts, answerLength = 1 }: Text,
  target: TextLayout['loss']['target'],
  decode: (tokens: Iterable<number>) => string,
): ExamplePiece[] {
  const isWhole = target === 'text';
  const read = Math.min(blockSize, isWhole ? tokens.length : tokens.length - 1);
  const firstAsked = isWhole ? 1 : tokens.length - answerLength;
  return tokens.map((token, place) => ({
    kind: parts?.[place] ?? 'other',
    text: decode([token]),
    token,
    position: place < read ? place : null,
    isAsked: place >= firstAsked && token < outputSize,
  }));
}
