import { describe, expect, test } from 'vitest';
import { composedEpoch } from '../../data/composed-epoch.js';
import { compositionShape, type ComposedRows, type Composition } from '../../data/composition.js';
import { mismatchedUnits, pairCounter, pairUnits, type PairUnit } from '../../data/pairs.js';
import { createStream } from '../../data/random/streams.js';

const places = ['together', 'apart'] as const;

/** Units of consecutive rows from 0 on; the rows behind them are of none. */
const unitsOf = ({ variables, questionsPerVariable: k }: ComposedRows): PairUnit[] =>
  Array.from({ length: variables }, (_, unit) => ({
    definition: unit * (k + 1),
    questions: Array.from({ length: k }, (_, i) => unit * (k + 1) + 1 + i),
  }));

const rowsOf = (
  examples: number,
  batchSize: number,
  variables: number,
  questionsPerVariable: number,
): ComposedRows => ({ examples, batchSize, variables, questionsPerVariable });

describe('every epoch holds each row once, in minibatches of the sizes of a shuffled one, with the placed units in place', () => {
  test.each([
    // Rows beside the units, a smaller last minibatch, a share of them, and all.
    [rowsOf(50, 8, 9, 3), 0.5],
    [rowsOf(36, 8, 9, 3), 1],
    [rowsOf(24, 4, 12, 1), 1],
    [rowsOf(23, 6, 7, 2), 0.4],
    [rowsOf(3120, 128, 240, 12), 0.9],
    // As many minibatches as a unit has rows, full of them: every unit has one row in each.
    [rowsOf(36, 12, 12, 2), 1],
  ] as const)('%j, share %d', (rows, share) => {
    for (const place of places) {
      const shape = compositionShape(rows, { share, place });
      expect(shape.units).toBe(Math.round(share * rows.variables));
      const unitOf = (row: number): number =>
        Math.floor(row / shape.unitSize) < rows.variables ? Math.floor(row / shape.unitSize) : -1;
      for (let epoch = 0; epoch < 20; epoch++) {
        const random = createStream(epoch, 'composition');
        const minibatches = composedEpoch(shape, place, unitsOf(rows), random);
        expect(minibatches.map((own) => own.length)).toEqual(
          Array.from({ length: Math.ceil(rows.examples / rows.batchSize) }, (_, k) =>
            Math.min(rows.batchSize, rows.examples - k * rows.batchSize),
          ),
        );
        const seen = minibatches.flatMap((own) => [...own]).sort((a, b) => a - b);
        expect(seen).toEqual(Array.from({ length: rows.examples }, (_, row) => row));
        const minibatchOf = new Map(minibatches.flatMap((own, k) => Array.from(own, (row) => [row, k])));
        const spans = Array.from(
          { length: rows.variables },
          (_, unit) =>
            new Set(
              Array.from({ length: shape.unitSize }, (_, i) => minibatchOf.get(unit * shape.unitSize + i)),
            ).size,
        );
        const wanted = place === 'together' ? 1 : shape.unitSize;
        expect(spans.filter((own) => own === wanted).length).toBeGreaterThanOrEqual(shape.units);
        // How many of its rows are placed is the same every epoch, up to which whole minibatch has how many.
        expect(seen.filter((row) => unitOf(row) < 0).length).toBe(
          rows.examples - rows.variables * shape.unitSize,
        );
      }
    }
  });

  test('is a function of the stream', () => {
    const rows = rowsOf(50, 8, 9, 3);
    for (const place of places) {
      const shape = compositionShape(rows, { share: 0.5, place });
      const draw = (seed: number) =>
        composedEpoch(shape, place, unitsOf(rows), createStream(seed, 'composition'));
      expect(draw(1)).toEqual(draw(1));
      expect(draw(1)).not.toEqual(draw(2));
    }
  });
});

describe('pairs that do not fit are refused', () => {
  const refusal = (rows: ComposedRows, own: Pick<Composition, 'share' | 'place'>) => () =>
    compositionShape(rows, own);

  test.each([
    [
      rowsOf(20, 1, 10, 1),
      1,
      'together',
      /^10 times a definition and its 1 questions do not fit together into 20 minibatches of 1 rows: set batchSize to 2 or more$/,
    ],
    [rowsOf(26, 8, 2, 12), 1, 'together', /set batchSize to 13 or more$/],
    [rowsOf(3120, 128, 240, 12), 1, 'together', /lower share to 0\.9125, or choose another batchSize$/],
    [rowsOf(26, 8, 2, 12), 1, 'apart', /set batchSize so that there are 13 minibatches or more$/],
    [rowsOf(20, 20, 10, 1), 1, 'apart', /every minibatch has all rows/],
    [rowsOf(20, 4, 10, 1), 0.04, 'apart', /a share of 0\.04 of 10 variables is none/],
  ] as const)('%j, share %d, %s', (rows, share, place, message) => {
    expect(refusal(rows, { share, place })).toThrow(message);
  });

  test('the share that the message names fits, and no larger one', () => {
    const rows = rowsOf(3120, 128, 240, 12);
    expect(refusal(rows, { share: 0.9125, place: 'together' })).not.toThrow();
    expect(refusal(rows, { share: 0.9166, place: 'together' })).toThrow('do not fit');
  });
});

describe('pairs of a training set', () => {
  const groups = ['a/definition', 'a/qa', 'b/definition', 'b/qa', 'c/qa'];
  const set = {
    //                      a      a     b  a        b     c
    group: Int32Array.of(0, 1, 1, 0, 2, 1, 1, 3, 3, 2, 3, 3, 4),
    variable: Int32Array.of(5, 5, 6, 6, 7, 5, 6, 7, 8, 8, 8, 7, 9),
  };

  test('units have one definition and its questions', () => {
    expect(pairUnits(set, groups)).toEqual([
      { definition: 0, questions: [1, 5] },
      { definition: 3, questions: [2, 6] },
      { definition: 4, questions: [7, 11] },
      { definition: 9, questions: [8, 10] },
    ]);
  });

  test('the placebo stays within a subset and leaves nobody its own', () => {
    const units = pairUnits(set, groups);
    expect(mismatchedUnits(units, set, groups, createStream(0, 'pairs'))).toEqual([
      { definition: 0, questions: [2, 6] },
      { definition: 3, questions: [1, 5] },
      { definition: 4, questions: [8, 10] },
      { definition: 9, questions: [7, 11] },
    ]);
    expect(() => mismatchedUnits(units.slice(0, 3), set, groups, createStream(0, 'pairs'))).toThrow(
      'mismatched pairs need a second variable in every subset (b/definition b/qa have one)',
    );
  });

  test('are counted among any rows', () => {
    const count = pairCounter(set, groups);
    expect(count(set.variable.keys())).toEqual({ definitions: 4, questions: 9, matched: 8 });
    expect(count([0, 1, 5, 6, 7, 4])).toEqual({ definitions: 2, questions: 4, matched: 3 });
    expect(count([1, 12])).toEqual({ definitions: 0, questions: 2, matched: 0 });
  });

  test('that cannot be placed are refused', () => {
    const only = (rows: readonly number[]) => ({
      group: Int32Array.from(rows, (row) => set.group[row]!),
      variable: Int32Array.from(rows, (row) => set.variable[row]!),
    });
    expect(() => pairUnits(only([1, 2, 12]), groups)).toThrow('none of its variables has both');
    expect(() => pairUnits(only([0, 1, 5, 3, 2]), groups)).toThrow(
      'a variable has 1 definitions and 1 questions, and the first one 1 and 2: every one must have one definition and as ' +
        'many questions',
    );
  });
});
