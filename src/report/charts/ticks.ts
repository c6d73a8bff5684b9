import type { Range, Scale } from './scale.js';

/**
 * Round values in a range, about `most`: multiples of 1, 2 or 5 times a power of ten, as `d3.ticks` (its thresholds
 * sqrt 50, sqrt 10, sqrt 2 keep the count nearest to what is asked).
 */
export const linearTicks = (range: Range, most: number): number[] => multiples(range, most, false);

/** Linear ticks with the next one beyond each end that is no tick itself. */
export const ticksAround = (range: Range, most: number): number[] => multiples(range, most, true);

function multiples([low, high]: Range, most: number, around: boolean): number[] {
  const [step, inverse] = tickStep(high / 2 - low / 2, Math.max(1, most));
  if (step === 0) return [];
  const [from, to] = inverse ? [low * step, high * step] : [low / step, high / step];
  const [first, last] = around ? [Math.floor(from), Math.ceil(to)] : [Math.ceil(from), Math.floor(to)];
  // Near the ends of double precision a multiple can be no neighbour of the one before it.
  if (!(last - first < 10_000) || !Number.isSafeInteger(first)) return [];
  return Array.from({ length: Math.max(0, last - first + 1) }, (_, i) => {
    const multiple = first + i;
    return multiple === 0 ? 0 : inverse ? multiple / step : multiple * step;
  });
}

/** The step for half a span; below 1 its reciprocal, so that ticks are the nearest doubles of their decimals. */
function tickStep(half: number, count: number): readonly [step: number, inverse: boolean] {
  const rough = (half / count) * 2;
  if (!(rough > 0) || !Number.isFinite(rough)) return [0, false];
  const power = Math.floor(Math.log10(rough));
  const error = rough / 10 ** power;
  const factor = error >= Math.sqrt(50) ? 10 : error >= Math.sqrt(10) ? 5 : error >= Math.sqrt(2) ? 2 : 1;
  // 10 ** 309 overflows: the smallest steps are not worth being exact.
  if (power < 0 && power > -300) return [10 ** -power / factor, true];
  return [10 ** power * factor, false];
}

/**
 * Powers of ten in a positive range, every second, third ... if there are more than `most`; with fewer than two of
 * them also their 2- and 5-fold; with fewer than two of these, linear ticks.
 */
export function logTicks([low, high]: Range, most: number): number[] {
  const first = Math.ceil(Math.log10(low) - 1e-9);
  const last = Math.floor(Math.log10(high) + 1e-9);
  const powers = Array.from({ length: Math.max(0, last - first + 1) }, (_, i) => first + i);
  if (powers.length >= 2) {
    const every = Math.ceil(powers.length / Math.max(2, most));
    // Counted from zero, so that 1 is among the ticks if it is in the range.
    const kept = powers.filter((power) => power % every === 0);
    return (kept.length >= 2 ? kept : [first, last]).map((power) => powerOfTen(power));
  }
  const finer = Array.from({ length: last - first + 3 }, (_, i) => first - 1 + i)
    .flatMap((power) => [1, 2, 5].map((factor) => Number(`${factor}e${power}`)))
    .filter((value) => value >= low && value <= high);
  return finer.length >= 2 ? finer : linearTicks([low, high], most);
}

/** The double nearest to a power of ten; `10 ** -6` need not be. */
const powerOfTen = (power: number): number => Number(`1e${power}`);

export const ticksOf = ({ range, log }: Scale, most: number): number[] =>
  log ? logTicks(range, most) : linearTicks(range, most);
