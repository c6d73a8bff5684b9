import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createTokenizer, type Tokenizer } from '../../../../data/text/tokenizer/tokenizer.js';
import { gpt2, hasNeox, neoxJson, tinyJson } from './support.js';

/** Ids of the published tokenizer, from data.md 6.1. */
const golden: readonly (readonly [string, readonly number[]])[] = [
  ['Hello world', [12092, 1533]],
  [
    'Q: When was Cleopatra born? A: 1st century BC',
    [50, 27, 2091, 369, 8148, 412, 29628, 5686, 32, 329, 27, 337, 296, 5331, 12895],
  ],
  ['zxcvb qwerty', [91, 10587, 30890, 2805, 8358, 555]],
  [
    '<|ttdgdx|> <|lczgk|> Darla Hood\n',
    [29, 93, 1440, 27421, 9665, 49651, 654, 93, 77, 14617, 72, 76, 49651, 11128, 4123, 33831, 187],
  ],
  [
    'Q: What did <|lczgk|> do?\nA: militar\n',
    [50, 27, 1737, 858, 654, 93, 77, 14617, 72, 76, 49651, 513, 32, 187, 34, 27, 44386, 187],
  ],
  [
    'Q: When did <|rlcqh|> die?\nA: 1980s\n',
    [50, 27, 2091, 858, 654, 93, 8435, 68, 82, 73, 49651, 3150, 32, 187, 34, 27, 9178, 84, 187],
  ],
  ['Beyoncé was born in 1981.', [31628, 251, 32612, 369, 5686, 275, 13402, 15]],
  ['e\u0301', [860]],
  ['a    b', [66, 50274, 67]],
  ['<|endoftext|>', [0]],
  ['assistant RWKV', [515, 5567, 416, 27767, 55]],
  ['日本 😀', [49868, 49042, 211]],
];

/** Texts of any characters, and of those that tokenizers treat differently. */
const anyText = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.string({ unit: 'grapheme' }),
  fc.string({ unit: fc.constantFrom(' ', '\n', 'a', 'é', "'", '1', '<|endoftext|>', '. ') }),
);
const decoded = (tokenizer: Tokenizer, text: string): string => tokenizer.decode(tokenizer.encode(text));

describe.runIf(hasNeox)('GPT-NeoX', () => {
  const neox = createTokenizer(hasNeox ? neoxJson() : tinyJson());

  it.each(golden)('encodes %j', (text, ids) => {
    expect(neox.encode(text)).toEqual(ids);
    expect(neox.decode(ids)).toBe(text.normalize('NFC'));
  });

  it('has its own tokens alone', () => {
    expect(neox).toMatchObject({ size: 50_277, eosId: 0, padId: 1, unkId: null, bosId: null });
    expect(neox.dropped).toEqual(['<|im_start|>', '<|im_end|>', 'assistant', 'RWKV']);
    expect(neox.tokenId('Ġborn')).toBe(5686);
    expect(neox.token(5686)).toBe('Ġborn');
    expect(neox.tokenId('RWKV')).toBeNull();
    expect(neox.token(50_277)).toBeNull();
  });

  it('keeps the foreign tokens for a model that is said to have them', () => {
    const all = createTokenizer(neoxJson(), { vocabularySize: 50_281 });
    expect(all.encode('assistant RWKV')).toEqual([50279, 209, 50280]);
    expect(all.dropped).toEqual([]);
    expect(all.hash).not.toBe(neox.hash);
  });

  it('is the same in the layout of newer exports, with what they add', () => {
    const json = neoxJson();
    const newer = createTokenizer({
      ...json,
      truncation: null,
      padding: null,
      added_tokens: [
        ...json.added_tokens.slice(0, 25),
        { id: 50277, content: '[PAD]', single_word: false, lstrip: false, rstrip: false, special: true },
      ],
      model: {
        ...json.model,
        continuing_subword_prefix: '',
        end_of_word_suffix: '',
        byte_fallback: false,
        ignore_merges: false,
        merges: json.model.merges.map((merge) => merge.split(' ')),
      },
    });
    expect(newer.dropped).toEqual(['[PAD]']);
    expect(newer.hash).toBe(neox.hash);
    for (const [text, ids] of golden) expect(newer.encode(text)).toEqual(ids);
  });

  it('puts no token before or after a text unasked', () => {
    const eos = { SpecialToken: { id: '<|endoftext|>', type_id: 0 } };
    const template = {
      type: 'TemplateProcessing',
      single: [{ Sequence: { id: 'A', type_id: 0 } }, eos],
      pair: [],
      special_tokens: { '<|endoftext|>': { id: '<|endoftext|>', ids: [0], tokens: ['<|endoftext|>'] } },
    };
    const ending = createTokenizer({ ...neoxJson(), post_processor: template });
    expect(ending.encode('Hello world')).toEqual([12092, 1533]);
    expect(ending.encodeWithTemplate('Hello world')).toEqual([12092, 1533, 0]);
    expect(ending.decode([12092, 1533, 0])).toBe('Hello world<|endoftext|>');
    expect(ending.decode([12092, 1533, 0], { skipSpecial: true })).toBe('Hello world');
  });

  it('decodes what it encoded', () => {
    const normal = anyText.map((text) => text.normalize('NFC'));
    fc.assert(
      fc.property(normal, (text) => {
        expect(decoded(neox, text)).toBe(text);
      }),
      { numRuns: 500 },
    );
  });

  it('decodes ids of padded rows of an embedding to nothing', () => {
    expect(neox.decode([12092, 50_300, 1533])).toBe('Hello world');
    expect(neox.decode([])).toBe('');
  });
});

describe('GPT-2, from a vocabulary and merges', () => {
  const tokenizer = gpt2();

  it.each([
    ['Hello world', [15496, 995]],
    [
      'Q: When was Cleopatra born? A: 1st century BC',
      [48, 25, 1649, 373, 3779, 404, 26066, 4642, 30, 317, 25, 352, 301, 4289, 11843],
    ],
    ['zxcvb qwerty', [89, 25306, 85, 65, 10662, 15448, 774]],
  ])('encodes %j', (text, ids) => {
    expect(tokenizer.encode(text)).toEqual(ids);
    expect(tokenizer.decode(ids)).toBe(text);
  });

  it('ends a text with its one special token', () => {
    expect(tokenizer).toMatchObject({ size: 50_257, eosId: 50_256, padId: null });
    expect(tokenizer.encode('a<|endoftext|>')).toEqual([64, 50_256]);
  });

  it('decodes what it encoded', () => {
    fc.assert(
      fc.property(anyText, (text) => {
        expect(decoded(tokenizer, text)).toBe(text);
      }),
      { numRuns: 500 },
    );
  });
});
