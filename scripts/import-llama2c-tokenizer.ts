// `node --import tsx scripts/import-llama2c-tokenizer.ts <tok512.bin> <tokenizer.json>`: the tokenizer of a llama2.c model as a
// Hugging Face `tokenizer.json`.
import fs from 'node:fs';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { UserError } from '../data/errors.js';

/** A token of a llama2.c tokenizer. */
interface Piece {
  readonly text: string;
  readonly score: number;
}

const [unknown, begin, end] = ['<unk>', '<s>', '</s>'] as const;
/** Ids of the unknown token, begin and end; then of the 256 bytes; then of the pieces of text. */
const firstPiece = 3 + 256;

/**
 * A `tokenizer.json` object of a tokenizer of llama2.c (`int32` length of the longest piece, then for each piece `float32`
 * score, `int32` length, and its bytes; little-endian). llama2.c joins, again and again, the two neighbours whose joined
 * piece has the best score. This is BPE whose merges are all pairs of pieces that make a piece, in the order of the scores
 * of what they make. Bytes stand for characters that have no piece, a blank is put before the text, and the template puts
 * `<s>` before it.
 * Throws a UserError for a file of another layout.
 */
export function llama2cTokenizer(source: string, bytes: Uint8Array): Readonly<Record<string, unknown>> {
  const pieces = readPieces(source, bytes);
  const tokens = pieces.map(({ text }, id) => [unknown, begin, end][id] ?? text.replaceAll(' ', metaspace));
  const special = [unknown, begin, end].map((content, id) => ({
    id,
    content,
    single_word: false,
    lstrip: false,
    rstrip: false,
    normalized: false,
    special: true,
  }));
  const beginOfText = { SpecialToken: { id: begin, type_id: 0 } };
  const [first, second] = ['A', 'B'].map((id, type) => ({ Sequence: { id, type_id: type } }));
  return {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: special,
    normalizer: {
      type: 'Sequence',
      normalizers: [
        { type: 'Prepend', prepend: metaspace },
        { type: 'Replace', pattern: { String: ' ' }, content: metaspace },
      ],
    },
    pre_tokenizer: null,
    post_processor: {
      type: 'TemplateProcessing',
      single: [beginOfText, first],
      pair: [beginOfText, first, beginOfText, second],
      special_tokens: { [begin]: { id: begin, ids: [1], tokens: [begin] } },
    },
    decoder: {
      type: 'Sequence',
      decoders: [
        { type: 'Replace', pattern: { String: metaspace }, content: ' ' },
        { type: 'ByteFallback' },
        { type: 'Fuse' },
        { type: 'Strip', content: ' ', start: 1, stop: 0 },
      ],
    },
    model: {
      type: 'BPE',
      dropout: null,
      unk_token: unknown,
      continuing_subword_prefix: null,
      end_of_word_suffix: null,
      fuse_unk: true,
      byte_fallback: true,
      ignore_merges: false,
      vocab: Object.fromEntries(tokens.map((token, id) => [token, id])),
      merges: mergesOf(pieces, tokens),
    },
  };
}

const metaspace = '\u2581';

function readPieces(source: string, bytes: Uint8Array): Piece[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const fail = (message: string): never => {
    throw new UserError(`${source}: is no tokenizer of llama2.c: ${message}`);
  };
  const pieces: Piece[] = [];
  if (bytes.length < 4) return fail('it has no header');
  const longest = view.getInt32(0, true);
  let at = 4;
  while (at < bytes.length) {
    if (at + 8 > bytes.length) return fail(`piece ${pieces.length} is cut off`);
    const score = view.getFloat32(at, true);
    const length = view.getInt32(at + 4, true);
    at += 8;
    if (length < 0 || length > longest || at + length > bytes.length)
      return fail(`piece ${pieces.length} has length ${length}`);
    pieces.push({
      text: new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes.subarray(at, at + length)),
      score,
    });
    at += length;
  }
  if (pieces.length < firstPiece || pieces[3]!.text !== '<0x00>')
    return fail('it does not begin with three special pieces and 256 bytes');
  if (new Set(pieces.map(({ text }) => text)).size < pieces.length) return fail('it has a piece twice');
  return pieces;
}

function mergesOf(pieces: readonly Piece[], tokens: readonly string[]): (readonly [string, string])[] {
  const known = new Map(tokens.map((token, id) => [token, id]));
  const isText = (token: string): boolean => (known.get(token) ?? 0) >= firstPiece;
  const made = pieces
    .map(({ score }, id) => ({ score, id }))
    .slice(firstPiece)
    .sort((first, second) => second.score - first.score || first.id - second.id);
  return made.flatMap(({ id }) => {
    const characters = Array.from(tokens[id]!);
    return characters
      .slice(1)
      .map((_, i): readonly [string, string] => [
        characters.slice(0, i + 1).join(''),
        characters.slice(i + 1).join(''),
      ])
      .filter(([left, right]) => isText(left) && isText(right));
  });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [input, output] = process.argv.slice(2);
  if (input === undefined || output === undefined) {
    console.error(
      'usage: node --import tsx scripts/import-llama2c-tokenizer.ts <tok512.bin> <tokenizer.json>',
    );
    process.exitCode = 1;
  } else {
    fs.writeFileSync(output, `${JSON.stringify(llama2cTokenizer(input, fs.readFileSync(input)), null, 2)}\n`);
  }
}
