import { describe, expect, it } from 'vitest';
import { vocabularyOf } from '../../../data/set-inclusion/vocabulary.js';
import { paperConfig, smallConfig } from '../support/set-inclusion.js';

const names = ['ukj', 'bzj', 'zfv'];

describe('format compact', () => {
  it('numbers first, then padding, tags and answers, then the variables as inputs', () => {
    const vocabulary = vocabularyOf(smallConfig(), names);
    expect(vocabulary).toMatchObject({
      size: 21,
      outputSize: 21,
      variables: 3,
      padToken: 16,
      hasNewTag: false,
    });
    const tokens = [0, 15].map((number) => vocabulary.number(number));
    tokens.push(vocabulary.tag(1), vocabulary.tag(2), vocabulary.truth(true), vocabulary.truth(false));
    tokens.push(vocabulary.variable(0), vocabulary.variable(2));
    expect(tokens).toEqual([0, 15, 17, 18, 19, 20, 21, 23]);
    expect(vocabulary.decode([...tokens, 16, 99])).toBe(
      '0 15 define1 define2 true false ukj zfv [PAD] [UNK]',
    );
    expect(() => vocabulary.tag(3)).toThrow(RangeError);
  });

  it('has a third tag beside d3consis', () => {
    const fractions = { qd1consis: 0.4, qd2incons: 0.4, d1consis: 0.1, d3consis: 0.1 };
    const vocabulary = vocabularyOf(smallConfig({ fractions }), names);
    expect(vocabulary).toMatchObject({ size: 22, outputSize: 22, hasNewTag: true });
    expect(vocabulary.decode([vocabulary.tag(3), vocabulary.truth(true)])).toBe('define3 true');
  });
});

describe('format paper', () => {
  it('has the ids of the published tokenizer', () => {
    const vocabulary = vocabularyOf(paperConfig({ names: 'all' }), names);
    expect(vocabulary).toMatchObject({ size: 17711, outputSize: 17711, variables: 0, padToken: 0 });
    const { percent, equals } = vocabulary.separators!;
    const list = [86, 97, 48, 19, 16, 38, 63, 87].map((number) => vocabulary.number(number));
    const tokens = [vocabulary.variable(0), percent, ...list, equals, vocabulary.truth(true)];
    expect(tokens).toEqual([13924, 3, 95, 106, 57, 28, 25, 47, 72, 96, 2, 4]);
    expect(vocabulary.decode(tokens)).toBe('ukj % 86 97 48 19 16 38 63 87 = true');
    expect(vocabulary.decode([0, 1, 5, 6, 7, 8, 108, 109, 134, 135, 17710])).toBe(
      '[PAD] [UNK] false define1 define2 define3 99 a z aaa zzz',
    );
    expect(([1, 2, 3] as const).map((tag) => vocabulary.tag(tag))).toEqual([6, 7, 8]);
    expect(vocabulary.truth(false)).toBe(5);
  });

  it('can do with the names of the run, in alphabetical order', () => {
    const vocabulary = vocabularyOf(paperConfig(), names);
    expect(vocabulary).toMatchObject({ size: 138, outputSize: 138, variables: 0 });
    expect(names.map((_, i) => vocabulary.variable(i))).toEqual([136, 135, 137]);
    expect(vocabulary.decode([136, 135, 137])).toBe('ukj bzj zfv');
  });
});
