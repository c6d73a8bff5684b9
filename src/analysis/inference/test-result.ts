import type { Absent, Resampling, Unit } from './estimate.js';
import type { TestName } from './methods.js';

/** The side on which a statistic counts as extreme. */
export type Alternative = 'two-sided' | 'greater' | 'less';

/** The outcome of a test of a null hypothesis. Plain numbers, all finite. */
export interface TestValue {
  readonly kind: 'value';
  readonly test: TestName;
  /** The observed test statistic; which one, the function that made it says. */
  readonly statistic: number;
  readonly pValue: number;
  readonly alternative: Alternative;
  /**
   * The smallest p-value that this test can give with so many units or draws: above 0.05 it can never reject at 5
   * %, and "not significant" says nothing.
   */
  readonly smallestPValue: number;
  /** What is exchanged or drawn under the null hypothesis. */
  readonly unit: Unit;
  /** Number of those units. */
  readonly units: number;
  /** Number of seeds in the data. */
  readonly seeds: number;
  /** Random draws behind the p-value; null for an exact enumeration or a formula. */
  readonly resampling: Resampling | null;
}

/** The outcome of a test, or why there is none. */
export type TestResult = TestValue | Absent;
