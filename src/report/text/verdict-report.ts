import type { SweepAnalysis } from '../../analysis/sweep.js';
import { markOf, verdictRule, type SweepVerdict } from '../../analysis/sweep/verdicts.js';
import { formatInterval, formatNumber, formatPValue } from './numbers.js';
import { textTable, wrap } from './table.js';

/** The verdicts of a sweep as lines of text: a table, and a paragraph for each prediction; none without predictions. */
export function verdictReport({ verdicts, hash }: SweepAnalysis, width: number): string[] {
  if (verdicts.length === 0) return [];
  const rows = verdicts.map((own) => [
    own.prediction.id,
    own.contrast,
    own.prediction.predicted,
    ...estimateCells(own),
    formatPValue(own.adjustedPValue),
    own.estimate.kind === 'absent' ? '0' : String(own.estimate.seeds),
    own.verdict + (markOf(own) === null ? '' : ' *'),
  ]);
  const head = [
    'prediction',
    'contrast',
    'predicted',
    'estimate',
    '95 % interval',
    'p, Holm',
    'seeds',
    'verdict',
  ];
  return [
    '',
    `predictions (sha256 of arms and predictions: ${hash.slice(0, 12)}...)`,
    '',
    ...textTable([head, ...rows], ['left', 'left', 'left', 'right', 'left', 'right', 'right', 'left']),
    ...verdicts.flatMap((own) => ['', ...wrap(paragraph(own), width, '  ')]),
    '',
    ...wrap(`${verdictRule}.`, width, '  '),
  ];
}

function estimateCells({ estimate }: SweepVerdict): [string, string] {
  return estimate.kind === 'absent'
    ? ['absent', '']
    : [formatNumber(estimate.estimate, true), formatInterval(estimate, true)];
}

function paragraph(own: SweepVerdict): string {
  const { prediction, verdict, label, unit, contrast, reason } = own;
  const mark = markOf(own);
  return [
    `${prediction.id}: ${verdict}${mark === null ? '' : ` (* ${mark})`}.`,
    `${label === '' ? prediction.quantity : label}, ${contrast}${unit === '1' || unit === '' ? '' : ` (${unit})`}.`,
    reason,
    ...pValues(own),
    ...powerWords(own),
    `Predicted ${prediction.predicted}${bandWords(prediction.band, unit)}, because: ${prediction.because}`,
  ].join(' ');
}

function bandWords(band: number | null, unit: string): string {
  return band === null ? '' : ` (band ${formatNumber(band)}${unit === '1' ? '' : ` ${unit}`})`;
}

function pValues({ pValue, adjustedPValue, signFlipsPValue }: SweepVerdict): string[] {
  if (pValue === null) return [];
  const flips = signFlipsPValue === null ? '' : `, sign flips over seeds ${formatPValue(signFlipsPValue)}`;
  return [`p = ${formatPValue(pValue)}, by Holm ${formatPValue(adjustedPValue)}${flips}.`];
}

function powerWords({ power: { power, seedsNeeded, smallest, effect }, prediction }: SweepVerdict): string[] {
  if (smallest === null) return [];
  const observed =
    effect.kind === 'absent' || power === null || prediction.predicted === 'none'
      ? ''
      : ` The observed effect is ${formatNumber(effect.estimate, true)} standard deviations over seeds: power ${formatNumber(power)}` +
        `${seedsNeeded === null ? '' : `, and ${seedsNeeded} seeds for 0.8`}.`;
  return [`These seeds find a contrast of ${formatNumber(smallest)} with power 0.8.${observed}`];
}
