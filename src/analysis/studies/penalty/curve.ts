import { questionStage } from '../../../../data/stage-roles.js';
import type { Estimate } from '../../inference/estimate.js';
import type { Arm } from '../../run-data.js';
import type { RunValues, Section } from '../../section.js';
import { batchSizes, measuredAt, normPart, variancePartAt } from '../penalty.js';

/** The penalty at one batch size: what real minibatches have, and what the law gives. */
export interface PenaltyPoint {
  readonly batchSize: number;
  /** Mean squared norm of real minibatch gradients. */
  readonly measured: Estimate;
  /** The law of the sampler, such as `|G|^2 + (N-B)/(N-1) Gamma/B`, measured apart. */
  readonly law: Estimate;
  /** `1/4 sum_p epsilon_p |G_p|^2`, nats, with the learning rate of every parameter; the same at every batch size. */
  readonly normPart: number | null;
  /** `kappa Gamma` with these rates, nats; 0 for the full batch, null for samplers without it. */
  readonly variancePart: number | null;
}

/**
 * The penalty as a function of batch size; empty where it was not measured.
 *
 * @param measured `[run]` values of the section, a text where there are none
 */
export function penaltyCurve(
  arm: Arm,
  section: Section | undefined,
  measured: readonly (RunValues | string | null)[],
): PenaltyPoint[] {
  if (section === undefined) return [];
  const { examples } = questionStage(arm.runs[0]!.info);
  const meanOf = (key: string): number | null => {
    const values = measured.flatMap((own) => {
      const value = typeof own === 'string' ? undefined : own?.[key];
      return typeof value === 'number' ? [value] : [];
    });
    return values.length === 0 ? null : values.reduce((sum, value) => sum + value, 0) / values.length;
  };
  return batchSizes.flatMap((size): PenaltyPoint[] => {
    const quantity = section.quantities.find(({ id }) => id === `${section.id}.${measuredAt(size)}`);
    const law = lawAt(section, size);
    if (quantity === undefined || quantity.estimate.kind === 'absent' || law === null) return [];
    return [
      {
        batchSize: size === 0 ? examples : size,
        measured: quantity.estimate,
        law,
        normPart: meanOf(normPart),
        variancePart: meanOf(variancePartAt(size)),
      },
    ];
  });
}

function lawAt(section: Section, size: number): Estimate | null {
  const own = section.quantities.find(({ id }) => id === `${section.id}.${measuredAt(size)}`)?.null;
  return own?.kind === 'measured' ? own.estimate : null;
}
