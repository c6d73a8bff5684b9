import { describe, expect, test } from 'vitest';
import { createStream } from '../../data/random/streams.js';
import { checkSpecs, runChecks } from '../../src/analysis/checks.js';
import { makeQuantity, seedValue, type Quantity } from '../../src/analysis/quantity.js';

const quantity = (id: string, values: readonly (number | string)[]): Quantity =>
  makeQuantity(
    {
      id,
      label: id,
      unit: '1',
      values: values.map((value, seed) => seedValue(seed, value)),
      null: null,
      controls: [],
    },
    () => createStream(0, 'checks'),
  );

describe.each(checkSpecs)('$id', ({ id, quantity: own, tolerance, of }) => {
  test('passes within its tolerance and fails outside it, on either side', () => {
    for (const sign of [1, -1]) {
      const inside = quantity(own, [0, sign * 0.9 * tolerance, 0.5 * tolerance]);
      expect(runChecks([inside])).toMatchObject([{ id, passed: true }]);
      const outside = quantity(own, [sign * 1.2 * tolerance, sign * 1.1 * tolerance, sign * tolerance]);
      expect(runChecks([outside])).toMatchObject([{ id, passed: false }]);
    }
  });

  test(`one seed outside ${of === 'seed' ? 'fails it' : 'is not its mean'}; seeds without a value do not count`, () => {
    const one = quantity(own, [0, 0, 0, 1.5 * tolerance, 'not probed']);
    const [result] = runChecks([one]);
    expect(result!.passed).toBe(of === 'mean');
    expect(result!.reason).toContain(of === 'mean' ? 'mean over 4 seeds' : 'of seed 3');
    expect(runChecks([quantity(own, ['not probed'])])).toEqual([]);
  });
});

test('what was not measured is not checked', () => {
  expect(runChecks([])).toEqual([]);
});
