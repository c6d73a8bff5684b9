import { createStream } from '../../../data/random/streams.js';
import type { RandomStream } from '../../../data/random/streams.js';
import { moments } from '../inference/spread.js';
import { dot } from '../measures/gram.js';
import { length, shifted } from '../measures/hessian-vector.js';
import { relative, resultOf } from './check.js';
import type { CheckResult, Comparison } from './check.js';
import { cosineOf } from './cosine-of.js';

const [dimensions, sketches] = [20_000, 300];

/** Two orthogonal vectors of length 1; `spread` makes their coordinates heavy-tailed. */
function orthonormal(size: number, spread: number, stream: RandomStream): [Float64Array, Float64Array] {
  const draw = (): Float64Array =>
    Float64Array.from({ length: size }, () => stream.normal() * Math.exp(spread * stream.normal()));
  const unit = (v: Float64Array): Float64Array => v.map((value) => value / length(v));
  const a = unit(draw());
  const b = draw();
  return [a, unit(shifted(b, -dot(a, b), a))];
}

/** CountSketches of two vectors by one hash: each coordinate to a random bucket with a random sign. */
function countSketches(vectors: readonly Float64Array[], buckets: number, stream: RandomStream) {
  const sketched = vectors.map(() => new Float64Array(buckets));
  for (let p = 0; p < dimensions; p++) {
    const draw = stream.integer(2 * buckets);
    const sign = (draw & 1) === 0 ? 1 : -1;
    vectors.forEach((vector, k) => {
      sketched[k]![draw >> 1]! += sign * vector[p]!;
    });
  }
  return sketched;
}

function countSketchErrors(stream: RandomStream): Comparison[] {
  const vectors = orthonormal(dimensions, 1.5, stream);
  return [256, 1024, 4096].flatMap((buckets) => {
    const pairs = Array.from({ length: sketches }, () => countSketches(vectors, buckets, stream));
    return [0, 0.5, 0.9].map((cosine) => {
      // A sketch is linear: the sketches of a and b give that of any mixture.
      const found = pairs.map(([a, b]) => {
        const mixed = b!.map((value, k) => cosine * a![k]! + Math.sqrt(1 - cosine ** 2) * value);
        return cosineOf(a!, mixed);
      });
      const predicted = (1 - cosine ** 2) / Math.sqrt(buckets);
      const label = `SD of a cosine of ${cosine} in ${buckets} buckets`;
      return relative(label, moments(found).standardDeviation!, predicted, 0.15);
    });
  });
}

/** `size` projections of two vectors by one matrix of normal numbers. */
function project(a: Float64Array, b: Float64Array, size: number, stream: RandomStream) {
  const rows = Array.from({ length: size }, () => a.map(() => stream.normal()));
  return [a, b].map((vector) => Float64Array.from(rows, (row) => dot(row, vector))) as [
    Float64Array,
    Float64Array,
  ];
}

/** Cosines of `a x'` and `b y'`, a orthogonal to b, sketched from both sides: x = y or x orthogonal to y. */
function kroneckerErrors(stream: RandomStream): Comparison[] {
  const [a, b] = orthonormal(24, 0, stream);
  const [x, y] = orthonormal(24, 0, stream);
  return [16, 64].flatMap((size) => {
    const spread = (other: Float64Array): number => {
      const found = Array.from({ length: 1500 }, () => {
        const [left, right] = [project(a, b, size, stream), project(x, other, size, stream)];
        return cosineOf(...left) * cosineOf(...right);
      });
      return moments(found).standardDeviation!;
    };
    return [
      relative(
        `SD with a two-sided sketch, shared input, ${size} by ${size}`,
        spread(x),
        1 / Math.sqrt(size),
        0.1,
      ),
      relative(`the same, orthogonal inputs`, spread(y), 1 / size, 0.15),
    ];
  });
}

/** V9: spread of a sketched cosine; two-sided sketches are as bad as their smaller side for a shared input. */
export function sketchError(): CheckResult {
  const stream = createStream(9, 'verify sketches');
  return resultOf([...countSketchErrors(stream), ...kroneckerErrors(stream)]);
}
