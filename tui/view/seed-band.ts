import { studentTQuantile } from '../../src/analysis/inference/distributions/student-t.js';
import type { Series, Values } from '../../src/report/charts/index.js';

/** The same curve of one run. */
export interface RunCurve {
  /** Ascending. */
  readonly x: ArrayLike<number>;
  readonly y: Values;
}

/**
 * Mean over runs of a curve, with the 95 % t interval of the mean as its band. A point that fewer than two runs have has
 * no band; one run alone is drawn as it is.
 */
export function seedBand(name: string, curves: readonly RunCurve[], color?: number): Series {
  const own = color === undefined ? {} : { color };
  const [first] = curves;
  if (first === undefined) return { name, x: [], y: [], ...own };
  if (curves.length === 1) return { name, x: first.x, y: first.y, ...own };
  const x = unionOf(curves);
  const [sum, squares, count] = [
    new Float64Array(x.length),
    new Float64Array(x.length),
    new Int32Array(x.length),
  ];
  for (const curve of curves) {
    eachAt(curve, x, (place, value) => {
      count[place]!++;
      // Welford's update, the sum holding the mean: values far from 0 keep their digits.
      const change = value - sum[place]!;
      sum[place]! += change / count[place]!;
      squares[place]! += change * (value - sum[place]!);
    });
  }
  const quantiles = Array.from({ length: curves.length + 1 }, (_, n) =>
    n < 2 ? NaN : studentTQuantile(0.975, n - 1),
  );
  const reach = (i: number): number => {
    const n = count[i]!;
    return n < 2 ? NaN : quantiles[n]! * Math.sqrt(squares[i]! / (n - 1) / n);
  };
  const mean = Float64Array.from(x, (_, i) => (count[i] === 0 ? NaN : sum[i]!));
  return {
    name,
    x,
    y: mean,
    low: Float64Array.from(x, (_, i) => mean[i]! - reach(i)),
    high: Float64Array.from(x, (_, i) => mean[i]! + reach(i)),
    ...own,
  };
}

/** What {@link seedBand} draws of so many runs, for a caption. */
export const bandNote = (runs: number): string =>
  runs < 2
    ? 'one seed, which has no interval over seeds'
    : `mean over ${runs} seeds; bands: 95 % t interval of the mean`;

function unionOf(curves: readonly RunCurve[]): Float64Array {
  const [first] = curves;
  const same = curves.every(
    ({ x }) => x.length === first!.x.length && Array.prototype.every.call(x, (at, i) => at === first!.x[i]),
  );
  if (same) return Float64Array.from(first!.x);
  const all = new Set<number>();
  for (const { x } of curves) for (let i = 0; i < x.length; i++) all.add(x[i]!);
  return Float64Array.from(all).sort();
}

function eachAt({ x, y }: RunCurve, all: Float64Array, use: (place: number, value: number) => void): void {
  let place = 0;
  for (let i = 0; i < x.length; i++) {
    while (place < all.length && all[place]! < x[i]!) place++;
    const value = y[i];
    if (all[place] === x[i] && typeof value === 'number' && Number.isFinite(value)) use(place, value);
  }
}
