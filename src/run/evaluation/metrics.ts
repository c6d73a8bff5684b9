import type { MetricName } from '../../store/tables/internalization.js';
import type { AnswerScores } from './answer-scores.js';
import type { Answers } from './answers.js';

/** A mean over test examples with its standard error over variables. */
export interface MetricValue {
  readonly value: number;
  /** Examples. */
  readonly n: number;
  /** Of the mean, treating the variables (not their questions) as independent; null for fewer than two variables. */
  readonly standardError: number | null;
}

/**
 * Accuracy, log-odds margin and loss of a test set, and its majority baseline where there is one.
 *
 * @param variable `[example]` variable each example is about
 * @param majority `[example]` 1 where the most frequent answer to the kind of question is right, else 0
 */
export function summariseAnswers(
  answers: Answers,
  variable: Int32Array,
  majority: Float32Array | null = null,
): Partial<Record<MetricName, MetricValue>> {
  return {
    ...(majority === null ? {} : { majority: clusteredMean(majority, variable) }),
    accuracy: clusteredMean(answers.correct, variable),
    ...(answers.margin === null ? {} : { margin: clusteredMean(answers.margin, variable) }),
    loss: clusteredMean(answers.loss, variable),
  };
}

/** Mean scores of answers that a model has written. */
export function summariseScores(
  scores: readonly AnswerScores[],
  variable: Int32Array,
): Partial<Record<MetricName, MetricValue>> {
  return {
    exact_match: clusteredMean(
      scores.map(({ exactMatch }) => exactMatch),
      variable,
    ),
    f1: clusteredMean(
      scores.map(({ f1 }) => f1),
      variable,
    ),
  };
}

/**
 * Mean of `values` with the standard error of a cluster sample: with `e_c` the sum over cluster c of deviations from
 * the mean, `SE^2 = C/(C-1) sum_c e_c^2 / n^2` (Cameron & Miller 2015, intercept only).
 */
function clusteredMean(values: ArrayLike<number>, cluster: ArrayLike<number>): MetricValue {
  const n = values.length;
  let sum = 0;
  for (let i = 0; i < n; i++) sum += values[i]!;
  const mean = sum / n;
  const deviations = new Map<number, number>();
  for (let i = 0; i < n; i++)
    deviations.set(cluster[i]!, (deviations.get(cluster[i]!) ?? 0) + values[i]! - mean);
  const clusters = deviations.size;
  if (clusters < 2) return { value: mean, n, standardError: null };
  let squares = 0;
  for (const deviation of deviations.values()) squares += deviation * deviation;
  return { value: mean, n, standardError: Math.sqrt((clusters / (clusters - 1)) * squares) / n };
}
