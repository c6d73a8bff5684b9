import fs from 'node:fs';
import path from 'node:path';
import { UserError } from '../../errors.js';
import { printable } from '../../printable.js';
import { tokenizerFromVocabAndMerges } from './vocab-and-merges.js';
import { parseJsonObject } from './json.js';
import type { SpecialTokenFile } from './special-tokens.js';
import { createTokenizer, type Tokenizer } from './tokenizer.js';

/** Reads a text file; null when there is none. */
export type ReadText = (file: string) => string | null;

/** Reads a text file of the file system. Throws a UserError for one that is there but cannot be read. */
export const readTextFile: ReadText = (file) => {
  try {
    return fs.readFileSync(file, 'utf8');
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code ?? '';
    if (['ENOENT', 'ENOTDIR', 'EISDIR'].includes(code)) return null;
    throw new UserError(`${file}: cannot be read (${printable((cause as Error).message)})`, { cause });
  }
};

export interface LoadTokenizerOptions {
  /** Tokens that the model has; added tokens from this id on are left out. Default: see docs/tokenizers.md. */
  readonly vocabularySize?: number;
  /** Default: the file system. */
  readonly read?: ReadText;
}

/**
 * The tokenizer of a Hugging Face folder, or of one `tokenizer.json`. Of a folder `tokenizer.json` is read, or else
 * `vocab.json` with `merges.txt`, and where they exist `tokenizer_config.json`, `special_tokens_map.json` and `config.json`
 * for the special tokens and the size of the vocabulary.
 * Throws a UserError for what is missing, is no tokenizer, or is not supported.
 */
export function loadTokenizer(place: string, options: LoadTokenizerOptions = {}): Tokenizer {
  const { read = readTextFile, vocabularySize } = options;
  const size = vocabularySize === undefined ? {} : { vocabularySize };
  const text = read(place);
  if (text !== null) return createTokenizer(parseJsonObject(place, text), { source: place, ...size });

  const beside = (name: string): SpecialTokenFile | null => {
    const source = path.join(place, name);
    const content = read(source);
    return content === null ? null : { source, content: parseJsonObject(source, content) };
  };
  const { source, json } = folderTokenizer(place, read);
  const files = {
    tokenizerConfig: beside('tokenizer_config.json'),
    specialTokensMap: beside('special_tokens_map.json'),
    config: beside('config.json'),
  };
  return createTokenizer(json, { source, files, ...size });
}

function folderTokenizer(
  folder: string,
  read: ReadText,
): { readonly source: string; readonly json: unknown } {
  const source = path.join(folder, 'tokenizer.json');
  const text = read(source);
  if (text !== null) return { source, json: parseJsonObject(source, text) };
  const vocab = path.join(folder, 'vocab.json');
  const [vocabText, mergesText] = [read(vocab), read(path.join(folder, 'merges.txt'))];
  if (vocabText === null || mergesText === null) {
    throw new UserError(
      `${source}: is missing; give a Hugging Face folder with tokenizer.json, or such a file ` +
        '(AutoTokenizer.from_pretrained(...).save_pretrained(folder) in Python writes one)',
    );
  }
  return { source: vocab, json: tokenizerFromVocabAndMerges(vocabText, mergesText, vocab) };
}
