import type { Estimate } from '../../analysis/inference/estimate.js';

/** Three significant digits, `1.2e-5` where plain digits would be long; `+` in front where `signed`. */
export function formatNumber(value: number, signed = false): string {
  const sign = value < 0 ? '-' : signed ? '+' : '';
  const size = Math.abs(value);
  if (size === 0) return '0';
  if (size >= 1e5 || size < 1e-4) return `${sign}${size.toExponential(1)}`;
  // Three decimals at least read as three digits for shares and cosines, and line up in a column.
  const decimals = size >= 100 ? 0 : size >= 10 ? 1 : size >= 1 ? 2 : 3;
  return `${sign}${size < 0.01 ? size.toPrecision(2) : size.toFixed(decimals)}`;
}

/** `[low, high]`, or `none`. */
export function formatInterval(estimate: Estimate, signed = false): string {
  if (estimate.kind === 'absent') return '';
  if (estimate.interval === null) return 'none';
  return `[${estimate.interval.map((end) => formatNumber(end, signed)).join(', ')}]`;
}

/** `0.012`, `1.3e-5`, `< 1e-15`. */
export function formatPValue(p: number | null): string {
  if (p === null) return '';
  if (p < 1e-15) return '< 1e-15';
  return p < 1e-3 ? p.toExponential(0) : p.toFixed(3);
}

/** `0-3,7` for `[0, 1, 2, 3, 7]`. */
export function formatSeeds(seeds: readonly number[]): string {
  const ranges: [number, number][] = [];
  for (const seed of seeds.toSorted((a, b) => a - b)) {
    const last = ranges.at(-1);
    if (last !== undefined && seed === last[1] + 1) last[1] = seed;
    else ranges.push([seed, seed]);
  }
  return ranges.map(([first, last]) => (first === last ? `${first}` : `${first}-${last}`)).join(',');
}
