import type { SweepEvidence } from '../../analysis/sweep/evidence.js';
import type { Estimate } from '../../analysis/inference/estimate.js';
import { formatInterval, formatNumber, formatPValue } from './numbers.js';
import { textTable, wrap } from './table.js';

/** What a sweep shows beside its verdicts, as lines of text: what may be behind differences, and mediation. */
export function evidenceReport(
  { outcomeLabel, mediatorLabel, separation, mediation }: SweepEvidence,
  width: number,
): string[] {
  const paragraph = (text: string): string[] => ['', ...wrap(text, width, '  ')];
  const { fit, left } = separation;
  const without =
    left.length === 0 ? '' : ` Without arms ${left.join(', ')}, whose runs lack one of the four.`;
  const lines =
    fit.kind === 'absent'
      ? paragraph(
          `What is behind differences of the ${outcomeLabel}: log kappa, log updates, training loss and distance from the start are not told apart (${fit.reason}).${without}`,
        )
      : [
          ...paragraph(
            `What is behind differences of the ${outcomeLabel}: partial effects with an effect for every seed, ${fit.rows} runs, ${fit.seeds} seeds, R2 ${formatNumber(fit.rSquared)}; jackknife over seeds.${without}`,
          ),
          '',
          ...textTable(
            [
              ['', 'partial effect', '95 % interval', 'p'],
              ...fit.slopes.map(({ name, effect }) => [name, ...cells(effect)]),
            ],
            ['left', 'right', 'left', 'right'],
          ),
        ];
  if (mediation === null || mediatorLabel === null) return lines;
  return [
    ...lines,
    ...paragraph(
      `Mediation by the ${mediatorLabel}, over ${mediation.runs} runs with an effect for every arm: slope ${words(mediation.slope)}; beside the training loss ${words(mediation.besideLoss)}. ` +
        'This is support, not proof: the mediator was not randomised.',
    ),
    ...mediation.contrasts.flatMap(({ arm, minus, total, indirect, proportion }) =>
      paragraph(
        `${arm} - ${minus}: ${words(total)}, ${indirect.kind === 'absent' ? `the part that goes with the mediator is absent (${indirect.reason})` : `of which ${words(indirect)} goes with the mediator`}` +
          `${proportion === null ? '' : `, ${formatNumber(100 * proportion)} %`}.`,
      ),
    ),
  ];
}

function cells(estimate: Estimate): string[] {
  return estimate.kind === 'absent'
    ? ['absent', estimate.reason, '']
    : [formatNumber(estimate.estimate, true), formatInterval(estimate, true), formatPValue(estimate.pValue)];
}

function words(estimate: Estimate): string {
  if (estimate.kind === 'absent') return `absent (${estimate.reason})`;
  return `${formatNumber(estimate.estimate, true)} ${formatInterval(estimate, true)}`;
}
