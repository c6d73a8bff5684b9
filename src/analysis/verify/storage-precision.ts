import { createStream } from '../../../data/random/streams.js';
import { cosine as gramCosine } from '../measures/cosine.js';
import { dot, gramOf } from '../measures/gram.js';
import { below, near, resultOf } from './check.js';
import type { VerificationResult } from './check.js';

const dimensions = 1_000_000;

/**
 * V10: sums over many numbers are taken in float64, and gradients kept as float32 lose nothing that a cosine shows. One
 * by one in float32, 1 plus a million times 1e-8 stays 1.
 */
export function storagePrecision(): VerificationResult {
  const long = new Float32Array(dimensions + 1).fill(1e-4);
  long[0] = 1;
  const exact = 1 + dimensions * Math.fround(1e-4) ** 2;
  const stream = createStream(10, 'verify precision');
  // Entries have the size they have in a gradient of length 1 with 1e9 parameters.
  const heavy = (): number => (stream.normal() * Math.exp(1.5 * stream.normal())) / Math.sqrt(1e9);
  const a = Float64Array.from({ length: dimensions }, heavy);
  const b = a.map((value) => 0.3 * value + heavy());
  const cosineOf = (x: ArrayLike<number>, y: ArrayLike<number>): number | string =>
    gramCosine(gramOf([x, y]), 0, 1);
  const full = cosineOf(a, b);
  const kept = cosineOf(Float32Array.from(a), Float32Array.from(b));
  return resultOf([
    near('sum of 1 and a million squares of 1e-4', dot(long, long), exact, 1e-9),
    near('the same in a Gram matrix', gramOf([long]).at(0, 0), exact, 1e-9),
    below(
      'error of a cosine of a million numbers kept as float32',
      typeof full === 'number' && typeof kept === 'number' ? Math.abs(kept - full) : String(full),
      1e-9,
    ),
  ]);
}
