import { designOf } from '../../data/internalization-design.js';
import { endOfQuestions } from '../../data/stage-roles.js';
import {
  cosineColumns,
  meanOverEntities,
  panelCosines,
  tagSwapGap,
} from '../../src/analysis/studies/alignment/cosines.js';
import { gapOf, readMetrics, type GapKind } from '../../src/analysis/studies/internalization/metrics.js';
import { totalTensor } from '../../src/store/tables/common.js';
import { tables } from '../../src/store/tables/registry.js';
import { readRunMetrics } from './run-metrics.js';
import { orReason, type RunSource } from './run-source.js';

/** The numbers of one run in the list of runs; null where a run has none (yet). */
export interface QuickNumbers {
  /** Weak gap of the accuracy at the end of the stage with questions. */
  readonly weak: number | null;
  /** Strong gap of the accuracy at the end of training; over both halves where tags were exchanged. */
  readonly strong: number | null;
  /** Tag-swap gap of new variables at the end of the stage with questions, all tensors. */
  readonly alignment: number | null;
  /** Why tables could not be read. */
  readonly problems: readonly string[];
}

/** Reads the numbers of a run from two small tables. */
export async function quickNumbers(run: RunSource): Promise<QuickNumbers> {
  const problems: string[] = [];
  const metrics = await orReason(async () => {
    const { exchanged } = await run.data();
    return {
      ...(await readRunMetrics(run)),
      exchanged: exchanged ? await readMetrics(exchanged) : null,
    };
  });
  const gap = (kind: GapKind): number | null => {
    if (metrics.kind === 'failed') return null;
    const found = gapOf(run, metrics.value, kind, 'accuracy');
    return typeof found === 'number' ? found : null;
  };
  if (metrics.kind === 'failed') problems.push(metrics.reason);
  const alignment = await orReason(async () => {
    const table = await run.tables.read(tables.alignment, cosineColumns);
    if (table === null) return null;
    const gap = meanOverEntities(
      tagSwapGap(panelCosines(table, designOf(run.info)), {
        step: endOfQuestions(run.info),
        tensor: totalTensor,
        questions: 'heldout',
      }),
    );
    return Number.isFinite(gap) ? gap : null;
  });
  if (alignment.kind === 'failed') problems.push(alignment.reason);
  return {
    weak: gap('weak'),
    strong: gap('strong'),
    alignment: alignment.kind === 'value' ? alignment.value : null,
    problems,
  };
}
