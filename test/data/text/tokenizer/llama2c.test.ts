import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { UserError } from '../../../../data/errors.js';
import { encodeParts } from '../../../../data/text/tokenizer/parts.js';
import { createTokenizer } from '../../../../data/text/tokenizer/tokenizer.js';
import { llama2cTokenizer } from '../../../../scripts/import-llama2c-tokenizer.js';
import { sharedFile } from '../../../support/shared-files.js';
import { tinyJson } from './support.js';

const bytes = sharedFile(
  'models/tok512.bin',
  '037cb335abb25d1fa9e8ecae30ed2a3a8ace9302862ebcdc05d51a6bbb10c312',
);

const story =
  'Once upon a time, there was a little girl named Lily. She loved to play outside in the park. One day, she saw a big,';
const storyIds = [
  403, 407, 261, 378, 432, 383, 286, 261, 376, 298, 315, 421, 395, 317, 426, 338, 401, 396, 267, 337, 410,
  408, 419, 292, 411, 322, 265, 282, 295, 433, 426, 385, 328, 432, 358, 394, 261, 370, 432,
];

/** llama2.c's own `encode`, from its description: the best pair first, the leftmost of equals. */
function reference(file: Uint8Array, text: string): number[] {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const ids = new Map<string, number>();
  const scores: number[] = [];
  for (let at = 4; at < file.length;) {
    const length = view.getInt32(at + 4, true);
    ids.set(Buffer.from(file.subarray(at + 8, at + 8 + length)).toString(), scores.length);
    scores.push(view.getFloat32(at, true));
    at += 8 + length;
  }
  const pieces = Array.from(ids.keys());
  const result = Array.from(` ${text}`).flatMap((character) => {
    const id = ids.get(character);
    return id === undefined ? Array.from(Buffer.from(character), (byte) => byte + 3) : [id];
  });
  while (true) {
    let best = { score: -Infinity, at: -1, id: -1 };
    for (let at = 0; at + 1 < result.length; at++) {
      const id = ids.get(pieces[result[at]!]! + pieces[result[at + 1]!]!);
      if (id !== undefined && scores[id]! > best.score) best = { score: scores[id]!, at, id };
    }
    if (best.at < 0) return result;
    result.splice(best.at, 2, best.id);
  }
}

describe.runIf(bytes !== null)('the tokenizer of stories260K', () => {
  const file = bytes ?? Buffer.alloc(0);
  const tokenizer = createTokenizer(bytes === null ? tinyJson() : llama2cTokenizer('tok512.bin', file));

  it('encodes the story of the model', () => {
    expect(tokenizer.encode(story)).toEqual(storyIds);
    expect(tokenizer.encodeWithTemplate(story)).toEqual([1, ...storyIds]);
    expect(tokenizer.decode(storyIds)).toBe(story);
    expect(tokenizer).toMatchObject({ size: 512, bosId: 1, eosId: 2, unkId: 0 });
  });

  it('encodes unknown characters as bytes', () => {
    expect(tokenizer.encodeWithTemplate('Zoë')).toEqual([1, 410, 469, 414, 198, 174]);
    expect(tokenizer.decode(tokenizer.encode('Zoë 日本\n'))).toBe('Zoë 日本\n');
  });

  it('encodes as llama2.c does', () => {
    const text = fc.oneof(
      // The blank of SentencePiece is a blank in tokenizer.json.
      fc.string({ unit: 'grapheme', minLength: 1 }).filter((own) => !own.includes('\u2581')),
      fc.string({ unit: fc.constantFrom(...Array.from('Oncetime l,.ya')), minLength: 1, maxLength: 60 }),
    );
    fc.assert(
      fc.property(text, (own) => {
        expect(tokenizer.encode(own)).toEqual(reference(file, own));
      }),
      { numRuns: 1000 },
    );
  });

  it('tells the parts of a text', () => {
    const { ids, indices } = encodeParts(tokenizer, [
      { text: 'One day', part: 'other' },
      { text: ' Zoë', part: 'entity' },
      { text: ' saw', part: 'answer' },
    ]);
    const of = (part: number): string => tokenizer.decode(ids.filter((_, i) => indices[i] === part));
    expect([of(0), of(1), of(2)]).toEqual(['One day', 'Zoë', 'saw']);
  });

  it.each([
    ['nothing', Buffer.alloc(0)],
    ['a piece that is cut off', file.subarray(0, 100)],
    ['another layout', Buffer.alloc(64, 1)],
  ])('refuses %s', (_name, content) => {
    expect(() => llama2cTokenizer('own.bin', content)).toThrow(UserError);
  });
});
