import type { RandomStream } from '../../../../data/random/streams.js';
import type { Estimate } from '../../../../src/analysis/inference/estimate.js';

/** Draws from laws with mean 0 and variance 1. */
export const laws = {
  normal: (stream: RandomStream) => stream.normal(),
  /** Gamma with shape 4: skewness 1. */
  skewed: (stream: RandomStream) => {
    let sum = 0;
    for (let i = 0; i < 4; i++) sum -= Math.log(1 - stream.uniform());
    return (sum - 4) / 2;
  },
};
export type Law = keyof typeof laws;

/** How simulated seeds come about. */
export interface Design {
  readonly law: Law;
  readonly seeds: number;
  /** Entities a seed. */
  readonly entities: number;
  /** Part of the variance of a seed's mean that is noise of its entities. */
  readonly share: number;
}

/** `[seed][entity]` with true mean 0 and seed means of variance 1. */
export function simulate({ law, seeds, entities, share }: Design, stream: RandomStream): Float64Array[] {
  const draw = laws[law];
  return Array.from({ length: seeds }, () => {
    const seed = Math.sqrt(1 - share) * draw(stream);
    return Float64Array.from({ length: entities }, () => seed + Math.sqrt(share * entities) * draw(stream));
  });
}

/** `[seed]`. */
export function seedMeans(data: readonly Float64Array[]): number[] {
  return data.map(average);
}

export function average(values: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i]!;
  return sum / values.length;
}

/** Share of `repetitions` whose interval covers the true mean 0; one without an interval does not. */
export function coverage(
  design: Design,
  repetitions: number,
  stream: RandomStream,
  estimate: (data: readonly Float64Array[]) => Estimate,
): number {
  let covered = 0;
  for (let repetition = 0; repetition < repetitions; repetition++) {
    const result = estimate(simulate(design, stream));
    const interval = result.kind === 'value' ? result.interval : null;
    if (interval !== null && interval[0] <= 0 && interval[1] >= 0) covered++;
  }
  return covered / repetitions;
}
