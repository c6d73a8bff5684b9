import type { Quantity } from './quantity.js';

/**
 * Something that holds by algebra or calculus where the program computes what it says: it can fail by a mistake or by
 * numerical error, and says nothing about the models. Shown beside the claims, never as one.
 */
export interface CheckSpec {
  readonly id: string;
  readonly check: string;
  /** Id of the quantity, which is 0 where it holds. */
  readonly quantity: string;
  /** Largest size that passes: of every seed's value (`seed`), or of the mean over seeds (`mean`, of random draws). */
  readonly tolerance: number;
  readonly of: 'seed' | 'mean';
}

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
export const checkSpecs: readonly CheckSpec[] = [
  {
    id: 'transferPathClosure',
    check:
      'the path integral by the trapezoidal rule adds up to the change of the loss, variable by variable (calculus)',
    quantity: 'transferPath.closure',
    tolerance: 0.05,
    of: 'seed',
  },
  {
    id: 'penaltyLawMean',
    check:
      'mean squared norms of minibatches drawn without replacement follow |G|^2 + (N-B)/(N-1) Gamma/B, mean over ' +
      'batch sizes (combinatorics)',
    quantity: 'penaltyLaw.meanDeviation',
    tolerance: 0.05,
    of: 'mean',
  },
  {
    id: 'epochDriftProjection',
    check:
      'the mean end point of shuffled short epochs differs from that with replacement, along the prediction of the variance penalty, by the predicted amount ' +
      '(expansion to second order)',
    quantity: 'epochDrift.projection',
    tolerance: 0.1,
    of: 'mean',
  },
];

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
