import { readFileSync } from 'node:fs';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { UserError } from '../../../../data/errors.js';
import { createTokenizer } from '../../../../data/text/tokenizer/tokenizer.js';
import { wordTokenizer } from '../../../../data/text/tokenizer/word-level.js';

/** Ids by splitting in Python: scripts/tokenizer-fixtures.py. */
const fixture = JSON.parse(
  readFileSync(new URL('../../../fixtures/tokenizers/word-level.json', import.meta.url), 'utf8'),
) as {
  texts: string[];
  wholes: string[];
  vocabulary: string[];
  cases: { text: string; ids: number[] }[];
};

const files = wordTokenizer(fixture);
// As it is read from a file.
const tokenizer = createTokenizer(JSON.parse(JSON.stringify(files.tokenizer)));

describe('a tokenizer of words', () => {
  it('has the special tokens, the separators, the words, and the wholes in the order given', () => {
    const vocabulary = Array.from({ length: tokenizer.size }, (_, id) => tokenizer.token(id));
    expect(vocabulary).toEqual(fixture.vocabulary);
    expect(files).toMatchObject({
      size: fixture.vocabulary.length,
      firstWhole: fixture.vocabulary.indexOf('Ada Lovelace'),
    });
    expect(tokenizer).toMatchObject({ padId: 0, eosId: 1, unkId: 2, bosId: null });
  });

  it.each(fixture.cases)('encodes $text', ({ text, ids }) => {
    expect(tokenizer.encode(text)).toEqual(ids);
  });

  it('decodes rows as they are written', () => {
    const rows = [
      'Q: When was <|lczgk|> born?\nA: 1980s\n',
      '<|ttdgdx|> <|rlcqh|> Eve\n',
      '<|ttdgdx|> <|lczgk|> Ada Lovelace\n. Q: When was <|lczgk|> born?\nA:',
      'Guess Who?\n',
    ];
    for (const row of rows) expect(tokenizer.decode(tokenizer.encode(row))).toBe(row);
  });

  it('does not depend on the order of the texts', () => {
    const other = wordTokenizer({ ...fixture, texts: fixture.texts.toReversed() });
    expect(createTokenizer(other.tokenizer).hash).toBe(tokenizer.hash);
  });

  it('finds a whole where its words stand between blanks, and nowhere else', () => {
    const wholes = ['Al', 'Al Gore', 'Gore Vidal', 'Vidal'];
    const word = fc.constantFrom(
      'Al',
      'Gore',
      'Vidal',
      'Also',
      'Gore-',
      'x',
      '?',
      '\n',
      '__proto__',
      '0',
      '😀',
      '𝟘',
    );
    fc.assert(
      fc.property(fc.array(word, { maxLength: 8 }), (words) => {
        const text = words.join(' ');
        const { tokenizer: json } = wordTokenizer({ texts: [text], wholes });
        const own = createTokenizer(json);
        const expected: string[] = [];
        for (let at = 0; at < words.length;) {
          const pair = words.slice(at, at + 2).join(' ');
          const found = words.length > at + 1 && wholes.includes(pair) ? pair : words[at]!;
          expected.push(found);
          at += found.split(' ').length;
        }
        expect(own.encode(text).map((id) => own.token(id))).toEqual(expected);
      }),
    );
  });

  it.each(['', ' Eve', 'Ada  Lovelace', 'Ada\nLovelace', 'Ada\u2581Lovelace'])(
    'refuses the whole %j',
    (whole) => {
      expect(() => wordTokenizer({ texts: [], wholes: [whole] })).toThrow(UserError);
    },
  );

  it.each([
    ['Eve', 'Eve'],
    ['Who?', 'Who ?'],
    ['<pad>', 'Eve'],
    ['?', 'Eve'],
  ])('refuses what would be the same token: %j, %j', (...wholes) => {
    expect(() => wordTokenizer({ texts: [], wholes })).toThrow(/is there twice among the tokens$/);
  });
});
