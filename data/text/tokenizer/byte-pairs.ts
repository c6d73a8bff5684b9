import { byteAlphabet } from './byte-alphabet.js';

/** Tokens that are marks: what ends a text, and padding; their ids are 0 and 1. */
const marks = { end: '<|endoftext|>', padding: '<|padding|>' } as const;

/** Fewest tokens of a byte-level vocabulary: the marks and every byte. */
export const leastByteTokens = Object.keys(marks).length + byteAlphabet.size;

export interface BytePairOptions {
  /** What the merges are learnt from. */
  readonly texts: Iterable<string>;
  /** Tokens, marks and bytes included; fewer where the texts have no more pairs to merge. */
  readonly size: number;
}

/**
 * A byte-level BPE tokenizer (Sennrich et al. 2016, on bytes as in GPT-2), learnt from texts: `tokenizer.json` as an object.
 * Ids: `<|endoftext|>` 0, `<|padding|>` 1, the 256 bytes in the order of their characters, then a token for every merge. Of
 * the pairs of neighbours in all words the most frequent one is merged, of equally frequent ones that of the lowest ids, as in
 * the `tokenizers` library of Python. Throws a RangeError for a size below {@link leastByteTokens}.
 */
export function bytePairTokenizer({ texts, size }: BytePairOptions): Readonly<Record<string, unknown>> {
  if (size < leastByteTokens)
    throw new RangeError(`a byte-level vocabulary has ${leastByteTokens} tokens or more`);
  const tokens = [...Object.values(marks), ...[...byteAlphabet.keys()].sort(byCharacter)];
  const merges: (readonly [string, string])[] = [];
  const words = new Words(texts, new Map(tokens.map((token, id) => [token, id])));
  while (tokens.length < size) {
    const pair = words.mostFrequentPair();
    if (pair === null) break;
    merges.push([tokens[pair[0]]!, tokens[pair[1]]!]);
    words.merge(pair, tokens.length);
    tokens.push(tokens[pair[0]]! + tokens[pair[1]]!);
  }
  const byteLevel = { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: true };
  return {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: Object.values(marks).map((content, id) => ({
      id,
      content,
      single_word: false,
      lstrip: false,
      rstrip: false,
      normalized: false,
      special: true,
    })),
    normalizer: null,
    pre_tokenizer: byteLevel,
    post_processor: null,
    decoder: byteLevel,
    model: {
      type: 'BPE',
      dropout: null,
      unk_token: null,
      continuing_subword_prefix: null,
      end_of_word_suffix: null,
      fuse_unk: false,
      byte_fallback: false,
      ignore_merges: false,
      vocab: Object.fromEntries(tokens.map((token, id) => [token, id])),
      merges,
    },
  };
}

type Pair = readonly [number, number];

/** How GPT-2 divides a text: words with the blank before them, numbers, signs, blanks. Merges do not cross. */
const pieces = /'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+/gu;

/** Ids are below this number. */
const mostIds = 1 << 21;

/** The different words of texts as ids that are merged step by step, with the number of times of every pair of neighbours. */
class Words {
  private readonly words: { ids: number[]; readonly times: number }[] = [];
  private readonly counts = new Map<number, number>();
  /** Words that have, or had, a pair. */
  private readonly places = new Map<number, Set<number>>();

  constructor(texts: Iterable<string>, ids: ReadonlyMap<string, number>) {
    const characters = new Map(Array.from(byteAlphabet, ([character, byte]) => [byte, ids.get(character)!]));
    const times = new Map<string, number>();
    for (const text of texts)
      for (const [word] of text.matchAll(pieces)) times.set(word, (times.get(word) ?? 0) + 1);
    for (const [word, count] of times) {
      this.words.push({
        ids: Array.from(new TextEncoder().encode(word), (byte) => characters.get(byte)!),
        times: count,
      });
      this.count(this.words.length - 1, 1);
    }
  }

  mostFrequentPair(): Pair | null {
    let [best, most] = [-1, 0];
    for (const [key, count] of this.counts) {
      if (count > most || (count === most && count > 0 && key < best)) [best, most] = [key, count];
    }
    return best < 0 ? null : [Math.floor(best / mostIds), best % mostIds];
  }

  /** Makes every pair of neighbours a token. */
  merge([first, second]: Pair, token: number): void {
    for (const place of this.places.get(keyOf(first, second)) ?? []) {
      const word = this.words[place]!;
      this.count(place, -1);
      const { ids } = word;
      const merged: number[] = [];
      for (let i = 0; i < ids.length; i++) {
        const isPair = ids[i] === first && ids[i + 1] === second;
        merged.push(isPair ? token : ids[i]!);
        if (isPair) i++;
      }
      word.ids = merged;
      this.count(place, 1);
    }
  }

  private count(place: number, sign: 1 | -1): void {
    const { ids, times } = this.words[place]!;
    for (let i = 0; i + 1 < ids.length; i++) {
      const key = keyOf(ids[i]!, ids[i + 1]!);
      const left = (this.counts.get(key) ?? 0) + sign * times;
      if (left === 0) this.counts.delete(key);
      else this.counts.set(key, left);
      const places = this.places.get(key) ?? new Set();
      this.places.set(key, places.add(place));
    }
  }
}

const keyOf = (first: number, second: number): number => first * mostIds + second;

const byCharacter = (a: string, b: string): number => a.charCodeAt(0) - b.charCodeAt(0);
