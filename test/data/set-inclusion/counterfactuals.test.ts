import { describe, expect, it } from 'vitest';
import { UserError } from '../../../data/errors.js';
import type { CounterfactualKind } from '../../../data/experiment.js';
import { allocateFields } from '../../../data/fields.js';
import { buildSetInclusion, type SetInclusionData } from '../../../data/set-inclusion/experiment.js';
import type { SubsetName } from '../../../data/subsets.js';
import {
  answerLoss,
  paperConfig,
  smallConfig,
  testSet,
  textLoss,
  valueOf,
  wordsOf,
} from '../support/set-inclusion.js';

const fractions = { qd1consis: 0.3, qd2incons: 0.3, q: 0.1, d1consis: 0.1, d2consis: 0.1, d3consis: 0.1 };
const data = buildSetInclusion(paperConfig({ fractions }), textLoss, 3);

/** The words of a counterfactual of the first variable of `subset`, beside those of its definition. */
function words(of: SetInclusionData, kind: CounterfactualKind, subset: SubsetName) {
  const { asTraining } = testSet(of, `train_defs_${subset}`);
  const variable = asTraining.variable[0]!;
  const buffers = allocateFields(asTraining.fields, 2);
  of.counterfactuals!.fill(kind, variable, 1, buffers);
  const tokens = Array.from(buffers['tokens']!.subarray(of.shape.blockSize));
  const kept = tokens.filter((token) => token !== of.vocabulary.padToken);
  return {
    variable,
    buffers,
    definition: wordsOf(of, asTraining, 0).split(' '),
    changed: of.vocabulary.decode(kept).split(' '),
  };
}

describe('counterfactuals', () => {
  it.each([
    ['qd1consis', 'define1', 'define2'],
    ['qd2incons', 'define2', 'define1'],
    ['d1consis', 'define1', 'define2'],
    ['d2consis', 'define2', 'define1'],
    ['d3consis', 'define3', 'define1'],
  ] as const)('tag_swap of %s: %s becomes %s', (subset, from, to) => {
    const { definition, changed } = words(data, 'tag_swap', subset);
    expect(definition[0]).toBe(from);
    expect(changed).toEqual([to, ...definition.slice(1)]);
  });

  it.each(['qd1consis', 'qd2incons', 'd3consis'] as const)('unseen_tag of %s', (subset) => {
    const { definition, changed } = words(data, 'unseen_tag', subset);
    expect(changed).toEqual(['define3', ...definition.slice(1)]);
  });

  it.each([
    ['qd1consis', 'falseValue'],
    ['qd2incons', 'value'],
    ['d1consis', 'falseValue'],
  ] as const)('entity_swap of %s names its %s', (subset, other) => {
    const { variable, definition, changed } = words(data, 'entity_swap', subset);
    expect(changed).toEqual([...definition.slice(0, -1), String(data.points[other][variable])]);
    expect(changed).not.toEqual(definition);
  });

  it('are training rows in every field', () => {
    const { asTraining } = testSet(data, 'train_defs_d1consis');
    const { buffers } = words(data, 'tag_swap', 'd1consis');
    const { queries } = data.shape;
    for (const name of ['positions', 'weights']) {
      expect(Array.from(buffers[name]!.subarray(queries))).toEqual(valueOf(asTraining, 0, name));
    }
    expect(buffers['variablePosition']![1]).toBe(1);
    expect(buffers['tokens']!.subarray(0, data.shape.blockSize).every((token) => token === 0)).toBe(true);
  });

  it('have a changed label where the number is the answer', () => {
    const small = buildSetInclusion(smallConfig({ variables: 50 }), answerLoss, 0);
    const { variable, buffers } = words(small, 'entity_swap', 'qd1consis');
    expect(buffers['labels']![1]).toBe(small.points.falseValue[variable]);
  });

  it('are refused for variables and kinds that do not have them', () => {
    const small = buildSetInclusion(
      smallConfig({ variables: 50, fractions: { ...fractions, q: 0.2, d3consis: 0 } }),
      answerLoss,
      0,
    );
    const counterfactuals = small.counterfactuals!;
    const buffers = allocateFields(small.training('full').fields, 1);
    expect(counterfactuals.kinds).toEqual(['tag_swap', 'entity_swap']);
    expect(() => counterfactuals.fill('unseen_tag', 0, 0, buffers)).toThrow(UserError);
    expect(() => counterfactuals.fill('unseen_tag', 0, 0, buffers)).toThrow(
      'no token for an unseen tag: give data.fractions.d3consis a share or use format paper',
    );
    const asked = testSet(small, 'q').examples.variable[0]!;
    expect(() => counterfactuals.fill('tag_swap', asked, 0, buffers)).toThrow(
      `variable ${asked} of q has no definition`,
    );
    expect(() => counterfactuals.fill('tag_swap', 50, 0, buffers)).toThrow('no variable 50 among 50');
    expect(data.counterfactuals!.kinds).toEqual(['tag_swap', 'entity_swap', 'unseen_tag']);
  });
});
