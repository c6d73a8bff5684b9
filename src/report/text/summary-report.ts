import type { ArmAnalysis } from '../../analysis/analyse-arm.js';
import type { Quantity } from '../../analysis/quantity.js';
import { formatInterval, formatNumber } from './numbers.js';
import { fittedTable, wrap } from './table.js';

/** Ids of the quantities of the summary, those to be preferred first; of each line the first that was measured. */
const lines = [
  ['internalization.weakTagEffect', 'internalization.weakGap'],
  ['internalization.strongGap'],
  ['alignment.tagSwapGap.all'],
  ['transferPath.share.own', 'transfer.gap'],
] as const;

/** The verdicts counted, and the number behind each main claim with its interval and null. At most five table lines. */
export function summaryReport({ claims, checks, sections }: ArmAnalysis, width: number): string[] {
  const quantities = sections.flatMap((section) => section.quantities);
  const rows = lines.flatMap((ids) => {
    const found = ids
      .map((id) => quantities.find((quantity) => quantity.id === id && quantity.estimate.kind === 'value'))
      .find((quantity) => quantity !== undefined);
    return found === undefined ? [] : [rowOf(found)];
  });
  const verdicts = ['supported', 'undecided', 'contradicted'].map(
    (verdict) => `${claims.filter(({ judgement }) => judgement.verdict === verdict).length} ${verdict}`,
  );
  const passed = checks.filter((check) => check.passed).length;
  const counted = [
    ...(claims.length === 0 ? [] : [`${claims.length} claims: ${verdicts.join(', ')}`]),
    ...(checks.length === 0 ? [] : [`${passed} of ${checks.length} checks pass`]),
  ].join('; ');
  return [
    'Summary: means over seeds with 95 % intervals',
    ...fittedTable(rows, ['left', 'right', 'left', 'left'], width - 2).map((line) => `  ${line}`),
    ...(counted === '' ? [] : wrap(counted, width - 2, '  ').map((line) => `  ${line}`)),
  ];
}

function rowOf({ label, unit, estimate, null: against }: Quantity): string[] {
  const name = unit === '1' || label.includes(unit) ? label : `${label}, ${unit}`;
  if (estimate.kind === 'absent') return [name, 'absent'];
  const signed = against !== null;
  return [name, formatNumber(estimate.estimate, signed), formatInterval(estimate, signed), nullText(against)];
}

function nullText(against: Quantity['null']): string {
  if (against === null) return '';
  if (against.kind === 'zero') return 'null 0';
  const { estimate } = against;
  return `null ${estimate.kind === 'absent' ? 'absent' : formatNumber(estimate.estimate, true)}`;
}
