import { describe, expect, it } from 'vitest';
import { UserError } from '../../../data/errors.js';
import type { ExampleSet, TrainSubset } from '../../../data/experiment.js';
import { buildSetInclusion } from '../../../data/set-inclusion/experiment.js';
import { subsets, type SubsetName } from '../../../data/subsets.js';
import {
  answerLoss,
  fillAll,
  paperConfig,
  smallConfig,
  testSet,
  textLoss,
  valueOf,
  wordsOf,
} from '../support/set-inclusion.js';

const sorted = (values: Iterable<number>) => Array.from(values).sort((a, b) => a - b);

describe('example sets', () => {
  const fractions = {
    qd1consis: 0.25,
    qd2incons: 0.25,
    q: 0.1,
    d1consis: 0.1,
    d2consis: 0.1,
    d3consis: 0.1,
    no_qd_baseline: 0.1,
  };
  const data = buildSetInclusion(paperConfig({ variables: 100, alpha: 0.6, fractions }), textLoss, 9);

  it('hold the rows of their groups, sorted by group and variable', () => {
    const full = data.training('full');
    const order = Array.from(full.group, (group, row) => group * 1000 + full.variable[row]!);
    expect(order).toEqual(sorted(order));
    expect(new Set(full.group).size).toBe(data.groups.length);
    for (const name of [
      'stage1',
      'stage2',
      'stage1_only_defns',
      'stage1_only_qa',
      'all_defns',
    ] as TrainSubset[]) {
      const groups = new Set(data.training(name).group);
      const expected = Array.from(full.group).filter((group) => groups.has(group));
      expect(Array.from(data.training(name).group)).toEqual(expected);
    }
    expect(data.training('stage1').size + data.training('stage2').size).toBe(full.size);
  });

  it('test every subset with variables, and its training rows', () => {
    const names = [...data.assignment.keys()].flatMap((subset) => [
      subset,
      ...(subsets[subset].tag === null ? [] : [`train_defs_${subset}`]),
      ...(subsets[subset].trainsQuestions ? [`train_questions_${subset}`] : []),
    ]);
    expect(data.assignment.size).toBe(9);
    expect(data.tests.map((test) => test.name).toSorted()).toEqual(names.toSorted());
    for (const { name, subset, examples, asTraining } of data.tests) {
      const variables = data.assignment.get(subset as SubsetName)!;
      expect(sorted(new Set(examples.variable))).toEqual(variables);
      expect(examples.size).toBe(variables.length * (name.startsWith('train_defs') ? 1 : 12));
      expect(asTraining.variable).toEqual(examples.variable);
      expect(asTraining.group).toEqual(examples.group);
      expect(
        examples.group.every((group) => (Object.hasOwn(subsets, name) ? group === -1 : group >= 0)),
      ).toBe(true);
    }
  });

  it('tags and consistency are those of the subset', () => {
    for (const { subset, examples } of data.tests.filter((test) => test.name.startsWith('train_defs'))) {
      const { tag, consistent } = subsets[subset as SubsetName];
      const filled = fillAll(examples);
      examples.variable.forEach((variable, row) => {
        const { value, falseValue, names } = data.points;
        const [named, other] = consistent ? [value, falseValue] : [falseValue, value];
        expect(wordsOf(data, examples, row)).toBe(`define${tag} ${names[variable]} %`);
        expect(filled['labels']![row]).toBe(data.vocabulary.number(named[variable]!));
        expect(filled['contrast']![row]).toBe(data.vocabulary.number(other[variable]!));
      });
    }
  });

  it('contrast a question with the opposite answer', () => {
    const { examples } = testSet(data, 'no_qd_baseline');
    const { labels, contrast } = fillAll(examples);
    const [yes, no] = [data.vocabulary.truth(true), data.vocabulary.truth(false)];
    expect(Array.from(labels!)).toEqual(
      Array.from({ length: examples.size }, (_, i) => (i % 12 < 6 ? yes : no)),
    );
    expect(Array.from(contrast!)).toEqual(Array.from(labels!, (label) => (label === yes ? no : yes)));
  });

  it('questions do not show their answers', () => {
    for (const { examples, asTraining } of data.tests) {
      for (const row of [0, examples.size - 1]) {
        const shown = wordsOf(data, examples, row);
        const answer = data.vocabulary.decode(valueOf(examples, row, 'labels'));
        expect(wordsOf(data, asTraining, row)).toBe(`${shown} ${answer}`);
        expect(valueOf(examples, row, 'positions')).toEqual([shown.split(' ').length - 1]);
      }
    }
  });

  it('labels are answers the model can give, positions lie in the row, weights sum to 1', () => {
    const compact = buildSetInclusion(smallConfig({ variables: 100, fractions }), textLoss, 0);
    for (const run of [data, compact]) {
      const check = (examples: ExampleSet) => {
        const { labels, positions, weights } = fillAll(examples);
        const queries = labels!.length / examples.size;
        expect(labels!.every((label) => label >= 0 && label < run.shape.outputSize)).toBe(true);
        expect(positions!.every((position) => position >= 0 && position < run.shape.blockSize)).toBe(true);
        for (let row = 0; row < examples.size; row++) {
          let total = 0;
          for (let query = 0; query < queries; query++) total += weights![row * queries + query]!;
          expect(total).toBeCloseTo(1, 6);
        }
      };
      check(run.training('full'));
      for (const { examples } of run.tests) check(examples);
    }
  });

  it('variablePosition points at the variable', () => {
    const compact = buildSetInclusion(smallConfig({ variables: 100, definitionOrder: 'vte' }), answerLoss, 0);
    const full = compact.training('full');
    const { tokens, variablePosition } = fillAll(full);
    full.variable.forEach((variable, row) => {
      const token = tokens![row * compact.shape.blockSize + variablePosition![row]!];
      expect(token).toBe(compact.shape.vocabularySize + variable);
    });
  });

  it('a run without stage 2 has none', () => {
    const run = buildSetInclusion(
      smallConfig({ variables: 20, fractions: { qd1consis: 0.5, qd2incons: 0.5 } }),
      answerLoss,
      0,
    );
    expect(() => run.training('stage2')).toThrow(UserError);
    expect(run.training('full').size).toBe(run.training('stage1').size);
  });
});

describe('alpha', () => {
  it('changes no variable, no question and no stage-2 row', () => {
    const [one, half] = [1, 0.5].map((alpha) => buildSetInclusion(smallConfig({ alpha }), answerLoss, 2));
    expect(half!.points).toEqual(one!.points);
    expect(fillAll(half!.training('stage2'))).toEqual(fillAll(one!.training('stage2')));
    expect(half!.training('stage1').size).toBe(one!.training('stage1').size);
  });
});
