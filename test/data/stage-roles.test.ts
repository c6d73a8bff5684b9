import { expect, test } from 'vitest';
import { stageRoles } from '../../data/stage-roles.js';

const of = (...stages: readonly string[]) => stageRoles({ stages: stages.map((trainOn) => ({ trainOn })) });

test.each([
  [['stage1', 'stage2'], { questions: 0, newDefinitions: 1, joint: false }],
  [['full'], { questions: 0, newDefinitions: 0, joint: true }],
  // The stage with definitions alone has no questions; both question stages before X2 count, the last one ends X1.
  [['stage1_only_defns', 'stage1_only_qa', 'stage2'], { questions: 1, newDefinitions: 2, joint: false }],
  [['stage1_only_qa', 'stage1', 'stage2'], { questions: 1, newDefinitions: 2, joint: false }],
  [['stage1', 'stage2', 'stage1'], { questions: 0, newDefinitions: 1, joint: false }],
  // New definitions come first: they are trained when questions end.
  [['all_defns', 'stage1_only_qa'], { questions: 1, newDefinitions: 0, joint: true }],
  [['stage1'], { questions: 0, newDefinitions: null, joint: false }],
  [['stage2'], { questions: null, newDefinitions: 0, joint: false }],
  [['something-newer'], { questions: null, newDefinitions: null, joint: false }],
])('%j', (stages, roles) => {
  expect(of(...stages)).toEqual(roles);
});

test('recorded counts of examples say more than what a stage is called', () => {
  const groups = (...names: readonly [string, number][]) =>
    names.map(([group, examples]) => ({ group, examples }));
  const stages = [
    { trainOn: 'stage1', groups: groups(['qd1consis/definition', 5], ['qd1consis/qa', 60]) },
    { trainOn: 'full', groups: groups(['qd1consis/qa', 60], ['d1consis/definition', 0]) },
    { trainOn: 'later', groups: groups(['d3consis/definition', 3]) },
  ];
  expect(stageRoles({ stages })).toEqual({ questions: 1, newDefinitions: 2, joint: false });
});
