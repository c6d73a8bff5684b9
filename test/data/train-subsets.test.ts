import { describe, expect, it } from 'vitest';
import { UserError } from '../../data/errors.js';
import type { Design, GroupName } from '../../data/design.js';
import { internalizationDesign } from '../../data/internalization-design.js';
import { groupsOf } from '../../data/train-subsets.js';

const groups: GroupName[] = [
  'qd1consis/definition',
  'qd1consis/qa',
  'q/qa',
  'd1consis/definition',
  'd3consis/definition',
  'facts/qa',
];

const design: Design = {
  ...internalizationDesign,
  subsets: [
    ...internalizationDesign.subsets,
    {
      name: 'facts',
      part: 'facts',
      tag: null,
      consistent: null,
      trainsQuestions: true,
      description: 'sentences about entities',
    },
  ],
};

describe('groupsOf', () => {
  it.each([
    ['stage1', [0, 1, 2]],
    ['stage2', [3, 4]],
    ['full', [0, 1, 2, 3, 4]],
    ['stage1_only_defns', [0]],
    ['stage1_only_qa', [1, 2]],
    ['all_defns', [0, 3, 4]],
    ['facts', [5]],
  ] as const)('%s', (subset, indices) => {
    expect(groupsOf(subset, groups, design)).toEqual(indices);
  });

  it('refuses a subset without rows', () => {
    expect(() => groupsOf('stage2', ['q/qa'])).toThrow(UserError);
    expect(() => groupsOf('stage2', ['q/qa'])).toThrow(
      'the data have no rows for training on stage2: they hold q/qa',
    );
  });
});
