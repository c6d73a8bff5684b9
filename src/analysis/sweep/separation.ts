import type { Absent } from '../inference/estimate.js';
import { fixedEffects, type FixedEffectsValue } from '../inference/trend/fixed-effects.js';

/** A run of a sweep: its outcome, and what could be behind it; null where it has none. */
export interface ExplainedRun {
  readonly arm: string;
  readonly seed: number;
  readonly outcome: number | null;
  /** Coefficient of the variance penalty; 0 for the full batch. */
  readonly kappa: number | null;
  readonly updates: number | null;
  readonly loss: number | null;
  readonly distance: number | null;
}

/** What could be behind a difference between arms, in the order of the figure. */
export const explanations = [
  { id: 'kappa', label: 'log kappa' },
  { id: 'updates', label: 'log updates' },
  { id: 'loss', label: 'training loss' },
  { id: 'distance', label: 'distance from the start' },
] as const;

export type ExplanationId = (typeof explanations)[number]['id'];

/** The value of an explanation as the regression takes it; null where there is none. */
export function explanationOf(id: ExplanationId, value: number | null): number | null {
  if (value === null || id === 'loss' || id === 'distance') return value;
  return value > 0 ? Math.log(value) : null;
}

/** The regression that separates explanations, and the arms that it is without. */
export interface Separation {
  readonly fit: FixedEffectsValue | Absent;
  /** Arms of which a run lacks one of the explanations, such as kappa, which the full batch has not. */
  readonly left: readonly string[];
}

/**
 * Partial effects on the outcome of log kappa, log updates, training loss and distance from the start, with an effect for
 * every seed (gradient-maths section 9, "Trend across B"). Where arms do not tell two of them apart there is no fit, and
 * its reason names them: at a fixed number of epochs log kappa and log updates are one.
 */
export function separate(runs: readonly ExplainedRun[]): Separation {
  const left = new Set<string>();
  const rows = runs.flatMap((run) => {
    if (run.outcome === null) return [];
    const predictors = explanations.flatMap(({ id }) => explanationOf(id, run[id]) ?? []);
    if (predictors.length < explanations.length) {
      left.add(run.arm);
      return [];
    }
    return [{ group: `seed ${run.seed}`, seed: run.seed, response: run.outcome, predictors }];
  });
  return {
    fit: fixedEffects(
      rows,
      explanations.map(({ label }) => label),
    ),
    left: [...left],
  };
}
