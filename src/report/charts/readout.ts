import type { Readout } from './chart.js';
import { isShown } from './scale.js';
import type { Series } from './series.js';

/**
 * The sample of each series nearest to `x` (the first of two equally near); null where the series has ended or not
 * begun, and where the nearest sample has no value.
 */
export function readAt(series: readonly Series[], x: number): Readout {
  return { x, values: series.map((own) => ({ name: own.name, sample: nearest(own, x) })) };
}

function nearest({ x, y }: Series, cursor: number): { readonly x: number; readonly y: number } | null {
  let best = -1;
  let least = Infinity;
  let isBefore = false;
  let isAfter = false;
  for (let i = 0; i < x.length; i++) {
    const at = x[i]!;
    if (!Number.isFinite(at)) continue;
    if (at <= cursor) isBefore = true;
    if (at >= cursor) isAfter = true;
    const distance = Math.abs(at - cursor);
    if (distance >= least) continue;
    least = distance;
    best = i;
  }
  const value = y[best];
  return isBefore && isAfter && isShown(value, false) ? { x: x[best]!, y: value } : null;
}
