import { describe, expect, test } from 'vitest';
import { above, below, near, relative, resultOf } from '../../../src/analysis/verify/check.js';
import { checksOf } from '../../../src/analysis/verify/registry.js';
import { createSketcher } from '../../../src/train/groups/sketch.js';

const checks = checksOf({ createSketcher });

test.each(checks.map((check) => [check.id, check] as const))('%s', (_id, check) => {
  const { passed, comparisons, detail, expected, measured } = check.run();
  expect(comparisons.filter((comparison) => !comparison.passed)).toEqual([]);
  expect({ passed, expected, measured }).toMatchObject({
    passed: true,
    expected: comparisons[0]!.expected,
    measured: comparisons[0]!.measured,
  });
  expect(detail).not.toContain('FAILED');
});

test('the registry has every golden check once', () => {
  const ids = 'V0 V1 V2 V3 V4 V4b V5 V6 V7 V8 V9 V10 V11 V12 V13 V14'.split(' ');
  expect(checks.map(({ id }) => id)).toEqual(ids);
});

describe('a check fails', () => {
  test('when a number is off, is absent, or leaves its bound', () => {
    for (const bad of [
      near('x', 1.02, 1, 0.01),
      near('x', 'no minibatch', 1, 0.01),
      near('x', NaN, 1, 0.01),
      relative('x', -101, -100, 0.001),
      above('x', 0.9, 1),
      below('x', 'no minibatch', 1),
    ]) {
      expect(resultOf([near('y', 1, 1, 0), bad]).passed).toBe(false);
    }
    expect(resultOf([near('x', 'no minibatch', 1, 0.01)]).detail).toBe(
      'FAILED: x: absent (no minibatch) (1)',
    );
    expect(() => resultOf([])).toThrow('without comparisons');
  });

  test('and only then', () => {
    const good = [
      near('x', 1.01, 1, 0.011),
      relative('x', -100.1, -100, 0.01),
      above('x', 1, 1),
      below('x', 1, 1),
    ];
    expect(resultOf(good)).toMatchObject({ passed: true, expected: 1, measured: 1.01, relation: 'equal' });
  });
});
