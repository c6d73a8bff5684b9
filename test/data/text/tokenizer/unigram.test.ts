import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { createTokenizer } from '../../../../data/text/tokenizer/tokenizer.js';
import type { Loose } from './support.js';

/** Ids by Viterbi's algorithm in Python: scripts/tokenizer-fixtures.py. */
const fixtures = JSON.parse(
  readFileSync(new URL('../../../fixtures/tokenizers/unigram.json', import.meta.url), 'utf8'),
) as readonly { tokenizer: Loose & { model: Loose }; cases: readonly { text: string; ids: number[] }[] }[];

describe.each(fixtures)(
  'Unigram with byte fallback $tokenizer.model.byte_fallback',
  ({ tokenizer: json, cases }) => {
    const tokenizer = createTokenizer(json);

    it.each(cases)('encodes $text', ({ text, ids }) => {
      expect(tokenizer.encode(text)).toEqual(ids);
    });

    it('has special tokens, of which none is added unasked', () => {
      expect(tokenizer).toMatchObject({ padId: 0, eosId: 1, unkId: 2, bosId: null });
      const ids = tokenizer.encode('was born');
      expect(tokenizer.encodeWithTemplate('was born')).toEqual([...ids, 1]);
      expect(tokenizer.decode([...ids, 1], { skipSpecial: true })).toBe('was born');
    });

    it('reads the older word for a blank before a text', () => {
      const older = { type: 'Metaspace', replacement: '\u2581', add_prefix_space: false };
      const bare = createTokenizer({ ...json, pre_tokenizer: older, decoder: older });
      const ids = bare.encode('born was');
      expect(ids.map((id) => bare.token(id))).toEqual(['born', '\u2581was']);
      expect(bare.decode(ids)).toBe('born was');
      expect(bare.decode(bare.encode(' was'))).toBe(' was');
    });
  },
);

describe('a Unigram tokenizer that knows nothing of unknown text', () => {
  it('refuses it', () => {
    const [{ tokenizer: json }] = fixtures as readonly [(typeof fixtures)[number]];
    const tokenizer = createTokenizer({ ...json, model: { ...json.model, unk_id: null } });
    expect(tokenizer.encode('was born')).toHaveLength(2);
    expect(() => tokenizer.encode('was \u001bz')).toThrow(/^"was \\u001bz": the tokenizer has no token for/);
  });
});
