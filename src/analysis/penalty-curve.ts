import type { Estimate } from './inference/estimate.js';
import type { Arm } from './run-data.js';
import { questionStage } from './stages.js';
import type { Section } from './section.js';
import { batchSizes, measuredAt } from './sections/penalty-law.js';

/** The penalty at one batch size: what real minibatches have, and what the law gives. */
export interface PenaltyPoint {
  readonly batchSize: number;
  /** Mean squared norm of real minibatch gradients. */
  readonly measured: Estimate;
  /** `|G|^2 + (N-B)/(N-1) Gamma/B`, measured apart. */
  readonly law: Estimate;
  /** `epsilon/4 |G|^2`, nats; the same at every batch size. */
  readonly normPart: number | null;
  /** `kappa Gamma`, nats; 0 for the full batch. */
  readonly variancePart: number | null;
}

/** The penalty as a function of batch size; empty where it was not measured. */
export function penaltyCurve(arm: Arm, section: Section | undefined): PenaltyPoint[] {
  if (section === undefined) return [];
  const { examples, learningRate } = questionStage(arm.runs[0]!.info);
  const full = lawAt(section, 0);
  return batchSizes.flatMap((size): PenaltyPoint[] => {
    const quantity = section.quantities.find(({ id }) => id === `${section.id}.${measuredAt(size)}`);
    const law = lawAt(section, size);
    if (quantity === undefined || quantity.estimate.kind === 'absent' || law === null) return [];
    const [all, own] = [valueOf(full), valueOf(law)];
    return [
      {
        batchSize: size === 0 ? examples : size,
        measured: quantity.estimate,
        law,
        normPart: all === null ? null : (learningRate / 4) * all,
        variancePart: all === null || own === null ? null : (learningRate / 4) * (own - all),
      },
    ];
  });
}

function lawAt(section: Section, size: number): Estimate | null {
  const own = section.quantities.find(({ id }) => id === `${section.id}.${measuredAt(size)}`)?.null;
  return own?.kind === 'measured' ? own.estimate : null;
}

function valueOf(estimate: Estimate | null): number | null {
  return estimate?.kind === 'value' ? estimate.estimate : null;
}
