import { NewTables } from '../../../store/new-tables.js';
import { tables } from '../../../store/tables/registry.js';
import {
  knownName,
  retrainChanges,
  retrainPredictors,
  retrainScopes,
  type RetrainChange,
  type RetrainPredictor,
  type RetrainScope,
} from '../../../store/retrain-names.js';
import { readTable, type RunData } from '../../run-data.js';
import { readRetrained } from './data.js';
import { retrainScores, type RetrainScore } from './scores.js';

/** The table has no dictionary that depends on a run. */
const nothing = {
  stages: [],
  groups: [],
  tensors: [],
  testSets: [],
  subsets: [],
  sketchSize: 1,
} as const;

/**
 * Scores the predictors of a run and writes the table `retrain_scores` into its folder. Null for a run that was not
 * retrained. Throws a UserError when the tables cannot be read or written.
 */
export async function scoreRetrained(
  run: Pick<RunData, 'folder' | 'tables'> & { readonly info: { readonly seed: number } },
): Promise<RetrainScore[] | null> {
  const data = await readRetrained(run);
  if (data === null) return null;
  const scores = retrainScores(data, run.info.seed);
  const written = new NewTables(run.folder);
  try {
    const writer = written.open({ table: tables.retrain_scores, dimensions: nothing });
    for (const { change, scope, predictor, score, interval, units, scores: byVariable } of scores) {
      writer.append({
        change,
        scope,
        predictor,
        score,
        low: interval?.[0] ?? null,
        high: interval?.[1] ?? null,
        units,
        scores: byVariable.length > 1 ? byVariable : [],
      });
    }
    await written.publish();
  } finally {
    written.discard();
  }
  return scores;
}

/** A score as the table has it. */
export interface StoredScore {
  readonly change: RetrainChange;
  readonly scope: RetrainScope;
  readonly predictor: RetrainPredictor;
  readonly score: number | null;
  /** 95 % interval over definitions or halves. */
  readonly interval: readonly [number, number] | null;
}

/** Reads the scores of a run; null for one without them. */
export async function readScores(run: Pick<RunData, 'folder' | 'tables'>): Promise<StoredScore[] | null> {
  const table = await readTable(run, tables.retrain_scores, [
    'change',
    'scope',
    'predictor',
    'score',
    'low',
    'high',
  ]);
  if (table === null) return null;
  const { change, scope, predictor, score, low, high } = table.columns;
  return Array.from({ length: table.rows }, (_, row) => ({
    change: knownName(retrainChanges, change.text(row)),
    scope: knownName(retrainScopes, scope.text(row)),
    predictor: knownName(retrainPredictors, predictor.text(row)),
    score: score.isNull(row) ? null : score.values[row]!,
    interval: low.isNull(row) || high.isNull(row) ? null : [low.values[row]!, high.values[row]!],
  }));
}
