import type { ExampleSet, TextShape } from './experiment.js';
import { allocateFields } from './fields.js';
import { createStream } from './random/streams.js';

/** Names of the fields of tokens that a text model reads: of the text, and of a decoder. */
const tokenFields = ['tokens', 'decoderTokens'] as const;

/** Rows that are written at a time. */
const chunk = 1024;

/** Share of the tokens of a set's rows that are padding behind their texts, from 0 to 1; NaN for a set without tokens. */
export function paddingShare(set: ExampleSet, { padToken }: Pick<TextShape, 'padToken'>): number {
  const names = tokenFields.filter((name) => name in set.fields);
  let [all, padding] = [0, 0];
  for (let first = 0; first < set.size; first += chunk) {
    const count = Math.min(chunk, set.size - first);
    const buffers = allocateFields(set.fields, count);
    set.fill(
      Array.from({ length: count }, (_, i) => first + i),
      0,
      buffers,
      () => createStream(0, 'padding'),
    );
    for (const name of names) {
      const values = buffers[name]!;
      const width = values.length / count;
      for (let row = 0; row < count; row++) {
        let end = (row + 1) * width;
        while (end > row * width && values[end - 1] === padToken) end--;
        padding += (row + 1) * width - end;
      }
      all += values.length;
    }
  }
  return padding / all;
}
