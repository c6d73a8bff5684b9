import { assertProbability } from '../check.js';

const logSqrtTwoPi = 0.5 * Math.log(2 * Math.PI);

/** Density of N(0, 1) at `x`. */
export function normalDensity(x: number): number {
  return Math.exp(-0.5 * x * x - logSqrtTwoPi);
}

/**
 * P(Z <= x) for Z from N(0, 1). Below 2 in size by the series Phi(x) = 1/2 + phi(x) (x + x^3/3 + x^5/(3*5) + ...)
 * (Marsaglia, "Evaluating the normal distribution", 2004), beyond by the continued fraction of Mills' ratio
 * (DLMF 7.9.3); relative error below 1e-13 in both tails. `x` may be infinite.
 *
 * @example normalCdf(1.959963984540054) // 0.975
 */
export function normalCdf(x: number): number {
  if (x <= -2) return upperTail(-x);
  if (x >= 2) return 1 - upperTail(x);
  let term = x;
  let sum = x;
  for (let k = 3; ; k += 2) {
    term *= (x * x) / k;
    if (sum + term === sum) break;
    sum += term;
  }
  return 0.5 + normalDensity(x) * sum;
}

/** P(Z > x) for x >= 2. At 2, the slowest, 64 levels of the fraction leave 1e-17. */
function upperTail(x: number): number {
  if (x === Infinity) return 0;
  let fraction = x;
  for (let level = 64; level >= 1; level--) fraction = x + level / fraction;
  return normalDensity(x) / fraction;
}

// Coefficients of PPND16: Wichura, "Algorithm AS 241: the percentage points of the normal distribution" (1988).
const centre = [
  3.387132872796366608, 133.14166789178437745, 1971.5909503065514427, 13731.693765509461125,
  45921.953931549871457, 67265.770927008700853, 33430.575583588128105, 2509.0809287301226727,
] as const;
const centreDivisor = [
  1, 42.313330701600911252, 687.1870074920579083, 5394.1960214247511077, 21213.794301586595867,
  39307.89580009271061, 28729.085735721942674, 5226.495278852854561,
] as const;
const middle = [
  1.42343711074968357734, 4.6303378461565452959, 5.7694972214606914055, 3.64784832476320460504,
  1.27045825245236838258, 0.24178072517745061177, 0.0227238449892691845833, 7.7454501427834140764e-4,
] as const;
const middleDivisor = [
  1, 2.05319162663775882187, 1.6763848301838038494, 0.68976733498510000455, 0.14810397642748007459,
  0.0151986665636164571966, 5.475938084995344946e-4, 1.05075007164441684324e-9,
] as const;
const far = [
  6.6579046435011037772, 5.4637849111641143699, 1.7848265399172913358, 0.29656057182850489123,
  0.026532189526576123093, 0.0012426609473880784386, 2.71155556874348757815e-5, 2.01033439929228813265e-7,
] as const;
const farDivisor = [
  1, 0.59983220655588793769, 0.13692988092273580531, 0.0148753612908506148525, 7.868691311456132591e-4,
  1.8463183175100546818e-5, 1.4215117583164458887e-7, 2.04426310338993978564e-15,
] as const;

function polynomial(coefficients: readonly number[], x: number): number {
  return coefficients.reduceRight((sum, coefficient) => sum * x + coefficient, 0);
}

/**
 * The x with P(Z <= x) = `p`, relative error about 1e-15. Throws a RangeError unless 0 < `p` < 1.
 *
 * @example normalQuantile(0.975) // 1.959963984540054
 */
export function normalQuantile(p: number): number {
  assertProbability('p', p);
  const q = p - 0.5;
  if (Math.abs(q) <= 0.425) {
    const r = 0.180625 - q * q;
    return (q * polynomial(centre, r)) / polynomial(centreDivisor, r);
  }
  const r = Math.sqrt(-Math.log(Math.min(p, 1 - p)));
  const size =
    r <= 5
      ? polynomial(middle, r - 1.6) / polynomial(middleDivisor, r - 1.6)
      : polynomial(far, r - 5) / polynomial(farDivisor, r - 5);
  return q < 0 ? -size : size;
}
