import { createHash } from 'node:crypto';
import { UserError } from '../../errors.js';
import { libraryTokenizer, type LibraryTokenizer } from './huggingface-tokenizers.js';
import { canonicalJson, shown } from './json.js';
import { specialIds, type SpecialIds, type SpecialTokenFiles } from './special-tokens.js';
import { createSurfaces, type Surface } from './surfaces.js';
import { byteToken, readTokenizerJson, type CheckedTokenizer } from './tokenizer-json.js';

/** What a text is made into. */
export interface Pieces {
  readonly ids: number[];
  /** For each id the text of its token as the model writes it, or the unknown text that it stands for. */
  readonly tokens: readonly string[];
}

/** Text to token ids and back; immutable. */
export interface Tokenizer extends SpecialIds {
  /** Ids are at least 0 and below this number; a model's embedding may have more rows. */
  readonly size: number;
  /** sha256, in hexadecimal, of all that ids depend on; the same for each layout of the same tokenizer. */
  readonly hash: string;
  /** Added tokens of the file that were left out because the model does not have them. */
  readonly dropped: readonly string[];
  /**
   * Ids of a text. No token is put before or after it; a special token that the text spells out becomes that token.
   * Throws a UserError for text that the tokenizer has no token for, where it has none for unknown text either.
   */
  encode(text: string): number[];
  /** Ids of a text with what the file's template puts around it, as `<s>`; the same as `encode` when it has no template. */
  encodeWithTemplate(text: string): number[];
  /** Text of ids; ids that are no token (padded rows of an embedding) give none. */
  decode(ids: readonly number[], options?: DecodeOptions): string;
  /** Id of a token as it is written in the vocabulary (`Ġborn`), null for none. */
  tokenId(token: string): number | null;
  /** The token of an id as it is written in the vocabulary, null for none. */
  token(id: number): string | null;
  /** What `encodeParts` needs to find the tokens of a text in it. */
  readonly alignment: TokenAlignment;
}

export interface DecodeOptions {
  /** Leave out special tokens, such as the end of the text and padding. */
  readonly skipSpecial?: boolean;
}

export interface TokenAlignment {
  pieces(text: string): Pieces;
  /** Text as the model sees it. */
  normalize(text: string): string;
  /** What a token of a text is made of. */
  surface(token: string, id: number): Surface;
  /** Blanks and their substitutes. */
  readonly blanks: ReadonlySet<string>;
}

export interface TokenizerOptions {
  /** What messages call the tokenizer: its path. */
  readonly source?: string;
  /** Tokens that the model has; added tokens from this id on are left out. Default: see docs/tokenizers.md. */
  readonly vocabularySize?: number;
  /** Files beside `tokenizer.json`. */
  readonly files?: SpecialTokenFiles;
}

/**
 * A tokenizer of a parsed `tokenizer.json` with a model of type BPE, Unigram, WordPiece or WordLevel.
 * Throws a UserError for what is none, and for what is not supported.
 */
export function createTokenizer(json: unknown, options: TokenizerOptions = {}): Tokenizer {
  const { source = 'tokenizer.json', vocabularySize = null } = options;
  const files = options.files ?? { tokenizerConfig: null, specialTokensMap: null, config: null };
  const rows = files.config?.content['vocab_size'];
  const embeddingRows = typeof rows === 'number' ? rows : null;
  const checked = readTokenizerJson(source, json, { vocabularySize, embeddingRows });
  const library = libraryTokenizer(source, checked.json);
  const special = specialIds(checked, files);
  const tokens = new Map(Array.from(checked.ids, ([token, id]) => [id, token]));
  const encode = (text: string, template: boolean): Pieces => encodePieces(library, checked, text, template);
  return {
    ...special,
    size: 1 + Array.from(tokens.keys()).reduce((most, id) => Math.max(most, id), -1),
    hash: hashOf(source, checked, special),
    dropped: checked.dropped,
    encode: (text) => encode(text, false).ids,
    encodeWithTemplate: (text) => encode(text, true).ids,
    decode: (ids, { skipSpecial = false } = {}) => {
      const known = ids.filter((id) => tokens.has(id));
      // The library refuses to decode nothing.
      return known.length === 0
        ? ''
        : library.decode(known, { skip_special_tokens: skipSpecial, clean_up_tokenization_spaces: false });
    },
    tokenId: (token) => checked.ids.get(token) ?? null,
    token: (id) => tokens.get(id) ?? null,
    alignment: {
      ...createSurfaces(checked.json),
      pieces: (text) => encode(text, false),
      normalize: (text) => library.normalizer?.(text) ?? text,
    },
  };
}

function encodePieces(
  library: LibraryTokenizer,
  { ids: known, json: { model } }: CheckedTokenizer,
  text: string,
  template: boolean,
): Pieces {
  const encoded = library.encode(text, { add_special_tokens: template });
  const ids: number[] = [];
  const tokens: string[] = [];
  encoded.tokens.forEach((token, i) => {
    // The library knows byte fallback for BPE alone.
    const bytes = model.type === 'Unigram' && model.byte_fallback ? unknownBytes(known, token) : null;
    if (bytes !== null) {
      for (const byte of bytes) {
        ids.push(known.get(byte)!);
        tokens.push(byte);
      }
      return;
    }
    const id = encoded.ids[i];
    // The library gives null for the unknown token of a Unigram model that has none.
    if (typeof id !== 'number') {
      throw new UserError(
        `${shown(text)}: the tokenizer has no token for ${shown(token)}, and none for unknown text`,
      );
    }
    ids.push(id);
    tokens.push(token);
  });
  return { ids, tokens };
}

/** Tokens of the bytes of a text that is no token itself; null where it is one, or where a byte has no token. */
function unknownBytes(known: ReadonlyMap<string, number>, token: string): readonly string[] | null {
  if (known.has(token)) return null;
  const bytes = Array.from(new TextEncoder().encode(token), byteToken);
  return bytes.every((byte) => known.has(byte)) ? bytes : null;
}

function hashOf(source: string, { json }: CheckedTokenizer, special: SpecialIds): string {
  const { model, added_tokens: added, ...components } = json;
  const vocabulary =
    model.type === 'Unigram'
      ? model.vocab
      : Object.entries(model.vocab).sort(([, first], [, second]) => first - second);
  // Exporters write settings of the model that are off as null, as false, or not at all.
  const settings = Object.fromEntries(
    Object.entries(model).filter(
      ([key, value]) => key !== 'vocab' && value !== null && value !== false && value !== '',
    ),
  );
  const sorted = added.toSorted((first, second) => first.id - second.id);
  const hash = createHash('sha256');
  for (const part of [settings, vocabulary, sorted, components, special])
    hash.update(canonicalJson(source, part)).update('\n');
  return hash.digest('hex');
}
