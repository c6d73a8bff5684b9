/** Mean of the squares. */
export function meanSquare(x: Float64Array): number {
  return x.reduce((sum, value) => sum + value * value, 0) / x.length;
}

/** LayerNorm with the population variance. */
export function normalise(
  x: Float64Array,
  gain: Float64Array,
  bias: Float64Array,
  epsilon: number,
): Float64Array {
  const mean = x.reduce((sum, value) => sum + value, 0) / x.length;
  const variance = meanSquare(x.map((value) => value - mean));
  const scale = 1 / Math.sqrt(variance + epsilon);
  return x.map((value, i) => (value - mean) * scale * gain[i]! + bias[i]!);
}

/** Replaces scores by their softmax. */
export function softmaxInPlace(scores: Float64Array): void {
  const max = Math.max(...scores);
  let sum = 0;
  for (let i = 0; i < scores.length; i++) sum += scores[i] = Math.exp(scores[i]! - max);
  for (let i = 0; i < scores.length; i++) scores[i]! /= sum;
}

/**
 * Standard normal distribution function to full double precision: the series
 * `1/2 + phi(x) (x + x^3/3 + x^5/15 + ...)` near 0 (Marsaglia 2004), a continued fraction in the tails.
 */
export function normalCdfFloat64(x: number): number {
  const density = Math.exp(-0.5 * x * x) / Math.sqrt(2 * Math.PI);
  if (Math.abs(x) < 6) {
    let term = x;
    let sum = x;
    for (let i = 3; sum + term !== sum; i += 2) sum += term *= (x * x) / i;
    return 0.5 + density * sum;
  }
  let fraction = Math.abs(x);
  for (let i = 40; i > 0; i--) fraction = Math.abs(x) + i / fraction;
  const tail = density / fraction;
  return x > 0 ? 1 - tail : tail;
}
