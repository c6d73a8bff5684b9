import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { bytePairTokenizer, leastByteTokens } from '../../../../data/text/tokenizer/byte-pairs.js';
import { createTokenizer } from '../../../../data/text/tokenizer/tokenizer.js';

/** By the library of Python: test/fixtures/tokenizers/make_byte_pairs.py. */
const fixture = JSON.parse(
  readFileSync(new URL('../../../fixtures/tokenizers/byte-pairs.json', import.meta.url), 'utf8'),
) as { texts: string[]; size: number; merges: [string, string][]; cases: { text: string; ids: number[] }[] };

const json = bytePairTokenizer(fixture) as { model: { merges: [string, string][] } };
const tokenizer = createTokenizer(JSON.parse(JSON.stringify(json)));

describe('byte pairs', () => {
  it('are merged as by the reference', () => {
    expect(json.model.merges).toEqual(fixture.merges);
    expect(tokenizer).toMatchObject({ size: fixture.size, eosId: 0, padId: 1 });
  });

  it.each(fixture.cases)('encode $text', ({ text, ids }) => {
    expect(tokenizer.encode(text)).toEqual(ids);
    expect(tokenizer.decode(ids)).toBe(text);
  });

  it('are fewer where the texts have no more of them', () => {
    const all = createTokenizer(bytePairTokenizer({ texts: ['abc abc'], size: 1000 }));
    expect(all.size).toBe(leastByteTokens + 3);
    expect(all.tokenId('Ġabc')).toBe(leastByteTokens + 2);
    expect(() => bytePairTokenizer({ texts: [], size: 200 })).toThrow(RangeError);
  });
});
