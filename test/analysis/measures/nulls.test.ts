import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createStream } from '../../../data/random/streams.js';
import { hierarchicalMean } from '../../../src/analysis/inference/bootstrap/hierarchical-mean.js';
import { matchingTest } from '../../../src/analysis/inference/permutation/matching-test.js';
import { tagFlipTest } from '../../../src/analysis/inference/permutation/tag-flip.js';
import { gramMatrix, gramOf } from '../../../src/analysis/measures/gram.js';
import { cosineGram } from '../../../src/analysis/measures/cosine.js';
import { matched } from '../../../src/analysis/measures/nulls/matched.js';
import { matchedMinusMismatched, mismatched } from '../../../src/analysis/measures/nulls/mismatched.js';
import { matchingBlocks } from '../../../src/analysis/measures/nulls/panel.js';
import type { EntityValues, EntityPanel, PanelExample } from '../../../src/analysis/measures/nulls/panel.js';
import { entitySwap, swapContrast, tagSwap } from '../../../src/analysis/measures/nulls/swaps.js';
import { present } from './support/gradients.js';

const [definition, qa] = [{ kind: 'definition' }, { kind: 'qa' }];
const stream = createStream(5, 'nulls test');
const mean = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;
const byEntity = <K>({ entities, values }: EntityValues<K>): Map<K, number> =>
  new Map(entities.map((entity, e) => [entity, values[e]!]));

/**
 * Six variables of two tags, two questions each: what a variable's texts share is `own`, what its tag's share `tagged`,
 * what all share 1. A definition with the other tag shares no tag part, one of another entity no own part.
 */
function panelOf(own: number, tagged: number, order?: readonly number[]): EntityPanel<string> {
  const names = ['a', 'b', 'c', 'd', 'e', 'f'];
  const tagOf = (v: number): string => (v < 3 ? '+' : '-');
  const other = (v: number): string => (v < 3 ? '-' : '+');
  const vector = (v: number, tag: string, entity: boolean): number[] => [
    1,
    ...['+', '-'].map((name) => (name === tag ? tagged : 0)),
    ...names.map((_, n) => (n === v && entity ? own : 0)),
  ];
  const rows = names.flatMap((entity, v): { example: PanelExample<string>; vector: number[] }[] => [
    { example: { entity, tag: tagOf(v), kind: 'definition' }, vector: vector(v, tagOf(v), true) },
    { example: { entity, tag: other(v), kind: 'tag_swap' }, vector: vector(v, other(v), true) },
    { example: { entity, tag: tagOf(v), kind: 'entity_swap' }, vector: vector(v, tagOf(v), false) },
    { example: { entity, tag: tagOf(v), kind: 'qa' }, vector: vector(v, tagOf(v), true) },
    { example: { entity, tag: tagOf(v), kind: 'qa' }, vector: vector(v, tagOf(v), true) },
  ]);
  const shuffled = order?.map((i) => rows[i]!) ?? rows;
  return {
    gram: gramOf(shuffled.map((row) => row.vector)),
    examples: shuffled.map(({ example }) => example),
  };
}

describe('on a panel whose parts are known', () => {
  const panel = panelOf(2, 3);

  test('matched, and mismatched within tag and over all', () => {
    expect(present(matched(panel, definition, qa)).values).toEqual(new Array(6).fill(1 + 9 + 4));
    expect(present(mismatched(panel, definition, qa)).values).toEqual(new Array(6).fill(1 + 9));
    const contrast = present(matchedMinusMismatched(panel, definition, qa));
    expect(contrast.values).toEqual(new Array(6).fill(4));
    expect(contrast.leftOut).toEqual([]);
    // Of five others two have the tag.
    for (const value of present(mismatched(panel, definition, qa, 'all')).values) {
      expect(value).toBeCloseTo(1 + (2 / 5) * 9, 12);
    }
  });

  test('tag swap and entity swap', () => {
    const swap = present(swapContrast(panel, definition, { kind: 'tag_swap' }, qa));
    expect(swap.values).toEqual(new Array(6).fill(9));
    const entity = present(entitySwap(panel, definition, 'entity_swap', qa));
    expect(entity.values).toEqual(new Array(6).fill(4));
    expect(present(entitySwap(panelOf(0, 3), definition, 'entity_swap', qa)).values).toEqual(
      new Array(6).fill(0),
    );
    const renamed = {
      ...panel,
      examples: panel.examples.map((own) => (own.kind === 'tag_swap' ? { ...own, kind: 'definition' } : own)),
    };
    const signed = present(tagSwap(renamed, 'definition', { plus: '+', minus: '-' }, qa));
    expect(signed.values).toEqual([9, 9, 9, -9, -9, -9]);
    expect(() => matched(renamed, definition, qa)).toThrow('a is there with tags + and -: choose one');
  });

  test('goes by entity, not by place', () => {
    const order = Array.from(createStream(6, 'order').permutation(panel.gram.size));
    const shuffled = panelOf(2, 3, order);
    for (const measure of [matched, mismatched, matchedMinusMismatched]) {
      const [here, there] = [panel, shuffled].map((own) => byEntity(present(measure(own, definition, qa))));
      for (const [entity, value] of here!) expect(there!.get(entity)).toBeCloseTo(value, 12);
    }
  });

  test('feeds the inference room', () => {
    const contrast = present(matchedMinusMismatched(panel, definition, qa));
    expect(hierarchicalMean([contrast.values], stream)).toMatchObject({
      kind: 'value',
      estimate: 4,
      units: 6,
    });
    const blocks = matchingBlocks(panel, { ...definition, tag: '+' }, { ...qa, tag: '+' });
    expect(matchingTest(blocks, stream)).toMatchObject({ matched: 14, mismatched: 10 });
    const swap = present(swapContrast(panel, definition, { kind: 'tag_swap' }, qa));
    expect(tagFlipTest([swap.values], stream)).toMatchObject({ statistic: 9, pValue: 2 / 64 });
  });

  test('takes cosines as well', () => {
    const cosines = { ...panel, gram: present(cosineGram(panel.gram)) };
    for (const value of present(matched(cosines, definition, qa)).values) expect(value).toBeCloseTo(1, 12);
  });
});

describe('on any panel', () => {
  const panels = fc
    .tuple(
      fc.integer({ min: 2, max: 5 }),
      fc.array(fc.integer({ min: -9, max: 9 }), { minLength: 100, maxLength: 100 }),
    )
    .map(([n, products]): EntityPanel<number> => {
      const examples = Array.from({ length: 2 * n }, (_, i) => ({
        entity: i % n,
        tag: '+',
        kind: i < n ? 'definition' : 'qa',
      }));
      return { gram: gramMatrix(products.slice(0, 4 * n * n), 2 * n), examples };
    });

  test('matched minus mismatched is the difference of the two', () => {
    fc.assert(
      fc.property(panels, (panel) => {
        const difference = mean(present(matchedMinusMismatched(panel, definition, qa)).values);
        const own = mean(present(matched(panel, definition, qa)).values);
        expect(difference).toBeCloseTo(own - mean(present(mismatched(panel, definition, qa)).values), 10);
      }),
    );
  });
});

test('entities without a partner are left out and named; without any there is a reason', () => {
  const examples = [
    { entity: 1, tag: '+', kind: 'definition' },
    { entity: 2, tag: '+', kind: 'definition' },
    { entity: 1, tag: '+', kind: 'qa' },
  ];
  const panel = { gram: gramOf([[1], [2], [3]]), examples };
  expect(matched(panel, definition, qa)).toEqual({ entities: [1], values: [3], leftOut: [2] });
  expect(mismatched(panel, definition, qa)).toBe('no entity has a pair');
  expect(swapContrast(panel, definition, { kind: 'tag_swap' }, qa)).toBe('no entity has a pair');
  const broken = { ...panel, gram: gramMatrix(new Float64Array(9).fill(NaN), 3) };
  expect(matched(broken, definition, qa)).toBe('the value of 1 is NaN');
  expect(() => matched({ ...panel, examples: [] }, definition, qa)).toThrow(
    '0 examples described, 3 in the Gram matrix',
  );
});
