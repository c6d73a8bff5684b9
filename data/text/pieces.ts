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
  { blockSize, outputSize, inputLength }: TextLayout,
  { tokens, parts, answerLength = 1 }: Text,
  target: TextLayout['loss']['target'],
  decode: (tokens: Iterable<number>) => string,
): ExamplePiece[] {
  if (inputLength !== undefined) {
    const source = tokens.length - answerLength;
    return tokens.map((token, place) => ({
      kind: parts?.[place] ?? 'other',
      text: decode([token]),
      token,
      position: place < source ? place : decoderPosition(place - source, inputLength, blockSize),
      isAsked: place >= source,
    }));
  }
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

/** A decoder reads a token of its answer one place later, behind the one that it begins with, and never the last. */
function decoderPosition(place: number, inputLength: number, rows: number): number | null {
  return place + 1 < rows ? inputLength + place + 1 : null;
}
