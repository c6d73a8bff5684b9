import { createStream } from '../../../data/random/streams.js';
import type { RandomStream } from '../../../data/random/streams.js';
import { moments } from '../inference/spread.js';
import { dot } from '../measures/gram.js';
import { length, shifted } from '../measures/hessian-vector.js';
import { near, relative, resultOf } from './check.js';
import type { VerificationResult, Comparison } from './check.js';
import { cosineOf } from './cosine-of.js';

/** The sketch that runs log: see `createSketcher` of the training code, which this room does not import. */
export type SketcherFactory = (
  tensor: string,
  length: number,
  size: number,
  seed: number,
) => { add(values: ArrayLike<number>, target: Float64Array): void };

const [dimensions, sketches] = [20_000, 300];

/** Two orthogonal vectors of length 1 with heavy-tailed coordinates. */
function orthonormal(stream: RandomStream): [Float64Array, Float64Array] {
  const draw = (): Float64Array =>
    Float64Array.from({ length: dimensions }, () => stream.normal() * Math.exp(1.5 * stream.normal()));
  const unit = (v: Float64Array): Float64Array => v.map((value) => value / length(v));
  const a = unit(draw());
  const b = draw();
  return [a, unit(shifted(b, -dot(a, b), a))];
}

/** V9: bias and spread of the cosine of two CountSketches, over the seeds of their hash. */
export function sketchError(createSketcher: SketcherFactory): VerificationResult {
  const [a, b] = orthonormal(createStream(9, 'verify sketches'));
  const comparisons: Comparison[] = [];
  for (const buckets of [256, 1024, 4096]) {
    const pairs = Array.from({ length: sketches }, (_, seed) => {
      const sketcher = createSketcher('tensor', dimensions, buckets, seed);
      return [a, b].map((vector) => {
        const target = new Float64Array(buckets);
        sketcher.add(vector, target);
        return target;
      }) as [Float64Array, Float64Array];
    });
    for (const cosine of [0, 0.5, 0.9]) {
      // A sketch is linear: the sketches of a and b give that of any mixture.
      const found = pairs.map(([x, y]) =>
        cosineOf(
          x,
          y.map((value, k) => cosine * x[k]! + Math.sqrt(1 - cosine ** 2) * value),
        ),
      );
      const { mean, standardDeviation } = moments(found);
      const predicted = (1 - cosine ** 2) / Math.sqrt(buckets);
      const label = `of a cosine of ${cosine} in ${buckets} buckets`;
      comparisons.push(
        relative(`SD ${label}`, standardDeviation!, predicted, 0.15),
        near(`mean ${label}`, mean, cosine, (4 * predicted) / Math.sqrt(sketches) + 1 / buckets),
      );
    }
    // Unbiased, not only in the cosine: squared norms average to 1.
    const norms = pairs.map(([x]) => dot(x, x));
    comparisons.push(
      near(
        `mean squared norm in ${buckets} buckets`,
        moments(norms).mean,
        1,
        (4 * Math.SQRT2) / Math.sqrt(buckets * sketches),
      ),
    );
  }
  return resultOf(comparisons);
}
