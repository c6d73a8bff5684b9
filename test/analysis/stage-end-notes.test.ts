import { expect, test } from 'vitest';
import { stageEndNotes } from '../../src/analysis/stage-end-notes.js';

test('says after how many updates stops were reached, and where they never were', () => {
  const run = (seed: number, steps: number, reason: 'distance' | 'epochs') => ({
    seed,
    stages: [
      { name: 'first', steps, plannedSteps: 40, end: { reason, trainingLoss: 0.5, distance: 2 } },
      { name: 'second', steps: 10, end: { reason: 'epochs' as const, trainingLoss: null, distance: null } },
    ],
  });
  expect(stageEndNotes([run(0, 12, 'distance'), run(1, 40, 'epochs'), run(2, 17, 'distance')])).toEqual([
    'Stage first: stop reached after 12 to 17 updates in 2 of 3 seeds (0, 2).',
    'Stage first: stop never reached in 1 of 3 seeds (1): it ended with its epochs, after 40 updates.',
  ]);
  // Not ended yet, and without a stop.
  expect(stageEndNotes([{ seed: 0, stages: [{ name: 'first', steps: 40, plannedSteps: 40 }] }])).toEqual([]);
  expect(stageEndNotes([{ seed: 0, stages: [{ name: 'first', steps: 40 }] }])).toEqual([]);
});
