import type { ExampleSet } from '../experiment.js';
import { allocateFields, float32Field } from '../fields.js';
import { createStream } from '../random/streams.js';

/** Questions with more answer tokens than `most`. */
export function longAnswers(set: ExampleSet, most: number): number {
  const buffers = allocateFields(set.fields, 1);
  const weights = float32Field(buffers, 'weights');
  let count = 0;
  for (let row = 0; row < set.size; row++) {
    set.fill([row], 0, buffers, () => createStream(0, 'answers'));
    if (weights.filter((weight) => weight > 0).length > most) count++;
  }
  return count;
}
