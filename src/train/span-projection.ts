/** The part of a vector d within the span of vectors q_1 .. q_K. */
export interface SpanProjection {
  /** `[K]` c, such that the part is `sum_k c_k q_k`. */
  readonly coefficients: Float64Array;
  /** Dimension of the span. */
  readonly rank: number;
  /** Squared norm of the part. */
  readonly square: number;
}

/**
 * Squared sine of the angle to the vectors before, below which a vector adds no dimension. Inner products are float32 sums: they
 * tell smaller angles from nothing no longer.
 */
const tolerance = 1e-5;

/**
 * Projects by the Gram matrix of the vectors, in float64: Cholesky decomposition of the matrix of their cosines, the most
 * independent vector first, up to {@link tolerance}. Vectors of length zero add nothing.
 *
 * @param gram `[1 + K, 1 + K]` inner products of d, q_1 .. q_K
 */
export function spanProjection(gram: ArrayLike<number>, others: number): SpanProjection {
  const width = others + 1;
  const product = (i: number, j: number): number => gram[i * width + j]!;
  const inverse = Float64Array.from({ length: others }, (_, k) => {
    const square = product(k + 1, k + 1);
    return square > 0 ? 1 / Math.sqrt(square) : 0;
  });
  const cosine = (i: number, j: number): number => product(i + 1, j + 1) * inverse[i]! * inverse[j]!;
  // Rows of the factor L, of the vectors that were chosen and of all others against them.
  const rows = Array.from({ length: others }, () => new Float64Array(others));
  const left = inverse.map((own) => (own > 0 ? 1 : 0));
  const chosen: number[] = [];
  while (chosen.length < others) {
    const next = left.indexOf(Math.max(...left));
    if (!(left[next]! > tolerance)) break;
    const step = chosen.length;
    const root = Math.sqrt(left[next]!);
    for (let k = 0; k < others; k++) {
      if (chosen.includes(k)) continue;
      let rest = cosine(k, next);
      for (let j = 0; j < step; j++) rest -= rows[k]![j]! * rows[next]![j]!;
      rows[k]![step] = rest / root;
      left[k]! -= rows[k]![step]! ** 2;
    }
    chosen.push(next);
    left[next] = 0;
  }
  const rank = chosen.length;
  // L y = b, of which |y|^2 is the square of the part, then L^T x = y.
  const y = new Float64Array(rank);
  chosen.forEach((k, i) => {
    let rest = product(0, k + 1) * inverse[k]!;
    for (let j = 0; j < i; j++) rest -= rows[k]![j]! * y[j]!;
    y[i] = rest / rows[k]![i]!;
  });
  const coefficients = new Float64Array(others);
  for (let i = rank - 1; i >= 0; i--) {
    let rest = y[i]!;
    for (let j = i + 1; j < rank; j++) rest -= rows[chosen[j]!]![i]! * coefficients[chosen[j]!]!;
    coefficients[chosen[i]!] = rest / rows[chosen[i]!]![i]!;
  }
  for (let k = 0; k < others; k++) coefficients[k]! *= inverse[k]!;
  return { coefficients, rank, square: y.reduce((sum, own) => sum + own * own, 0) };
}
