import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { UserError } from '../../../../data/errors.js';
import { isPrintable } from '../../../../data/printable.js';
import { loadTokenizer } from '../../../../data/text/tokenizer/load.js';
import { createTokenizer, type TokenizerOptions } from '../../../../data/text/tokenizer/tokenizer.js';
import { hasNeox, neoxJson, tinyJson, type Loose } from './support.js';

/** The one line that a tokenizer is refused with. */
function refusal(json: unknown, options?: TokenizerOptions): string {
  return message(() => createTokenizer(json, { source: 'own.json', ...options }));
}

function message(act: () => unknown): string {
  try {
    act();
  } catch (error) {
    expect(error).toBeInstanceOf(UserError);
    const text = (error as UserError).message;
    expect(isPrintable(text)).toBe(true);
    expect(text.length).toBeLessThan(400);
    return text;
  }
  throw new Error('nothing was thrown');
}

const withModel = (model: Loose): Loose => ({ ...tinyJson(), model: { ...tinyJson().model, ...model } });
const withAdded = (...added: Loose[]): Loose => ({ ...tinyJson(), added_tokens: added });

describe('a tokenizer.json is refused', () => {
  it.each<[string, unknown, string]>([
    ['a list', [], 'own.json: is no tokenizer.json: it has no "model"'],
    ['without a model', { added_tokens: [] }, 'own.json: is no tokenizer.json: it has no "model"'],
    [
      'of an unknown model',
      withModel({ type: 'Morse\u001b[2J\n' }),
      String.raw`own.json: model.type is "Morse\u001b[2J\n"; it must be BPE, Unigram, WordPiece or WordLevel`,
    ],
    [
      'with a merge of three',
      withModel({ merges: ['a b', 'a b c'] }),
      'own.json: model.merges[1]: "a b c" is no pair of tokens, such as "a b" or ["a", "b"]',
    ],
    [
      'with a merge of one',
      withModel({ merges: [['a\u202e']] }),
      String.raw`own.json: model.merges[0]: ["a\u202e"] is no pair of tokens, such as "a b" or ["a", "b"]`,
    ],
    [
      'with a merge of numbers',
      withModel({ merges: [[0, 1]] }),
      'own.json: model.merges[0]: [0,1] is no pair of tokens, such as "a b" or ["a", "b"]',
    ],
    [
      'with a merge that makes no token',
      withModel({ merges: ['b a'] }),
      'own.json: model.merges[0]: "b a" needs the token "ba", which is not in the vocabulary',
    ],
    ['without merges', withModel({ merges: null }), 'own.json: model.merges is no list'],
    [
      'with an id twice',
      withModel({ vocab: { a: 0, 'b\u0007': 0 } }),
      String.raw`own.json: model.vocab: "a" and "b\u0007" have the same id 0; ids must be unique`,
    ],
    [
      'with an id that is none',
      withModel({ vocab: { a: 0, b: 1.5 } }),
      'own.json: model.vocab: "b" has id 1.5, not a whole number',
    ],
    ['with no vocabulary', withModel({ vocab: {} }), 'own.json: model.vocab is no object of tokens with ids'],
    [
      'with random merges',
      withModel({ dropout: 0.1 }),
      'own.json: model.dropout: merges that are left out at random are not supported; remove it',
    ],
    [
      'with a token of Unigram twice',
      withModel({
        type: 'Unigram',
        vocab: [
          ['a', 0],
          ['a', -1],
        ],
      }),
      'own.json: model.vocab[1]: "a" is there twice; ids must be unique',
    ],
    [
      'with a token of Unigram without a score',
      withModel({ type: 'Unigram', vocab: [['a']] }),
      'own.json: model.vocab[0]: ["a"] is no token with a score',
    ],
    [
      'with an unknown token of Unigram that is none',
      withModel({ type: 'Unigram', unk_id: 7, vocab: [['a', 0]] }),
      'own.json: model.unk_id is 7, no place in the vocabulary',
    ],
    [
      'of words without an unknown one',
      withModel({ type: 'WordLevel', unk_token: '<unk>' }),
      'own.json: model.unk_token is "<unk>", which is not in the vocabulary',
    ],
    [
      'with an added token that shadows',
      withAdded({ id: 9, content: 'ab' }),
      'own.json: added_tokens: "ab" with id 9 shadows the token of the vocabulary with id 3; ' +
        'give it the same id, or remove it',
    ],
    [
      'with an added token of a used id',
      withAdded({ id: 3, content: 'x' }),
      'own.json: added_tokens: "x" has id 3, which is that of "ab"',
    ],
    [
      'with an added token twice',
      withAdded({ id: 5, content: 'x' }, { id: 5, content: 'x' }),
      'own.json: added_tokens: "x" is there twice',
    ],
    [
      'with an added token of nothing',
      withAdded({ id: 5, content: '' }),
      'own.json: added_tokens[0] has no "content"',
    ],
    [
      'with an added token of no id',
      withAdded({ id: -1, content: 'x' }),
      'own.json: added_tokens[0]: "x" has id -1, not a whole number',
    ],
    [
      'with an added token that is a word',
      withAdded({ id: 5, content: 'x', single_word: true }),
      'own.json: added_tokens[0]: "x" is a single_word token, which is not supported; ' +
        'it would also be found inside other words',
    ],
    [
      'with an unknown part',
      { ...tinyJson(), normalizer: { type: 'Rot13\u009b' } },
      String.raw`own.json: cannot be used (Unknown Normalizer type: Rot13\x9b)`,
    ],
    [
      'with a part of no type',
      { ...tinyJson(), decoder: 7 },
      'own.json: decoder is no component with a "type"',
    ],
    [
      'with a split that would be read otherwise',
      {
        ...tinyJson(),
        pre_tokenizer: { type: 'Split', pattern: { String: 'a' }, behavior: 'MergedWithNext' },
      },
      'own.json: pre_tokenizer Split with behavior MergedWithNext is not supported',
    ],
    [
      'with punctuation that would be read otherwise',
      { ...tinyJson(), pre_tokenizer: { type: 'Sequence', pretokenizers: [{ type: 'Punctuation' }] } },
      'own.json: pre_tokenizer Punctuation with a behavior other than Contiguous is not supported',
    ],
  ])('%s', (_name, json, expected) => {
    expect(refusal(json)).toContain(expected);
  });

  it('that belongs to a bigger model', () => {
    expect(refusal(tinyJson(), { vocabularySize: 3 })).toBe(
      'own.json: model.vocab: "ab" has id 3, but the model has 3 tokens; this tokenizer belongs to another model',
    );
  });

  it('that is nested without end', () => {
    let normalizer: Loose = { type: 'NFC' };
    for (let i = 0; i < 50_000; i++) normalizer = { type: 'Sequence', normalizers: [normalizer] };
    expect(refusal({ ...tinyJson(), normalizer })).toBe('own.json: is nested more than 32 deep');
  });

  it.runIf(hasNeox)('with tokens of the family that do not fit the model', () => {
    const config = { source: 'config.json', content: { vocab_size: 50_000 } };
    const files = { tokenizerConfig: null, specialTokensMap: null, config };
    expect(refusal(neoxJson(), { files })).toContain('but the model has 50000 tokens');
  });
});

describe('a folder', () => {
  const read =
    (files: Readonly<Record<string, unknown>>) =>
    (file: string): string | null => {
      const content = files[file];
      return content === undefined ? null : typeof content === 'string' ? content : JSON.stringify(content);
    };
  const load = (files: Readonly<Record<string, unknown>>, place = 'own') =>
    loadTokenizer(place, { read: read(files) });

  it('that has none', () => {
    expect(message(() => load({}))).toMatch(/^own\/tokenizer\.json: is missing; give a Hugging Face folder/);
    const empty = fs.mkdtempSync(path.join(os.tmpdir(), 'gradscope-tokenizer-'));
    try {
      expect(message(() => loadTokenizer(empty))).toContain('tokenizer.json: is missing');
      fs.writeFileSync(path.join(empty, 'tokenizer.json'), JSON.stringify(tinyJson()));
      expect(loadTokenizer(empty).encode('abc')).toEqual([3, 2]);
      expect(loadTokenizer(path.join(empty, 'tokenizer.json')).encode('abc')).toEqual([3, 2]);
    } finally {
      fs.rmSync(empty, { recursive: true });
    }
  });

  it('with what is no JSON', () => {
    expect(message(() => load({ 'own/tokenizer.json': '{"a\u001b' }))).toMatch(
      /^own\/tokenizer\.json: is no JSON \(/,
    );
    expect(message(() => load({ 'own/tokenizer.json': [] }))).toBe('own/tokenizer.json: is no JSON object');
    expect(message(() => load({ 'own/tokenizer.json': tinyJson(), 'own/config.json': '1' }))).toBe(
      'own/config.json: is no JSON object',
    );
  });

  it('with a vocabulary and merges instead', () => {
    const vocab = { a: 0, b: 1, ab: 2, '<|endoftext|>': 3 };
    const tokenizer = load({ 'own/vocab.json': vocab, 'own/merges.txt': '#version: 0.2\r\na b\r\n' });
    expect(tokenizer.encode('abba<|endoftext|>')).toEqual([2, 1, 0, 3]);
    expect(tokenizer.eosId).toBe(3);
    expect(message(() => load({ 'own/vocab.json': vocab, 'own/merges.txt': 'a\n' }))).toBe(
      'own/vocab.json: model.merges[0]: ["a"] is no pair of tokens, such as "a b" or ["a", "b"]',
    );
  });

  it('that says which tokens are special', () => {
    const files = {
      'own/tokenizer.json': tinyJson(),
      'own/tokenizer_config.json': { eos_token: { content: 'ab' }, pad_token: null },
      'own/special_tokens_map.json': { eos_token: 'a', bos_token: 'a' },
      'own/config.json': { eos_token_id: 2, bos_token_id: 2, pad_token_id: [1, 2], vocab_size: 64 },
    };
    expect(load(files)).toMatchObject({ eosId: 3, bosId: 0, padId: 1, unkId: 4, size: 6 });
    expect(load({ 'own/tokenizer.json': tinyJson() })).toMatchObject({ eosId: 5, bosId: null, padId: null });
    expect(message(() => load({ ...files, 'own/special_tokens_map.json': { bos_token: 'x' } }))).toBe(
      'own/special_tokens_map.json: bos_token is "x", which is no token of the tokenizer',
    );
    expect(message(() => load({ ...files, 'own/config.json': { pad_token_id: 63 } }))).toBe(
      'own/config.json: pad_token_id is 63, which is no token of the tokenizer',
    );
  });

  it('whose model is too small for an added token, which is left out', () => {
    const tokenizer = load({
      'own/tokenizer.json': tinyJson(),
      'own/tokenizer_config.json': { eos_token: '<eos>' },
      'own/config.json': { vocab_size: 5 },
    });
    expect(tokenizer).toMatchObject({ size: 5, eosId: null, dropped: ['<eos>'] });
  });
});

describe('a small tokenizer', () => {
  it('reads letters of any script as letters', () => {
    const tokenizer = createTokenizer(withModel({ vocab: { a: 0, é: 1, aé: 2, '?': 3 }, merges: ['a é'] }));
    expect(tokenizer.encode('aé a')).toEqual([2, 0]);
  });

  it('has the same hash in each layout, and another one for other merges', () => {
    const { hash } = createTokenizer(tinyJson());
    const reordered = withModel({
      vocab: { '?': 4, ab: 3, c: 2, b: 1, a: 0 },
      merges: [['a', 'b']],
      fuse_unk: false,
    });
    expect(createTokenizer(reordered).hash).toBe(hash);
    expect(createTokenizer(withModel({ merges: [] })).hash).not.toBe(hash);
  });

  it('removes a string that it splits at', () => {
    const split = { type: 'Split', pattern: { String: '-' }, behavior: 'Removed', invert: false };
    expect(createTokenizer({ ...tinyJson(), pre_tokenizer: split }).encode('a-b')).toEqual([0, 1]);
  });

  it('reads word pieces', () => {
    const pieces = { type: 'WordPiece', unk_token: '?', vocab: { '?': 0, ab: 1, '##c': 2, a: 3 } };
    const tokenizer = createTokenizer({
      ...tinyJson(),
      decoder: { type: 'WordPiece', prefix: '##' },
      model: pieces,
    });
    expect(tokenizer.encode('abc a x')).toEqual([1, 2, 3, 0]);
    expect(tokenizer.decode([1, 2, 3])).toBe('abc a');
  });
});
