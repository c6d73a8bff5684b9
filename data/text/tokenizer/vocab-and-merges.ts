import { parseJsonObject } from './json.js';

/** What ends a text in GPT-2; the only token that it adds. */
const endOfText = '<|endoftext|>';

/**
 * A `tokenizer.json` object of the two files in which GPT-2 came: tokens with their ids as JSON (`encoder.json`,
 * `vocab.json`), and merges, one a line (`vocab.bpe`, `merges.txt`). Byte-level BPE, no blank before a text, no normalizer.
 * Throws a UserError that names `source` for a vocabulary that is no JSON; the rest is checked by `createTokenizer`.
 */
export function tokenizerFromVocabAndMerges(
  vocabText: string,
  mergesText: string,
  source = 'vocab.json',
): Readonly<Record<string, unknown>> {
  const vocab = parseJsonObject(source, vocabText);
  const lines = mergesText.split(/\r?\n/).filter((line) => line !== '' && !line.startsWith('#version'));
  const end = Object.hasOwn(vocab, endOfText) ? vocab[endOfText] : undefined;
  const byteLevel = { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: true };
  return {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens:
      end === undefined
        ? []
        : [
            {
              id: end,
              content: endOfText,
              single_word: false,
              lstrip: false,
              rstrip: false,
              normalized: false,
              special: true,
            },
          ],
    normalizer: null,
    pre_tokenizer: byteLevel,
    post_processor: byteLevel,
    decoder: byteLevel,
    model: {
      type: 'BPE',
      dropout: null,
      unk_token: null,
      continuing_subword_prefix: '',
      end_of_word_suffix: '',
      fuse_unk: false,
      byte_fallback: false,
      ignore_merges: false,
      vocab,
      merges: lines.map((line) => line.split(' ')),
    },
  };
}
