import type { RandomStream } from '../../../data/random/streams.js';

/** Draws `size` values from N(0, standardDeviation^2). */
export function normal(size: number, standardDeviation: number): (random: RandomStream) => Float32Array {
  return (random) => {
    const values = new Float32Array(size);
    random.fillNormal(values, standardDeviation);
    return values;
  };
}

/** Draws `size` values from U(-bound, bound). */
export function uniform(size: number, bound: number): (random: RandomStream) => Float32Array {
  return (random) => Float32Array.from({ length: size }, () => (2 * random.uniform() - 1) * bound);
}

export function constant(size: number, value: number): () => Float32Array {
  return () => new Float32Array(size).fill(value);
}
