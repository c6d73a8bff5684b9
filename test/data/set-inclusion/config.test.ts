import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { UserError } from '../../../data/errors.js';
import { setInclusionSchema, type SetInclusionConfig } from '../../../data/set-inclusion/config.js';
import { buildSetInclusion } from '../../../data/set-inclusion/experiment.js';
import { answerLoss, smallConfig } from '../support/set-inclusion.js';

const small = { variables: 1000, maxNumber: 15, listLength: 4 };

describe('setInclusionSchema', () => {
  it('fills in what is not given', () => {
    expect(setInclusionSchema.parse({ variables: 1000, listLength: 8 })).toEqual({
      variables: 1000,
      maxNumber: 99,
      listLength: 8,
      intersection: 1,
      labelFlipProbability: 0,
      fractions: {
        qd1consis: 0.4,
        qd2incons: 0.4,
        q: 0,
        d1consis: 0.1,
        d2consis: 0.1,
        d3consis: 0,
        no_qd_baseline: 0,
      },
      alpha: 1,
      definitionOrder: 'tve',
      format: 'compact',
      names: 'used',
      seedStage2: 0,
    });
  });

  it('accepts what it has filled in', () => {
    expect(setInclusionSchema.parse(smallConfig())).toEqual(smallConfig());
  });

  it('describes every key', () => {
    const schema = z.toJSONSchema(setInclusionSchema, { io: 'input' });
    expect(Object.entries(schema.properties ?? {}).length).toBeGreaterThan(10);
    for (const value of Object.values(schema.properties ?? {})) expect(value).toHaveProperty('description');
  });

  it.each([
    [{ variables: 0 }, 'variables'],
    [{ variables: 10.5 }, 'variables'],
    [{ variables: '1000' }, 'variables'],
    [{ listLength: undefined }, 'listLength'],
    [{ intersection: 0 }, 'intersection'],
    [{ alpha: 1.1 }, 'alpha'],
    [{ labelFlipProbability: -0.1 }, 'labelFlipProbability'],
    [{ fractions: { qd1consis: 1.5 } }, 'fractions.qd1consis'],
    [{ fractions: { qd1consis: 0.5, qd1incons: 0.5 } }, 'fractions'],
    [{ fractions: 0.5 }, 'fractions'],
    [{ definitionOrder: 'vtt' }, 'definitionOrder'],
    [{ format: 'long' }, 'format'],
    [{ seedStage2: 0.5 }, 'seedStage2'],
  ])('refuses %j', (changes, path) => {
    const { error } = setInclusionSchema.safeParse({ ...small, ...changes });
    expect(error?.issues.map((issue) => issue.path.join('.'))).toEqual([path]);
  });

  it('refuses misspelt keys', () => {
    expect(setInclusionSchema.safeParse({ ...small, numX: 8000 }).success).toBe(false);
  });
});

const none = { qd1consis: 0, qd2incons: 0, q: 0, d1consis: 0, d2consis: 0, d3consis: 0, no_qd_baseline: 0 };

const impossible: readonly [Partial<SetInclusionConfig>, string][] = [
  [
    { variables: 17577 },
    'data.variables: 17577 variables, but only 17576 names of three letters; use at most that many',
  ],
  [
    { intersection: 5 },
    'data.intersection: a true list shares 5 numbers but has 4; lower intersection or raise listLength',
  ],
  [
    { listLength: 16 },
    'data.listLength: false lists of 16 avoid 1 of the 16 numbers 0 to 15; lower listLength or raise maxNumber ' +
      'to 16 or more',
  ],
  [
    { fractions: { ...none, qd1consis: 0.5, qd2incons: 0.4 } },
    'data.fractions: they sum to 0.9; make it 1 (no_qd_baseline takes variables that are not trained on)',
  ],
  [
    { fractions: { ...none, qd1consis: 0.7, qd2incons: 0.7 } },
    'data.fractions: they sum to 1.4; make it 1 (no_qd_baseline takes variables that are not trained on)',
  ],
  [
    { format: 'paper', maxNumber: 100 },
    'data.maxNumber: the vocabulary of format paper ends at 99, not 100; lower it or use format compact',
  ],
  [
    { names: 'all' },
    'data.names: all names are words of format paper only; set names to used or format to paper',
  ],
  [
    { definitionOrder: 'tev' },
    'data.definitionOrder: a definition in order tev is answered with a variable, which format compact cannot; ' +
      'use format paper',
  ],
];

describe('values that are impossible together', () => {
  it.each(impossible)('%j is refused by the schema and by the builder', (changes, message) => {
    const { error } = setInclusionSchema.safeParse({ ...small, ...changes });
    expect(error?.issues.map((issue) => `data.${issue.path.join('.')}: ${issue.message}`)).toContain(message);
    const config = { ...smallConfig(), ...changes };
    expect(() => buildSetInclusion(config, answerLoss, 0)).toThrow(UserError);
    expect(() => buildSetInclusion(config, answerLoss, 0)).toThrow(message);
  });

  it('the longest lists that fit are accepted', () => {
    const data = buildSetInclusion(smallConfig({ variables: 10, listLength: 15 }), answerLoss, 0);
    expect(data.shape.blockSize).toBe(16);
  });

  it('a block that cuts rows is refused', () => {
    expect(() => buildSetInclusion(smallConfig({ blockSize: 4 }), answerLoss, 0)).toThrow(
      'data.blockSize: 4 is too small, the longest row has 5 tokens; raise it',
    );
  });
});
