import type { RunConfig } from '../../src/run/config.js';
import { planRuns, type RunPlan } from '../../src/run/plan.js';

/** The plan of runs of one config with several seeds. */
export function planRun(config: RunConfig, seeds: readonly number[], exchangesTags = false): RunPlan {
  return planRuns(
    seeds.map((seed) => ({ config, seed })),
    exchangesTags,
  );
}
