import type { ExampleSet } from '../../data/experiment.js';
import { fixedSights } from '../../data/fixed-sights.js';
import type { RandomStream } from '../../data/random/streams.js';
import { rowDrawer, rowProbabilities, type Sampler } from '../../data/samplers.js';
import type { ParameterBlock } from '../train/parameters/layout.js';

/** What the minibatches of a stage are drawn from: rows that look the same at every sight, and their probabilities. */
export interface Population {
  readonly set: ExampleSet;
  /** `[row]`, adding up to 1. */
  readonly probabilities: Float64Array;
  readonly isUniform: boolean;
  /** One row by these probabilities. */
  readonly draw: (random: RandomStream) => number;
}

export function populationOf(set: ExampleSet, sampler: Sampler, seed: number): Population {
  const probabilities = rowProbabilities(set, sampler);
  const isUniform = probabilities.every((own) => own === probabilities[0]);
  const draw = rowDrawer(probabilities);
  return {
    set: fixedSights(set, seed, 'probe/examples'),
    probabilities,
    isUniform,
    draw: (random) => (isUniform ? random.integer(set.size) : draw(random)),
  };
}

/** Learning rate of every coordinate, block after block, `[sum of sizes]`. */
export function ratesOfCoordinates(
  blocks: readonly ParameterBlock[],
  rateOf: (parameter: string) => number,
): Float64Array {
  const rates = new Float64Array(blocks.reduce((sum, { size }) => sum + size, 0));
  let first = 0;
  for (const block of blocks) {
    for (const { name, offset, size } of block.parameters) {
      rates.fill(rateOf(name), first + offset, first + offset + size);
    }
    first += block.size;
  }
  return rates;
}
