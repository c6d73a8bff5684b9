import type { PlannedPower } from '../../analysis/sweep/power-plan.js';
import { formatInterval, formatNumber } from './numbers.js';
import { textTable, wrap } from './table.js';

/** What the predictions of a sweep need, by a pilot, as lines of text. */
export function powerReport(plan: readonly PlannedPower[], width: number): string[] {
  if (plan.length === 0) return ['the sweep file has no predictions'];
  const cell = (value: number | null): string => (value === null ? '' : formatNumber(value));
  const count = (value: number | null): string => (value === null ? '' : String(value));
  const rows = plan.map((own) => [
    own.prediction,
    own.contrast,
    String(own.pilot),
    own.effect.kind === 'absent'
      ? `absent: ${own.effect.reason}`
      : `${formatNumber(own.effect.estimate, true)} ${formatInterval(own.effect, true)}`,
    String(own.planned),
    cell(own.power),
    cell(own.powerCorrected),
    count(own.needed),
    count(own.neededCorrected),
  ]);
  const head = [
    'prediction',
    'contrast',
    'pilot seeds',
    "effect (Hedges' g)",
    'planned',
    'power',
    'corrected',
    'needed',
    'corrected',
  ];
  return [
    ...textTable(
      [head, ...rows],
      ['left', 'left', 'right', 'left', 'right', 'right', 'right', 'right', 'right'],
    ),
    '',
    ...wrap(
      'Power of the planned seeds, and seeds for 80 %, if the effect is that of the pilot: at the level 0.05, and corrected for all ' +
        'predictions of the file (0.05 over their number). A pilot of a few seeds knows the effect poorly: look at its interval.',
      width,
      '  ',
    ),
  ];
}
