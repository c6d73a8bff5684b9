import { expect, test } from 'vitest';
import { mutatedConfigs, tryConfig } from '../support/mutate-config.js';

test('every mutated preset is refused in words or planned with possible values', () => {
  const faults: string[] = [];
  const outcomes = { refused: 0, planned: 0, fault: 0 };
  for (const { yaml, what } of mutatedConfigs(7, 300)) {
    const outcome = tryConfig(yaml);
    outcomes[outcome.kind]++;
    if (outcome.kind === 'fault') faults.push(`${what}: ${outcome.why}`);
  }
  expect(faults).toEqual([]);
  // Both ends are met often enough for the test to mean something.
  expect(outcomes.refused).toBeGreaterThan(100);
  expect(outcomes.planned).toBeGreaterThan(30);
});

test('the same seed gives the same configs', () => {
  const texts = (count: number): string[] => Array.from(mutatedConfigs(3, count), ({ yaml }) => yaml);
  expect(texts(20)).toEqual(texts(30).slice(0, 20));
});
