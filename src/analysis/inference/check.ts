import type { Unit } from './estimate.js';

const plural: Readonly<Record<Unit, string>> = { seed: 'seeds', entity: 'entities' };

/** `3 seeds`, `1 entity`. */
export function count(n: number, unit: Unit): string {
  return `${n} ${n === 1 ? unit : plural[unit]}`;
}

/**
 * Why `values` (one a unit) cannot be analysed, or null: fewer than `atLeast`, or one that is not finite, as after
 * a run that diverged. That is a fact about the data and makes a result absent; a wrong argument throws.
 */
export function unusable(values: ArrayLike<number>, atLeast: number, unit: Unit): string | null {
  if (values.length < atLeast) return `${count(values.length, unit)}, at least ${atLeast} needed`;
  for (let i = 0; i < values.length; i++) {
    if (!Number.isFinite(values[i])) return `${unit} ${i + 1} of ${values.length} is ${values[i]}`;
  }
  return null;
}

/** Throws a RangeError unless 0 < `probability` < 1. */
export function assertProbability(name: string, probability: number): void {
  if (!(probability > 0 && probability < 1))
    throw new RangeError(`${name} is not between 0 and 1: ${probability}`);
}

/** Throws a RangeError unless `value` is an integer of at least `least`. */
export function assertInteger(name: string, value: number, least: number): void {
  if (!Number.isSafeInteger(value) || value < least) {
    throw new RangeError(`${name} is no integer of at least ${least}: ${value}`);
  }
}

/** Throws a RangeError unless both arrays are equally long. */
export function assertEqualLength(what: string, a: ArrayLike<unknown>, b: ArrayLike<unknown>): void {
  if (a.length !== b.length) throw new RangeError(`${what} differ in length: ${a.length} and ${b.length}`);
}
