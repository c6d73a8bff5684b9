import { readFileSync } from 'node:fs';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodeParts, type TextPart } from '../../../../data/text/tokenizer/parts.js';
import { createTokenizer, type Tokenizer } from '../../../../data/text/tokenizer/tokenizer.js';
import { wordTokenizer } from '../../../../data/text/tokenizer/word-level.js';
import { gpt2, hasNeox, neoxJson, tinyJson, type Loose } from './support.js';

const byteLevel: readonly (readonly [string, Tokenizer])[] = [
  ['GPT-2', gpt2()],
  ...(hasNeox ? [['GPT-NeoX', createTokenizer(neoxJson())] as const] : []),
];
const neoxOrGpt2 = byteLevel.at(-1)![1];

const question: readonly TextPart[] = [
  { text: 'Q: When was ', part: 'other' },
  { text: '<|lczgk|>', part: 'variable' },
  { text: ' born?\nA:', part: 'other' },
  { text: ' 1980s\n', part: 'answer' },
];

const textOf = (parts: readonly TextPart[]): string => parts.map(({ text }) => text).join('');

/** Text of the tokens of each part. */
function split(tokenizer: Tokenizer, parts: readonly TextPart[]): string[] {
  const { ids, indices } = encodeParts(tokenizer, parts);
  return parts.map((_, part) => tokenizer.decode(ids.filter((_id, i) => indices[i] === part)));
}

/** A text of the arbitrary, cut into parts of whole characters. */
const cut = (text: fc.Arbitrary<string>): fc.Arbitrary<TextPart[]> =>
  text.chain((own) => {
    const characters = Array.from(own);
    return fc
      .array(fc.nat(characters.length), { minLength: 1, maxLength: 5 })
      .map((places) => [0, ...places.sort((a, b) => a - b), characters.length])
      .map((ends) =>
        ends
          .slice(1)
          .map((end, i) => ({ text: characters.slice(ends[i], end).join(''), part: 'other' as const })),
      );
  });

const plain = fc.string({
  unit: fc.constantFrom(
    ' ',
    '  ',
    '\n',
    'a',
    'born',
    ' was',
    'é',
    '日',
    '😀',
    "'s",
    '19',
    '<|endoftext|>',
    '▁',
  ),
  maxLength: 30,
});
const any = fc.oneof(fc.string({ unit: 'binary' }), fc.string({ unit: 'grapheme' }));

describe.each(byteLevel)('parts of a text in tokens of %s', (_name, tokenizer) => {
  it('gives a token with a leading blank to the part after the blank', () => {
    expect(split(tokenizer, question)).toEqual(['Q: When was', ' <|lczgk|>', ' born?\nA:', ' 1980s\n']);
    const { parts, indices, ids } = encodeParts(tokenizer, question);
    expect(parts).toEqual(indices.map((index) => question[index]!.part));
    expect(ids).toEqual(tokenizer.encode(textOf(question)));
  });

  it('finds the part of the first character of each token that is no blank', () => {
    const vocabularyBytes = (id: number): number => {
      const token = tokenizer.token(id)!;
      const isAdded = /^ +$|^<\|.*\|>$/.test(token);
      return isAdded ? Buffer.byteLength(token) : Array.from(token).length;
    };
    fc.assert(
      fc.property(cut(fc.oneof(plain, any).map((text) => text.normalize('NFC'))), (parts) => {
        const { ids, indices } = encodeParts(tokenizer, parts);
        const bytes = Buffer.from(textOf(parts));
        const labels = parts.flatMap(({ text }, part) => Array<number>(Buffer.byteLength(text)).fill(part));
        expect(ids).toEqual(tokenizer.encode(textOf(parts)));
        let at = 0;
        const expected = ids.map((id) => {
          const end = at + vocabularyBytes(id);
          const own = Array.from(bytes.subarray(at, end), (byte, i) => ({ byte, label: labels[at + i]! }));
          at = end;
          return (own.find(({ byte }) => byte !== 0x20) ?? own[0]!).label;
        });
        expect(at).toBe(bytes.length);
        expect(indices).toEqual(expected);
      }),
      { numRuns: 500 },
    );
  });

  it('keeps the order of parts for text that the normalizer changes', () => {
    const combining = fc.string({
      unit: fc.constantFrom('e', '\u0301', '\u0327', ' ', 'ᄀ', 'ᅡ', 'ᆨ', '\u212b'),
    });
    fc.assert(
      fc.property(cut(fc.oneof(combining, any)), (parts) => {
        const { ids, indices } = encodeParts(tokenizer, parts);
        expect(ids).toEqual(tokenizer.encode(textOf(parts)));
        expect(indices).toEqual(indices.toSorted((a, b) => a - b));
      }),
    );
  });
});

it.runIf(hasNeox)('gives a composed character to the part that it begins in', () => {
  const parts: TextPart[] = [
    { text: 'caf', part: 'other' },
    { text: 'e', part: 'entity' },
    { text: '\u0301 x', part: 'other' },
  ];
  const { ids, indices } = encodeParts(neoxOrGpt2, parts.slice(1));
  expect(ids).toEqual(neoxOrGpt2.encode('é x'));
  expect(indices).toEqual([0, 1]);
  expect(() => encodeParts(neoxOrGpt2, parts)).not.toThrow();
});

describe('parts of a text in other tokens', () => {
  const [{ tokenizer: json }] = JSON.parse(
    readFileSync(new URL('../../../fixtures/tokenizers/unigram.json', import.meta.url), 'utf8'),
  ) as readonly [{ tokenizer: Loose }];

  it('of Unigram, unknown text included', () => {
    const parts: TextPart[] = [
      { text: 'when was', part: 'other' },
      { text: ' 日本', part: 'entity' },
      { text: ' born', part: 'answer' },
      { text: '</s>', part: 'other' },
    ];
    const { ids, indices } = encodeParts(createTokenizer(json), parts);
    const tokenizer = createTokenizer(json);
    expect(ids.map((id, i) => [tokenizer.token(id), indices[i]])).toEqual([
      ['▁when', 0],
      ['▁was', 0],
      ['▁', 1],
      ['<unk>', 1],
      ['▁born', 2],
      ['</s>', 3],
    ]);
  });

  it('of words, unknown ones included', () => {
    const { tokenizer: own } = wordTokenizer({
      texts: ['Q: When was born?\nA: 1980s\n'],
      wholes: ['Ada Lovelace'],
    });
    const tokenizer = createTokenizer(own);
    const parts: TextPart[] = [
      { text: 'Q: When was ', part: 'other' },
      { text: 'Ada Lovelace', part: 'entity' },
      { text: ' really born?\nA:', part: 'other' },
      { text: ' 1980s\n', part: 'answer' },
    ];
    const { ids, indices } = encodeParts(tokenizer, parts);
    expect(ids.map((id, i) => [tokenizer.token(id), indices[i]])).toEqual([
      ['Q:', 0],
      ['When', 0],
      ['was', 0],
      ['Ada Lovelace', 1],
      ['<unk>', 2],
      ['born', 2],
      ['?', 2],
      ['\n', 2],
      ['A:', 2],
      ['1980s', 3],
      ['\n', 3],
    ]);
  });
});

describe('bad parts', () => {
  it('a name that is encoded to nothing', () => {
    const json = tinyJson();
    const silent = createTokenizer({ ...json, model: { ...json.model, unk_token: null } });
    expect(() =>
      encodeParts(silent, [
        { text: 'ab', part: 'other' },
        { text: ' ', part: 'entity' },
      ]),
    ).toThrow('" " (entity) in "ab ": no token is its own; give it another name');
    expect(() =>
      encodeParts(silent, [
        { text: 'ab', part: 'other' },
        { text: 'xy', part: 'entity' },
      ]),
    ).toThrow(
      '"abxy": its tokens do not spell it, so that they have no parts; it holds what the tokenizer does not know',
    );
    expect(() => encodeParts(silent, [{ text: '', part: 'tag' }])).toThrow(
      '"" (tag) in "": no token is its own',
    );
  });

  it('a name inside a token', () => {
    const inside: TextPart[] = [
      { text: 'wor', part: 'other' },
      { text: 'ld', part: 'variable' },
    ];
    expect(() => encodeParts(gpt2(), inside)).toThrow(
      '"ld" (variable) in "world": no token is its own; give it another name',
    );
  });
});
