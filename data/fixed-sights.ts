import type { ExampleSet } from './experiment.js';
import { createStream } from './random/streams.js';

/**
 * A set whose rows look the same at every sight, whichever rows are asked for together: a finite population, as
 * statistics over single examples and minibatches of them need one. Rows that never differ stay as they are.
 *
 * @param name of the streams that the looks are drawn from
 */
export function fixedSights(set: ExampleSet, seed: number, name: string): ExampleSet {
  return {
    ...set,
    fill: (rows, first, buffers) => {
      for (let i = 0; i < rows.length; i++) {
        const row = rows[i]!;
        set.fill([row], first + i, buffers, () => createStream(seed, `${name}/${row}`));
      }
    },
  };
}
