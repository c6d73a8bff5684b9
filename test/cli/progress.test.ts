import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { formatDuration, ProgressLine, standardError } from '../../src/cli/progress.js';
import type { TrainingProgress } from '../../src/run/session.js';

beforeEach(() => void vi.useFakeTimers({ toFake: ['Date'] }));
afterEach(() => void vi.useRealTimers());

const progress = (step: number): TrainingProgress => ({
  stage: 'stage1',
  step,
  totalSteps: 1000,
  mayEndEarly: false,
  replicas: 8,
  loss: 0.5,
  metrics: [],
});

/** A line that was shown these steps, 10 s after one another, and what it wrote. */
function lineAfter(steps: readonly number[]): {
  readonly line: ProgressLine;
  readonly shown: readonly string[];
} {
  const shown: string[] = [];
  let milliseconds = 0;
  const line = new ProgressLine({
    isTerminal: true,
    columns: 200,
    write: (text) => void shown.push(text),
    now: () => milliseconds,
  });
  for (const step of steps) {
    line.update(progress(step));
    milliseconds += 10_000;
  }
  return { line, shown };
}

test('a line has stage, step, rate, time left and loss, by the clock that it was given', () => {
  const { line, shown } = lineAfter([1, 101, 201]);
  line.end();
  const text = shown.join('\n');
  expect(text).toContain('stage1 1/1000 (0 %)  loss 0.500');
  expect(text).toContain('stage1 101/1000 (10 %)  10 steps/s x 8 seeds  1 min 30 s left  loss 0.500');
  expect(text).toContain('stage1 201/1000 (20 %)  10 steps/s x 8 seeds  1 min 20 s left  loss 0.500');
});

test('runs that begin after others have a rate of their own', () => {
  const { shown } = lineAfter([1, 501, 1000, 1, 51]);
  expect(shown.at(-1)).toContain('stage1 51/1000 (5 %)  5.0 steps/s x 8 seeds  3 min 10 s left');
});

test('the clock of durations is not the clock of the day, which may be set', () => {
  const { now } = standardError();
  const before = now();
  vi.setSystemTime(Date.now() - 86_400_000);
  expect(now() - before).toBeGreaterThanOrEqual(0);
  vi.setSystemTime(Date.now() + 7 * 86_400_000);
  expect(now() - before).toBeLessThan(60_000);
});

test.each([
  [0.4, '0 s'],
  [59.6, '1 min 0 s'],
  [3599, '59 min 59 s'],
  [7500, '2 h 5 min'],
  [Infinity, '?'],
])('%d seconds are %s', (seconds, text) => {
  expect(formatDuration(seconds)).toBe(text);
});
