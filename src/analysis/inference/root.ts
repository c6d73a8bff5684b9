/**
 * The root of `f` between `low` and `high`, where it has opposite signs, to about 2 units of the last place. Method
 * of Chandrupatla, "A new hybrid quadratic/bisection algorithm for finding the zero of a nonlinear function without
 * using derivatives" (1997): inverse quadratic steps where they are safe, halving elsewhere. Throws a RangeError
 * when `f(low)` and `f(high)` have the same sign or are NaN.
 *
 * @example findRoot((x) => x * x - 2, 0, 2) // 1.4142135623730951
 */
export function findRoot(f: (x: number) => number, low: number, high: number): number {
  let [x1, x2] = [high, low];
  let [f1, f2] = [f(high), f(low)];
  if (f1 === 0) return x1;
  if (f2 === 0) return x2;
  if (!(f1 * f2 < 0) && !(Math.sign(f1) === -Math.sign(f2))) {
    throw new RangeError(`no change of sign between ${low} and ${high}: ${f2} and ${f1}`);
  }
  let step = 0.5;
  for (let i = 0; i < 300; i++) {
    const x = x1 + step * (x2 - x1);
    const fx = f(x);
    let [x3, f3] = [x1, f1];
    if (Math.sign(fx) !== Math.sign(f1)) {
      [x3, f3] = [x2, f2];
      [x2, f2] = [x1, f1];
    }
    [x1, f1] = [x, fx];
    const best = Math.abs(f2) < Math.abs(f1) ? x2 : x1;
    const least = (2 * Number.EPSILON * Math.abs(best) + Number.MIN_VALUE) / Math.abs(x2 - x1);
    if (least > 0.5 || f1 === 0) return best;
    const xi = (x1 - x2) / (x3 - x2);
    const phi = (f1 - f2) / (f3 - f2);
    step = 0.5;
    if (phi * phi < xi && (1 - phi) * (1 - phi) < 1 - xi) {
      step =
        (f1 / (f2 - f1)) * (f3 / (f2 - f3)) + ((x3 - x1) / (x2 - x1)) * (f1 / (f3 - f1)) * (f2 / (f3 - f2));
    }
    step = Math.min(1 - least, Math.max(least, step));
  }
  return x1;
}

/** `findRoot` of a decreasing `f`, positive at `low`: goes right by doubling steps until it is not. */
export function findRootAbove(f: (x: number) => number, low: number, firstStep: number): number {
  let step = firstStep;
  while (f(low + step) > 0) step *= 2;
  return findRoot(f, low, low + step);
}
