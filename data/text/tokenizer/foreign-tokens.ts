import type { AddedToken } from './tokenizer-json.js';

/** What is known of the number of tokens of a model; null for unknown. */
export interface VocabularySizes {
  /** Tokens that the model has, as the caller says. */
  readonly vocabularySize: number | null;
  /** Rows of its embedding, padded ones included. */
  readonly embeddingRows: number | null;
}

/** A published tokenizer whose file is passed on with tokens that its models have never seen. */
interface KnownFamily {
  /** Tokens of the model's own vocabulary. */
  readonly vocabulary: number;
  /** The last of its added tokens. */
  readonly lastAdded: { readonly id: number; readonly content: string };
}

/** GPT-NeoX-20B and Pythia: 50,254 tokens, then 23 runs of blanks, of which the last is two blanks. */
const families: readonly KnownFamily[] = [{ vocabulary: 50_254, lastAdded: { id: 50_276, content: '  ' } }];

/**
 * The first id that the model does not have; Infinity when nothing is known. Added tokens from there on are left out: they
 * would take plain words apart, and their rows of the embedding, if there are any, are untrained. It is the size that the
 * caller gives, or else the smaller of the rows of the embedding and the number of tokens of the family that the tokenizer
 * belongs to. Rows alone do not tell, since an embedding is padded (Pythia: 50,277 tokens, 50,304 rows).
 */
export function foreignFrom(
  vocabulary: ReadonlyMap<string, number>,
  added: readonly AddedToken[],
  { vocabularySize, embeddingRows }: VocabularySizes,
): number {
  if (vocabularySize !== null) return vocabularySize;
  const family = families.find(
    ({ vocabulary: size, lastAdded }) =>
      vocabulary.size === size &&
      added.some(({ id, content }) => id === lastAdded.id && content === lastAdded.content),
  );
  return Math.min(embeddingRows ?? Infinity, family === undefined ? Infinity : family.lastAdded.id + 1);
}
