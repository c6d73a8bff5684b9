import { expect, test } from 'vitest';
import { scoreAnswer } from '../../../src/run/evaluation/answer-scores.js';

test.each([
  [' 1980s', ['1980s'], 1, 1],
  ['The  United Kingdom!', ['united kingdom'], 1, 1],
  ['an answer', ['a', 'Answer.'], 1, 1],
  // Articles are words of their own: "theatre" keeps its beginning.
  ['theatre', ['atre'], 0, 0],
  // Sets of 2 and 4 words, 2 of them common: 2 * 2 / 6.
  ['united kingdom', ['United Kingdom of Ireland'], 0, 2 / 3],
  ['red red blue', ['blue green'], 0, 0.5],
  ['', [''], 1, 1],
  ['the', [''], 1, 1],
  ['', ['x'], 0, 0],
  ['x', [], 0, 0],
])('%j against %j', (answer, right, exactMatch, f1) => {
  const scores = scoreAnswer(answer, right);
  expect(scores.exactMatch).toBe(exactMatch);
  expect(scores.f1).toBeCloseTo(f1, 12);
});
