import { createStream } from '../../../../data/random/streams.js';
import type { RetrainChange, RetrainPredictor, RetrainScope } from '../../../store/retrain-names.js';
import {
  groupedCorrelation,
  type GroupedCorrelation,
  type RankedPairs,
} from '../../measures/rank-correlation.js';
import type { PredictedChanges, RetrainData, RetrainedOutcome } from './data.js';

/** How well a predictor ranks what retraining gives. */
export interface RetrainScore extends GroupedCorrelation {
  readonly change: RetrainChange;
  readonly scope: RetrainScope;
  readonly predictor: RetrainPredictor;
}

/** `[definition * asked]` predicted changes of losses by a definition. */
type Matrix = Float64Array;

/** What each predictor says; those that cannot be had are left out. */
function predictorsOf(
  { definitions, asked }: RetrainData,
  own: PredictedChanges,
  seed: number,
): Map<RetrainPredictor, Matrix> {
  const count = asked.length;
  const matrix = (value: (i: number, j: number) => number): Matrix =>
    Float64Array.from({ length: definitions.length * count }, (_, at) =>
      value(Math.floor(at / count), at % count),
    );
  const best = own.pathIntegral ?? own.innerProduct;
  const order = createStream(seed, 'retrain/permuted').permutation(definitions.length);
  const random = createStream(seed, 'retrain/random');
  return new Map<RetrainPredictor, Matrix>([
    ['inner_product', own.innerProduct],
    ...(own.cosine.every(Number.isFinite) ? [['cosine', own.cosine] as const] : []),
    ['one_step', own.oneStep],
    ['checkpoints', own.checkpoints],
    ...(own.pathIntegral === null ? [] : [['path_integral', own.pathIntegral] as const]),
    ['own_definition', matrix((i, j) => -Number(definitions[i]!.variable === asked[j]!.variable))],
    ['same_tag', matrix((i, j) => -Number(definitions[i]!.subset === asked[j]!.subset))],
    ['tokens', matrix((i) => own.tokens[i]!)],
    ['permuted', matrix((i, j) => best[order[i]! * count + j]!)],
    ['random', matrix(() => random.normal())],
  ]);
}

/**
 * Scores of all predictors of a run.
 *
 * The change by a definition is the loss with it minus the loss without it, in the order of the run; that by a swapped
 * tag the loss with the other tag minus that with its own, which is predicted by the difference of the two definitions'
 * predictions. A half is predicted by the sum over its definitions, and its outcome is the mean over the orders.
 *
 * @param seed of the run, for permutation, random numbers and bootstrap
 */
export function retrainScores(data: RetrainData, seed: number): RetrainScore[] {
  const predictors = predictorsOf(data, data.predictions, seed);
  const scores = [
    ...changeScores(data, 'drop', predictors, seed),
    ...halfScores(data, 'half', predictors, seed),
    ...halfScores(data, 'half_weighted', predictors, seed),
  ];
  if (data.swapped === null) return scores;
  const before = data.predictions;
  const after = data.swapped;
  const less = (a: Matrix, b: Matrix): Matrix => a.map((value, i) => value - b[i]!);
  const differences = predictorsOf(
    data,
    {
      innerProduct: less(after.innerProduct, before.innerProduct),
      cosine: less(after.cosine, before.cosine),
      oneStep: less(after.oneStep, before.oneStep),
      checkpoints: less(after.checkpoints, before.checkpoints),
      pathIntegral: null,
      tokens: less(after.tokens, before.tokens),
    },
    seed,
  );
  return [...scores, ...changeScores(data, 'tag_swap', differences, seed)];
}

/** A pair of a changed definition and a variable asked about. */
interface Pair {
  /** Number of the changed definition. */
  readonly definition: number;
  /** Number of the change: the unit of the bootstrap. */
  readonly unit: number;
  readonly asked: number;
  readonly isOwn: boolean;
  /** Of the loss. */
  readonly change: number;
}

/** Changes of losses by definitions, as they were in one order; empty where there is none in it. */
function changesIn(
  { definitions, asked, outcomes }: RetrainData,
  change: 'drop' | 'tag_swap',
  order: number,
): Pair[] {
  const base = outcomes.find((own) => own.change === 'nothing' && own.order === order);
  if (base === undefined) return [];
  const numberOf = new Map(definitions.map(({ variable }, i) => [variable, i]));
  const sign = change === 'drop' ? -1 : 1;
  return outcomes
    .filter((own) => own.change === change && own.order === order)
    .flatMap(({ changed, loss }, unit) =>
      asked.map(({ variable }, j) => ({
        definition: numberOf.get(changed!)!,
        unit,
        asked: j,
        isOwn: variable === changed,
        change: sign * (loss[j]! - base.loss[j]!),
      })),
    );
}

/** Which pairs a scope takes, and what they are ranked within. */
const scopes: readonly {
  readonly scope: RetrainScope;
  readonly takes: (pair: Pair) => boolean;
  readonly within: 'asked' | 'subset' | 'all';
}[] = [
  { scope: 'question', takes: () => true, within: 'asked' },
  { scope: 'other', takes: ({ isOwn }) => !isOwn, within: 'asked' },
  // Over both tags at once, the tag alone would tell the sign of a swap.
  { scope: 'own', takes: ({ isOwn }) => isOwn, within: 'subset' },
  { scope: 'pooled', takes: () => true, within: 'all' },
];

function changeScores(
  data: RetrainData,
  change: 'drop' | 'tag_swap',
  predictors: ReadonlyMap<RetrainPredictor, Matrix>,
  seed: number,
): RetrainScore[] {
  const pairs = changesIn(data, change, 0);
  const orders = [...new Set(data.outcomes.map(({ order }) => order))].filter((order) => order > 0);
  const repeated = orders.map((order) => changesIn(data, change, order)).filter((own) => own.length > 0);
  const count = data.asked.length;
  const subsets = [...new Set(data.definitions.map(({ subset }) => subset))];
  const groupOf = {
    asked: ({ asked }: Pair) => asked,
    subset: ({ definition }: Pair) => subsets.indexOf(data.definitions[definition]!.subset),
    all: () => 0,
  };
  return scopes.flatMap(({ scope, takes, within }) => {
    const own = pairs.filter(takes);
    if (own.length === 0) return [];
    const score = (predictor: RetrainPredictor, x: readonly number[]): RetrainScore => {
      const ranked: RankedPairs = {
        x: Float64Array.from(x),
        y: Float64Array.from(own, (pair) => pair.change),
        group: Int32Array.from(own, groupOf[within]),
        unit: Int32Array.from(own, ({ unit }) => unit),
      };
      const random = createStream(seed, `retrain/bootstrap/${change}/${scope}`);
      return { change, scope, predictor, ...groupedCorrelation(ranked, random) };
    };
    const found = Array.from(predictors, ([predictor, values]) =>
      score(
        predictor,
        own.map(({ definition, asked }) => values[definition * count + asked]!),
      ),
    );
    if (repeated.length === 0) return found;
    const others = repeated.map(
      (all) => new Map(all.map((pair) => [`${pair.definition} ${pair.asked}`, pair.change])),
    );
    const mean = own.map(({ definition, asked }) => {
      const values = others.flatMap((changes) => changes.get(`${definition} ${asked}`) ?? []);
      return values.reduce((sum, value) => sum + value, 0) / values.length;
    });
    return mean.every(Number.isFinite) ? [...found, score('another_order', mean)] : found;
  });
}

function halfScores(
  data: RetrainData,
  change: 'half' | 'half_weighted',
  predictors: ReadonlyMap<RetrainPredictor, Matrix>,
  seed: number,
): RetrainScore[] {
  const { asked, halves } = data;
  const count = asked.length;
  const byOrder = new Map<number, Map<number, RetrainedOutcome>>();
  for (const own of data.outcomes.filter((outcome) => outcome.change === change)) {
    const known = byOrder.get(own.order) ?? new Map<number, RetrainedOutcome>();
    known.set(own.changed!, own);
    byOrder.set(own.order, known);
  }
  const orders = [...byOrder.values()];
  // Halves that did not diverge in any order.
  const whole = halves.flatMap((_, half) =>
    orders.length > 0 && orders.every((known) => known.has(half)) ? [half] : [],
  );
  if (whole.length < 3) return [];
  const meanLoss = (of: readonly Map<number, RetrainedOutcome>[], half: number, j: number): number =>
    of.reduce((sum, known) => sum + known.get(half)!.loss[j]!, 0) / of.length;
  const score = (
    predictor: RetrainPredictor,
    x: (half: number, j: number) => number,
    y: (half: number, j: number) => number,
  ): RetrainScore => {
    const pairs = whole.flatMap((half, unit) => asked.map((_, j) => ({ half, unit, j })));
    const random = createStream(seed, `retrain/bootstrap/${change}`);
    return {
      change,
      scope: 'lds',
      predictor,
      ...groupedCorrelation(
        {
          x: Float64Array.from(pairs, ({ half, j }) => x(half, j)),
          y: Float64Array.from(pairs, ({ half, j }) => y(half, j)),
          group: Int32Array.from(pairs, ({ j }) => j),
          unit: Int32Array.from(pairs, ({ unit }) => unit),
        },
        random,
      ),
    };
  };
  const found = Array.from(predictors, ([predictor, values]) =>
    score(
      predictor,
      (half, j) => halves[half]!.reduce((sum, i) => sum + values[i * count + j]!, 0),
      (half, j) => meanLoss(orders, half, j),
    ),
  );
  const [first, ...others] = orders;
  if (first === undefined || others.length === 0) return found;
  // One retraining by the others: what a single one says of the next.
  return [
    ...found,
    score(
      'another_order',
      (half, j) => meanLoss(others, half, j),
      (half, j) => meanLoss([first], half, j),
    ),
  ];
}
