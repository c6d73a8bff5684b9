import { absent, type Estimate } from '../inference/estimate.js';
import type { Quantity } from '../quantity.js';
import type { SweptArm } from '../sweep.js';
import { mediationOf, type SweepMediation } from './mediation.js';
import { separate, type ExplainedRun, type Separation } from './separation.js';

/** Ids of the quantities that outcomes are held against, by the explanation. */
export const explanationQuantities = {
  kappa: 'training.kappa',
  updates: 'training.updates',
  loss: 'training.loss',
  distance: 'training.distance',
} as const;

/** An arm as the figure shows it. */
export interface EvidenceArm {
  readonly name: string;
  /** Means over seeds. */
  readonly outcome: Estimate;
  readonly mediator: Estimate;
}

/** What a sweep shows beside its verdicts. */
export interface SweepEvidence {
  readonly outcomeLabel: string;
  /** Null where the sweep names no mediator. */
  readonly mediatorLabel: string | null;
  readonly arms: readonly EvidenceArm[];
  readonly runs: readonly (ExplainedRun & { readonly mediator: number | null })[];
  readonly separation: Separation;
  /** Null without a mediator. */
  readonly mediation: SweepMediation | null;
}

/**
 * Outcome and mediator of the arms, and what may be behind their differences.
 *
 * @param outcome id of a quantity that arms were measured for
 * @param mediator the same, or null
 * @param pairs arms that predictions compare
 */
export function evidenceOf(
  arms: readonly SweptArm[],
  outcome: string,
  mediator: string | null,
  pairs: readonly { readonly arm: string; readonly minus: string }[],
): SweepEvidence {
  const find = ({ quantities }: SweptArm, id: string | null): Quantity | undefined =>
    quantities.find((own) => own.id === id);
  const labelOf = (id: string): string =>
    arms.map((arm) => find(arm, id)?.label).find((label) => label !== undefined) ?? id;
  const estimateOf = (arm: SweptArm, id: string | null): Estimate =>
    find(arm, id)?.estimate ?? absent('it has not been measured');
  const runs = arms.flatMap((arm) => {
    const valueOf = (id: string | null, seed: number): number | null =>
      find(arm, id)?.seeds.find((own) => own.seed === seed)?.value ?? null;
    const { kappa, updates, loss, distance } = explanationQuantities;
    return (find(arm, outcome)?.seeds ?? []).map(({ seed, value }) => ({
      arm: arm.name,
      seed,
      outcome: value,
      mediator: valueOf(mediator, seed),
      kappa: valueOf(kappa, seed),
      updates: valueOf(updates, seed),
      loss: valueOf(loss, seed),
      distance: valueOf(distance, seed),
    }));
  });
  return {
    outcomeLabel: labelOf(outcome),
    mediatorLabel: mediator === null ? null : labelOf(mediator),
    arms: arms.map((arm) => ({
      name: arm.name,
      outcome: estimateOf(arm, outcome),
      mediator: estimateOf(arm, mediator),
    })),
    runs,
    separation: separate(runs),
    mediation: mediator === null ? null : mediationOf(runs, pairs),
  };
}
