import { createStream } from '../../../data/random/streams.js';
import { dot } from '../measures/gram.js';
import { below, near, resultOf } from './check.js';
import type { CheckResult, Comparison } from './check.js';
import { throughInt8, toBfloat16, toFloat16 } from './float-formats.js';

/** Numbers of a vector; entries have the size they have in a gradient of length 1 with 1e9 parameters. */
const dimensions = 1_000_000;

/** The limits are stated for 4e6 numbers; a mean over a quarter as many is twice as rough. */
const wider = Math.sqrt(4e6 / dimensions);

const cosine = (a: Float32Array, b: Float32Array): number => dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b));

const zeroed = (values: Float32Array): number =>
  values.reduce((count, value) => count + Number(value === 0), 0) / values.length;

function scaledFloat16(values: Float32Array): Float32Array {
  const most = values.reduce((largest, value) => Math.max(largest, Math.abs(value)), 0);
  return values.map((value) => toFloat16((value / most) * 1024));
}

function roundingErrors(): Comparison[] {
  const stream = createStream(10, 'verify precision');
  const heavy = (): number => stream.normal() * Math.exp(1.5 * stream.normal());
  const a = new Float32Array(dimensions);
  const b = new Float32Array(dimensions);
  for (let p = 0; p < dimensions; p++) {
    a[p] = heavy();
    b[p] = 0.3 * a[p]! + heavy();
  }
  for (const vector of [a, b]) {
    const scale = Math.sqrt(dimensions / dot(vector, vector) / 1e9);
    for (let p = 0; p < dimensions; p++) vector[p]! *= scale;
  }
  const exact = cosine(a, b);
  const error = (format: (values: Float32Array) => Float32Array): number =>
    Math.abs(cosine(format(a), format(b)) - exact);
  const plain = (values: Float32Array): Float32Array => values.map(toFloat16);
  return [
    below('error of a cosine in float16 with a scale', error(scaledFloat16), 1e-5 * wider),
    below('error in float16 without', error(plain), 1e-5 * wider),
    below('error in bfloat16', error(toBfloat16), 5e-5 * wider),
    below('error in int8 blocks of 64', error(throughInt8), 5e-4 * wider),
    below('zeroed in float16 with a scale', zeroed(scaledFloat16(a)), 1e-5),
    near('zeroed in float16 without', zeroed(plain(a)), 0.0213, 0.001),
    near('zeroed in int8', zeroed(throughInt8(a)), 0.2192, 0.005),
  ];
}

/** Relative error of the sum of 1e8 equal squares, one after the other. */
function sumError(round: (value: number) => number): number {
  const count = 1e8;
  const square = round(Math.fround(1 / Math.sqrt(1e9)) ** 2);
  let sum = 0;
  for (let i = 0; i < count; i++) {
    const next = round(sum + square);
    if (next === sum) break;
    sum = next;
  }
  return sum / (count * square) - 1;
}

/** V10: what storage formats do to a cosine, and float32 to a long sum. */
export function storagePrecision(): CheckResult {
  return resultOf([
    near('error of 1e8 squares summed in float32', sumError(Math.fround), -0.688, 0.001),
    near('summed in float64', sumError(Number), 0, 1e-6),
    ...roundingErrors(),
  ]);
}
