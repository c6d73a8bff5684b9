import { assertEqualLength } from '../inference/check.js';
import { measured } from './measured.js';
import type { Measured } from './measured.js';

/**
 * Share of the actual changes of a loss that is predicted, `sum predicted / sum actual`, a plain number: of one step
 * or entity, or added up over several before dividing. 1 is a prediction that closes, above 1 or below 0 one that does
 * not. The reason without changes, when the actual ones add up to 0 but for rounding, or for a number that is not
 * finite; throws a RangeError when there are not as many of both.
 */
export function explainedFraction(predicted: ArrayLike<number>, actual: ArrayLike<number>): Measured {
  assertEqualLength('predicted and actual changes', predicted, actual);
  if (actual.length === 0) return 'there are no changes';
  let [forecast, change, sizes] = [0, 0, 0];
  for (let i = 0; i < actual.length; i++) {
    forecast += predicted[i]!;
    change += actual[i]!;
    sizes += Math.abs(actual[i]!);
  }
  if (Math.abs(change) <= 16 * Number.EPSILON * sizes) return 'the loss did not change';
  return measured(forecast / change);
}
