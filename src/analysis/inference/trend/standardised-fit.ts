import { Matrix, SingularValueDecomposition } from 'ml-matrix';

/** Predictors count as collinear when a direction among them is this small against the largest. */
const collinear = 1e-8;
/** A predictor has a part in a collinear direction from this weight on. */
const part = 0.1;

/** A least-squares fit in standardised columns. */
export type StandardisedFit =
  | {
      readonly kind: 'fit';
      /** `[column]`. */
      readonly slopes: readonly number[];
      /** `[column, column]` the inverse of Z'Z. */
      readonly inverse: Matrix;
      /** Residual sum of squares. */
      readonly residuals: number;
    }
  | { readonly kind: 'collinear'; readonly columns: readonly number[] };

/**
 * Fits `y` (`[row]`, centred) by `columns` (`[column][row]`, centred and scaled to variance 1), at least as many
 * rows as columns: with the singular values Z = U S V', slopes V S^-1 U'y and (Z'Z)^-1 = V S^-2 V'. Or the columns
 * that have a part in a direction that hardly varies.
 */
export function standardisedFit(
  columns: readonly (readonly number[])[],
  y: readonly number[],
): StandardisedFit {
  const z = new Matrix(y.map((_, row) => columns.map((column) => column[row]!)));
  const { diagonal, leftSingularVectors: u, rightSingularVectors: v } = new SingularValueDecomposition(z);
  const last = diagonal.length - 1;
  if (diagonal[last]! <= collinear * diagonal[0]!) {
    const involved = columns.flatMap((_, j) => (Math.abs(v.get(j, last)) > part ? [j] : []));
    return { kind: 'collinear', columns: involved };
  }
  const response = Matrix.columnVector([...y]);
  const scaled = Matrix.mul(v, 1).divRowVector([...diagonal]);
  const slopes = scaled.mmul(u.transpose().mmul(response));
  const rest = Matrix.sub(response, z.mmul(slopes));
  return {
    kind: 'fit',
    slopes: slopes.to1DArray(),
    inverse: scaled.mmul(scaled.transpose()),
    residuals: rest.dot(rest),
  };
}
