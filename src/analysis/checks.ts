import type { Quantity } from './quantity.js';
import { studies } from './studies/registry.js';
import type { CheckSpec } from './study.js';

/** How an identity came out. */
export interface CheckResult {
  readonly id: string;
  readonly check: string;
  readonly quantity: string;
  readonly tolerance: number;
  readonly passed: boolean;
  /** One sentence with the number behind it. */
  readonly reason: string;
}

/** Every check of a report. */
export const checkSpecs: readonly CheckSpec[] = studies.flatMap(({ checks = [] }) => checks);

/** Results of the checks whose quantity was measured. */
export function runChecks(quantities: readonly Quantity[]): CheckResult[] {
  return checkSpecs.flatMap(({ id, check, quantity, tolerance, of }) => {
    const own = quantities.find((one) => one.id === quantity);
    if (own === undefined || own.estimate.kind === 'absent') return [];
    const values = own.seeds.flatMap(({ seed, value }) => (value === null ? [] : [{ seed, value }]));
    const worst = values.reduce((a, b) => (Math.abs(b.value) > Math.abs(a.value) ? b : a), values[0]!);
    const found = of === 'mean' ? own.estimate.estimate : worst.value;
    const words =
      of === 'mean' ? `the mean over ${values.length} seeds` : `the largest, of seed ${worst.seed},`;
    const passed = Math.abs(found) <= tolerance;
    const value = Number(found.toPrecision(3));
    return [
      {
        id,
        check,
        quantity,
        tolerance,
        passed,
        reason: `${own.label}: ${words} is ${value}, ${passed ? 'within' : 'outside'} +-${tolerance}.`,
      },
    ];
  });
}
