import { UserError } from '../../errors.js';
import { shown } from './json.js';
import { metaspace } from './surfaces.js';
import { createTokenizer } from './tokenizer.js';
import type { AddedToken } from './tokenizer-json.js';

/** Special tokens of a word-level tokenizer; their ids are 0, 1 and 2. */
const wordSpecials = { pad: '<pad>', eos: '<eos>', unk: '<unk>' } as const;

/** Characters that are tokens wherever they stand; they are written without a blank before them. */
const separators = ['\n', '?'] as const;

export interface WordTokenizerOptions {
  /** Texts whose words become the vocabulary. */
  readonly texts: Iterable<string>;
  /**
   * Texts that are one token each, as they stand between blanks: names of several words, variables, tags. Their order is
   * that of their ids, after those of the words.
   */
  readonly wholes: readonly string[];
}

/** The two files of a word-level tokenizer, as objects. */
export interface WordTokenizerFiles {
  /** `tokenizer.json` */
  readonly tokenizer: Readonly<Record<string, unknown>>;
  /** `tokenizer_config.json` */
  readonly tokenizerConfig: Readonly<Record<string, unknown>>;
  /** Number of tokens. */
  readonly size: number;
  /** Id of the first of `wholes`: the words have the ids below it. */
  readonly firstWhole: number;
}

/**
 * A tokenizer whose tokens are words, for models that are trained from scratch. A text is split at blanks; line feeds and
 * question marks are tokens of their own, and so are `Q:` and `A:`, which stand between blanks. Ids: `<pad>`, `<eos>`,
 * `<unk>`, line feed, question mark, the words of the texts in the order of their code units, then `wholes`. Words that are
 * not in the texts become `<unk>`.
 *
 * The files are read to the same ids by the `tokenizers` library of Python and by `createTokenizer`. Texts with single
 * blanks between words, none before a question mark and none around a line feed, decode to themselves.
 *
 * Throws a UserError for a whole that is empty, is there twice, holds a line feed, or does not have single blanks.
 */
export function wordTokenizer({ texts, wholes }: WordTokenizerOptions): WordTokenizerFiles {
  checkWholes(wholes);
  const fixed = [...Object.values(wordSpecials), ...separators];
  const unlearnt = createTokenizer(tokenizerJson(fixed, wholes), { source: 'word-level tokenizer' });
  const unknown = new Set<string>();
  for (const text of texts) {
    const { ids, tokens } = unlearnt.alignment.pieces(text);
    tokens.forEach((token, i) => {
      if (ids[i] === unlearnt.unkId && token !== wordSpecials.unk) unknown.add(token);
    });
  }
  const words = [...fixed, ...Array.from(unknown).sort()];
  return {
    tokenizer: tokenizerJson(words, wholes),
    tokenizerConfig: {
      tokenizer_class: 'PreTrainedTokenizerFast',
      pad_token: wordSpecials.pad,
      eos_token: wordSpecials.eos,
      unk_token: wordSpecials.unk,
      clean_up_tokenization_spaces: false,
    },
    size: words.length + wholes.length,
    firstWhole: words.length,
  };
}

function checkWholes(wholes: readonly string[]): void {
  const known = new Set<string>([...Object.values(wordSpecials), ...separators]);
  for (const whole of wholes) {
    if (!/^[^\s\u2581]+(?: [^\s\u2581]+)*$/u.test(whole)) {
      throw new UserError(
        `${shown(whole)}: cannot be one token; it must be words with single blanks between them`,
      );
    }
    // "Who?" and "Who ?" would be looked for as the same text.
    const key = separators
      .reduce((text, own) => text.replaceAll(own, ` ${own} `), whole)
      .replaceAll(/ +/g, ' ')
      .trim();
    if (known.has(whole) || known.has(key))
      throw new UserError(`${shown(whole)}: is there twice among the tokens`);
    known.add(key);
  }
}

/**
 * The normalizer encloses each word in marks: `▁Ada▁▁Lovelace▁▁was▁`. Added tokens are normalized and looked for in the
 * normalized text, so that a name is found only where its marks are: `▁Eve▁` is not in `▁Evening▁`. (`single_word` would say
 * the same, but is not known everywhere, and takes hyphens for the end of a word.) The pre-tokenizer removes the marks.
 */
function tokenizerJson(
  words: readonly string[],
  wholes: readonly string[],
): Readonly<Record<string, unknown>> {
  const replace = (pattern: Readonly<Record<string, string>>, content: string): object => ({
    type: 'Replace',
    pattern,
    content,
  });
  const apart = separators.map((own) => replace({ String: own }, ` ${own} `));
  const vocabulary = [...words, ...wholes];
  const specials: ReadonlySet<string> = new Set(Object.values(wordSpecials));
  const added = vocabulary.flatMap((content, id): AddedToken[] => {
    const special = specials.has(content);
    if (!special && !needsLookup(content)) return [];
    return [{ id, content, single_word: false, lstrip: false, rstrip: false, normalized: !special, special }];
  });
  return {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: added,
    normalizer: {
      type: 'Sequence',
      normalizers: [
        ...apart,
        replace({ Regex: String.raw`\A +| +\z` }, ''),
        replace({ Regex: ' +' }, metaspace + metaspace),
        { type: 'Prepend', prepend: metaspace },
        // Without the lookbehind JavaScript finds an end inside surrogate pairs, too.
        replace({ Regex: String.raw`(?<=[\s\S])\z` }, metaspace),
      ],
    },
    pre_tokenizer: { type: 'Split', pattern: { Regex: `${metaspace}+` }, behavior: 'Removed', invert: false },
    post_processor: null,
    decoder: {
      type: 'Sequence',
      decoders: [
        // Puts blanks between tokens: no token begins with two marks.
        { type: 'WordPiece', prefix: metaspace + metaspace, cleanup: false },
        { type: 'Fuse' },
        // Newer versions of the Python library decode an added token to its normalized text.
        replace({ String: metaspace + metaspace }, ' '),
        replace({ String: metaspace }, ''),
        ...separators.map((own) => replace({ String: ` ${own}` }, own)),
        replace({ String: '\n ' }, '\n'),
      ],
    },
    model: {
      type: 'WordLevel',
      vocab: Object.fromEntries(vocabulary.map((token, id) => [token, id])),
      unk_token: wordSpecials.unk,
    },
  };
}

/** Whether a token is more than what stands between two blanks, so that splitting would take it apart. */
const needsLookup = (token: string): boolean =>
  token.length > 1 && [' ', ...separators].some((end) => token.includes(end));
