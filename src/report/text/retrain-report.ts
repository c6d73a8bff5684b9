import { meanOverSeeds } from '../../analysis/inference/seeds/mean.js';
import type { Interval } from '../../analysis/inference/estimate.js';
import {
  retrainPredictors,
  type RetrainChange,
  type RetrainPredictor,
  type RetrainScope,
} from '../../store/retrain-names.js';
import { textTable } from './table.js';

/** One score of one run, as the table `retrain_scores` has it. */
export interface ShownScore {
  readonly change: RetrainChange;
  readonly scope: RetrainScope;
  readonly predictor: RetrainPredictor;
  readonly score: number | null;
  readonly interval: readonly [number, number] | null;
}

/** A column of the report: what is predicted, and over what it is ranked. */
interface Question {
  readonly title: string;
  readonly change: RetrainChange;
  readonly scope: RetrainScope;
}

const asked: readonly Question[] = [
  { title: 'drop, own', change: 'drop', scope: 'own' },
  { title: 'drop, other', change: 'drop', scope: 'other' },
  { title: 'drop, pooled', change: 'drop', scope: 'pooled' },
  { title: 'swap, own', change: 'tag_swap', scope: 'own' },
  { title: 'LDS, removed', change: 'half', scope: 'lds' },
  { title: 'LDS, weight 0', change: 'half_weighted', scope: 'lds' },
];

/** What no gradient goes into, and what is no prediction. */
const controls: ReadonlySet<RetrainPredictor> = new Set([
  'own_definition',
  'same_tag',
  'tokens',
  'permuted',
  'random',
  'another_order',
]);

/** A score over runs with its 95 % interval: over seeds, or the bootstrap's where there is one run. */
interface OverRuns {
  readonly score: number;
  readonly interval: Interval | null;
}

/**
 * The scores of runs of one config as a table, and which predictors fail.
 *
 * @param runs `[run]`
 */
export function retrainReport(runs: readonly (readonly ShownScore[])[]): string[] {
  const of = (predictor: RetrainPredictor, { change, scope }: Question): OverRuns | null => {
    const own = runs.flatMap((scores) =>
      scores.filter(
        (one) =>
          one.predictor === predictor && one.change === change && one.scope === scope && one.score !== null,
      ),
    );
    if (own.length === 0) return null;
    if (own.length === 1) return { score: own[0]!.score!, interval: own[0]!.interval };
    const mean = meanOverSeeds(own.map(({ score }) => score!));
    return mean.kind === 'value' ? { score: mean.estimate, interval: mean.interval } : null;
  };
  const predictors = retrainPredictors.filter((predictor) =>
    asked.some((own) => of(predictor, own) !== null),
  );
  const questions = asked.filter((own) => predictors.some((predictor) => of(predictor, own) !== null));
  const rows = predictors.map((predictor) => [
    predictor.replaceAll('_', ' '),
    ...questions.map((own) => shown(of(predictor, own))),
  ]);
  const failures = questions.flatMap((own) => {
    const failed = predictors.filter((predictor) => {
      const found = of(predictor, own);
      return !controls.has(predictor) && found !== null && !((found.interval?.[0] ?? found.score) > 0);
    });
    return failed.length === 0
      ? []
      : [`does not predict (${own.title}): ${failed.map((name) => name.replaceAll('_', ' ')).join(', ')}`];
  });
  const interval = runs.length === 1 ? 'bootstrap over definitions or halves' : `t over ${runs.length} seeds`;
  return [
    `Spearman correlation of predicted and actual change of the loss, 95 % interval by ${interval}`,
    ...textTable(
      [['predictor', ...questions.map(({ title }) => title)], ...rows],
      ['left', ...questions.map(() => 'right' as const)],
    ),
    ...failures,
  ];
}

function shown(found: OverRuns | null): string {
  if (found === null) return '';
  const number = (value: number): string => value.toFixed(2).replace(/^(-?)0\./, '$1.');
  return found.interval === null
    ? number(found.score)
    : `${number(found.score)} [${found.interval.map(number).join(', ')}]`;
}
