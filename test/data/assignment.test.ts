import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { UserError } from '../../data/errors.js';
import { assignSubsets, type Assignment } from '../../data/assignment.js';
import type { SetInclusionConfig } from '../../data/set-inclusion/config.js';
import { smallConfig } from './support/set-inclusion.js';

function sizes(config: SetInclusionConfig): Record<string, number> {
  return Object.fromEntries([...assignSubsets(config)].map(([name, members]) => [name, members.length]));
}

function assignmentOrError(config: SetInclusionConfig): Assignment | UserError {
  try {
    return assignSubsets(config);
  } catch (error) {
    if (error instanceof UserError) return error;
    throw error;
  }
}

const withAll = {
  qd1consis: 0.25,
  qd2incons: 0.25,
  q: 0.1,
  d1consis: 0.1,
  d2consis: 0.1,
  d3consis: 0.1,
  no_qd_baseline: 0.1,
};

describe('assignSubsets', () => {
  it('has the sizes of the published data', () => {
    expect(sizes(smallConfig({ variables: 8000 }))).toEqual({
      qd1consis: 3200,
      qd2incons: 3200,
      d1consis: 800,
      d2consis: 800,
    });
    const withThird = { qd1consis: 0.35, qd2incons: 0.35, d1consis: 0.1, d2consis: 0.1, d3consis: 0.1 };
    expect(sizes(smallConfig({ variables: 8000, fractions: withThird }))).toEqual({
      qd1consis: 2800,
      qd2incons: 2800,
      d1consis: 800,
      d2consis: 800,
      d3consis: 800,
    });
  });

  it.each([
    [0.5, 500, 500],
    [0.6, 600, 400],
    [0.7, 700, 300],
    [0.8, 800, 200],
    [0.9, 900, 100],
    [0.95, 950, 50],
    [0.97, 970, 30],
  ])('alpha %d divides both tags alike', (alpha, most, few) => {
    expect(sizes(smallConfig({ variables: 4000, alpha, fractions: withAll }))).toMatchObject({
      qd1consis: most,
      qd1incons: few,
      qd2incons: most,
      qd2consis: few,
    });
  });

  it('alpha 0 and 1 leave out what they leave nothing for', () => {
    expect(Object.keys(sizes(smallConfig({ alpha: 0 })))).toEqual([
      'qd1incons',
      'qd2consis',
      'd1consis',
      'd2consis',
    ]);
    expect(Object.keys(sizes(smallConfig()))).toEqual(['qd1consis', 'qd2incons', 'd1consis', 'd2consis']);
  });

  it('alpha and seedStage2 touch no other subset', () => {
    const base = assignSubsets(smallConfig({ fractions: withAll }));
    const half = assignSubsets(smallConfig({ fractions: withAll, alpha: 0.5 }));
    const redrawn = assignSubsets(smallConfig({ fractions: withAll, seedStage2: 1 }));
    for (const name of ['q', 'd1consis', 'd2consis', 'd3consis', 'no_qd_baseline'] as const) {
      expect(half.get(name)).toEqual(base.get(name));
    }
    for (const name of ['qd1consis', 'qd2incons', 'q', 'no_qd_baseline'] as const) {
      expect(redrawn.get(name)).toEqual(base.get(name));
    }
    expect(redrawn.get('d1consis')).not.toEqual(base.get('d1consis'));
  });

  it('uses every variable once, or says which subset is empty', () => {
    const shares = fc.array(fc.nat({ max: 10 }), { minLength: 7, maxLength: 7 });
    fc.assert(
      fc.property(
        fc.integer({ min: 2, max: 300 }),
        shares,
        fc.nat({ max: 10 }),
        (variables, weights, tenths) => {
          const total = weights.reduce((sum, weight) => sum + weight, 0);
          fc.pre(total > 0);
          const [qd1consis, qd2incons, q, d1consis, d2consis, d3consis, no_qd_baseline] = weights.map(
            (weight) => weight / total,
          );
          const fractions = { qd1consis, qd2incons, q, d1consis, d2consis, d3consis, no_qd_baseline };
          const config = smallConfig({ variables, fractions, alpha: tenths / 10 });
          const assignment = assignmentOrError(config);
          if (assignment instanceof UserError) return;
          const members = [...assignment.values()];
          expect(members.flat().sort((a, b) => a - b)).toEqual(
            Array.from({ length: variables }, (_, i) => i),
          );
          expect(members).toEqual(members.map((variables) => variables.toSorted((a, b) => a - b)));
        },
      ),
    );
  });

  it('names a subset that gets no variables', () => {
    const few = { qd1consis: 0.5, qd2incons: 0.49, d1consis: 0.01 };
    expect(() => assignSubsets(smallConfig({ variables: 10, fractions: few }))).toThrow(UserError);
    expect(() => assignSubsets(smallConfig({ variables: 10, fractions: few }))).toThrow(
      'data.fractions.d1consis: d1consis gets 0.01 of 10 variables, which is none; ' +
        'raise data.variables or its share, or make the share 0',
    );
    expect(() => assignSubsets(smallConfig({ variables: 30, alpha: 0.99 }))).toThrow(
      'data.alpha: qd1incons gets 0.004 of 30 variables',
    );
  });
});
