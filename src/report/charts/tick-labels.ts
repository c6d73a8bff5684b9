const suffixes = [
  [1e12, 'T'],
  [1e9, 'G'],
  [1e6, 'M'],
  [1e3, 'k'],
] as const;

/**
 * Labels of ticks, compact and told apart: `0`, `0.02`, `1.5k`, `1e-6`. Ticks of a linear axis all have as many
 * decimals as the finest needs.
 */
export function tickLabels(ticks: readonly number[], log: boolean): string[] {
  const largest = Math.max(0, ...ticks.map(Math.abs));
  if (log) return ticks.map((tick) => (tick >= 1e-3 && tick < 1e15 ? compact(tick) : exponential(tick)));
  if (largest >= 1e15 || largest < 1e-3) return ticks.map((tick) => exponential(tick));
  const decimals = Math.max(0, ...ticks.map((tick) => decimalsOf(tick)));
  return ticks.map((tick) => {
    const plain = decimals > 6 || tick === 0 ? compact(tick) : tick.toFixed(decimals);
    const short = withSuffix(tick);
    return short !== null && short.length <= plain.length ? short : plain;
  });
}

/** Digits after the point in the shortest writing of a number. */
function decimalsOf(value: number): number {
  const [digits, power] = Number(value.toPrecision(12)).toExponential().split('e');
  return Math.max(0, (digits!.split('.')[1]?.length ?? 0) - Number(power));
}

function compact(value: number): string {
  const plain = String(Number(value.toPrecision(12)));
  const short = withSuffix(value);
  return short !== null && short.length <= plain.length ? short : plain;
}

function withSuffix(value: number): string | null {
  const unit = suffixes.find(([size]) => Math.abs(value) >= size);
  return unit === undefined ? null : `${Number((value / unit[0]).toPrecision(12))}${unit[1]}`;
}

const exponential = (value: number): string =>
  value === 0 ? '0' : Number(value.toPrecision(12)).toExponential().replace('e+', 'e');

/** A value read off a chart: four significant digits, an exponent below 0.001 and from a million on. */
export function formatValue(value: number): string {
  const size = Math.abs(value);
  if (size !== 0 && (size < 1e-3 || size >= 1e6))
    return value
      .toExponential(3)
      .replace('e+', 'e')
      .replace(/\.?0+e/, 'e');
  return size >= 1000 ? String(Number(value.toFixed(1))) : String(Number(value.toPrecision(4)));
}
