import { describe, expect, test } from 'vitest';
import { composedEpoch } from '../../../data/composed-epoch.js';
import { compositionShape, type Composition } from '../../../data/composition.js';
import { createStream } from '../../../data/random/streams.js';
import {
  cooccurrenceLaw,
  sharingProbabilities,
  shuffledSharing,
  type PairedRows,
} from '../../../src/analysis/measures/cooccurrence-law.js';
import { permutationsOf, range } from '../../../src/analysis/verify/enumerate.js';

const places = ['together', 'apart'] as const;

/** Rows: units of a definition and `k` questions one after the other, then lone definitions, then lone questions. */
function paired(
  batchSize: number,
  [variables, k]: readonly [number, number],
  [loneDefinitions, loneQuestions] = [0, 0],
): PairedRows {
  return {
    examples: variables * (k + 1) + loneDefinitions + loneQuestions,
    batchSize,
    variables,
    questionsPerVariable: k,
    definitions: variables + loneDefinitions,
    questions: variables * k + loneQuestions,
  };
}

/** Definition-question pairs of rows, by kind; the placebo's are those of a definition and the next unit's questions. */
function pairsOf({ examples, variables, questionsPerVariable: k, definitions }: PairedRows) {
  const g = k + 1;
  const inUnits = variables * g;
  const unitOf = (row: number): number => (row < inUnits ? Math.floor(row / g) : -1 - row);
  const isDefinition = (row: number): boolean =>
    row < inUnits ? row % g === 0 : row < inUnits + definitions - variables;
  const pairs = { matched: [] as [number, number][], mismatched: [] as [number, number][] };
  const placebo: [number, number][] = [];
  for (const d of range(examples).filter(isDefinition)) {
    for (const q of range(examples).filter((row) => !isDefinition(row))) {
      pairs[unitOf(d) === unitOf(q) ? 'matched' : 'mismatched'].push([d, q]);
      if (unitOf(d) >= 0 && (unitOf(d) + 1) % variables === unitOf(q)) placebo.push([d, q]);
    }
  }
  return { ...pairs, placebo };
}

/** Units of the composition, as rows. */
function unitRows(rows: PairedRows, pairs: Composition['pairs']): number[][] {
  const { variables, questionsPerVariable: k } = rows;
  return range(variables).map((unit) => {
    const asked = pairs === 'matched' ? unit : (unit + 1) % variables;
    return [unit * (k + 1), ...range(k).map((i) => asked * (k + 1) + 1 + i)];
  });
}

const subsets = (items: readonly number[], size: number): number[][] =>
  size === 0
    ? [[]]
    : items.flatMap((own, i) => subsets(items.slice(i + 1), size - 1).map((others) => [own, ...others]));

/**
 * Means over every order of the rows that the composition allows, each equally likely: of every choice of units, all orders
 * in which the units chosen are in place and the minibatches have the numbers of placed rows that they have by design.
 */
function enumerated(rows: PairedRows, composition: Composition) {
  const { examples, batchSize, variables } = rows;
  const n = Math.round(composition.share * variables);
  const { placed, sizes } = compositionShape(rows, composition);
  const units = unitRows(rows, composition.pairs);
  const design = placed.slice(0, -1).toSorted((a, b) => a - b);
  const met = Array.from({ length: examples }, () => new Float64Array(examples));
  let allowed = 0;
  const orders = permutationsOf(range(examples));
  for (const order of orders) {
    const at = new Int32Array(examples);
    order.forEach((row, place) => (at[row] = Math.floor(place / batchSize)));
    for (const chosen of subsets(range(variables), n)) {
      const spans = chosen.map((unit) => new Set(units[unit]!.map((row) => at[row])).size);
      const wanted = composition.place === 'together' ? 1 : units[0]!.length;
      if (spans.some((own) => own !== wanted)) continue;
      const counts = new Array<number>(sizes.length).fill(0);
      for (const unit of chosen) for (const row of units[unit]!) counts[at[row]!]!++;
      const isWhole = sizes.at(-1) === batchSize;
      const found = (isWhole ? counts : counts.slice(0, -1)).toSorted((a, b) => a - b);
      if (String(found) !== String(isWhole ? placed.toSorted((a, b) => a - b) : design)) continue;
      allowed++;
      for (let i = 0; i < examples; i++)
        for (let j = 0; j < examples; j++) if (at[i] === at[j]) met[i]![j]!++;
    }
  }
  return (pairs: readonly [number, number][]): number =>
    pairs.reduce((sum, [i, j]) => sum + met[i]![j]! / allowed, 0) / pairs.length;
}

describe('the law is the mean over everything that a composition can draw', () => {
  const cases = [
    // Pairs alone; a share of them; a smaller last minibatch; lone rows of each kind; groups of three.
    [paired(4, [4, 1]), 1],
    [paired(4, [4, 1]), 0.5],
    [paired(3, [3, 1], [1, 0]), 0.67],
    [paired(3, [2, 1], [1, 2]), 1],
    [paired(3, [2, 2], [0, 2]), 0.5],
    [paired(3, [2, 2], [1, 1]), 1],
  ] as const;
  test.each(
    cases.flatMap(([rows, share]) =>
      places.flatMap((place) =>
        (['matched', 'mismatched'] as const).map((pairs) => [rows, { pairs, share, place }] as const),
      ),
    ),
  )('%j, %j', (rows, composition) => {
    const { matched, mismatched, placebo } = pairsOf(rows);
    const mean = enumerated(rows, composition);
    const law = cooccurrenceLaw(rows, composition);
    expect(law.matched).toBeCloseTo(mean(matched), 12);
    expect(law.mismatched).toBeCloseTo(mean(mismatched), 12);
    expect(law.assigned).toBeCloseTo(mean(composition.pairs === 'matched' ? matched : placebo), 12);
  });
});

describe('the sampler draws what its law says', () => {
  test.each(
    [
      [paired(8, [9, 3], [5, 9]), 0.4],
      [paired(8, [9, 3], [5, 9]), 1],
      [paired(12, [13, 2]), 1],
      [paired(10, [12, 4], [0, 3]), 0.75],
    ].flatMap(([rows, share]) =>
      places.map((place) => [rows as PairedRows, share as number, place] as const),
    ),
  )('%j, share %d, %s', (rows, share, place) => {
    const draws = 1500;
    for (const pairs of ['matched', 'mismatched'] as const) {
      const composition = { pairs, share, place };
      const shape = compositionShape(rows, composition);
      const units = unitRows(rows, pairs).map(([definition, ...questions]) => ({
        definition: definition!,
        questions,
      }));
      const random = createStream(3, 'law');
      const kinds = pairsOf(rows);
      const classes = [kinds.matched, kinds.mismatched, pairs === 'matched' ? kinds.matched : kinds.placebo];
      const means = classes.map(() => [] as number[]);
      for (let draw = 0; draw < draws; draw++) {
        const at = new Int32Array(rows.examples);
        composedEpoch(shape, place, units, random).forEach((own, k) => own.forEach((row) => (at[row] = k)));
        classes.forEach((own, c) =>
          means[c]!.push(own.filter(([d, q]) => at[d] === at[q]).length / own.length),
        );
      }
      const law = cooccurrenceLaw(rows, composition);
      [law.matched, law.mismatched, law.assigned].forEach((expected, c) => {
        const mean = means[c]!.reduce((sum, own) => sum + own, 0) / draws;
        const variance = means[c]!.reduce((sum, own) => sum + (own - mean) ** 2, 0) / (draws - 1);
        // 4 standard errors; an event that is certain or impossible has none.
        expect(Math.abs(mean - expected)).toBeLessThanOrEqual(4 * Math.sqrt(variance / draws) + 1e-12);
      });
    }
  });
});

describe('of pairs alone, in whole minibatches, it is the published one', () => {
  test.each([
    [12, 4],
    [24, 6],
    [40, 2],
  ])('N = %i, B = %i', (N, B) => {
    const rows = paired(B, [N / 2, 1]);
    const at = (place: Composition['place']) =>
      sharingProbabilities(compositionShape(rows, { share: 1, place }), place);
    expect(at('together')).toMatchObject({ within: 1, across: (B - 2) / (N - 2) });
    expect(at('apart').within).toBe(0);
    expect(at('apart').across).toBeCloseTo((B - 1) / (N - 2), 14);
    expect(shuffledSharing(N, B)).toBeCloseTo((B - 1) / (N - 1), 14);
  });

  test('a row meets as many others whatever is placed', () => {
    const rows = paired(8, [9, 3], [5, 9]);
    const meetings = [8, 8, 8, 8, 8, 8, 2].reduce((sum, size) => sum + size * (size - 1), 0);
    expect(shuffledSharing(50, 8) * 50 * 49).toBeCloseTo(meetings, 10);
    for (const place of places) {
      for (const share of [0.2, 0.6, 1]) {
        const shape = compositionShape(rows, { share, place });
        const { within, across, placedOther, others } = sharingProbabilities(shape, place);
        const [n, g] = [shape.units, shape.unitSize];
        const free = 50 - n * g;
        const all =
          n * g * (g - 1) * within +
          n * (n - 1) * g * g * across +
          2 * n * g * free * placedOther +
          free * (free - 1) * others;
        expect(all).toBeCloseTo(meetings, 9);
      }
    }
  });

  test('minibatches of all rows, or of one', () => {
    expect(shuffledSharing(10, 10)).toBe(1);
    expect(shuffledSharing(10, 1)).toBe(0);
    expect(shuffledSharing(1, 1)).toBe(0);
  });
});
