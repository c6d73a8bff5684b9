import type { Control, Quantity } from '../../analysis/quantity.js';
import { pValueAgainstNull } from '../../analysis/quantity.js';
import type { Section } from '../../analysis/section.js';
import type { Estimate } from '../../analysis/inference/estimate.js';
import { formatInterval, formatNumber, formatPValue } from './numbers.js';
import { fittedTable, wrap } from './table.js';

/** A section as lines of text: its quantities beside their nulls, further controls, what the entities say, notes. */
export function sectionReport(section: Section, width: number): string[] {
  const { title, quantities, notes } = section;
  return [
    ...wrap(title, width, '  '),
    ...quantityTable(section, width - 2).map((line) => `  ${line}`),
    ...[
      ...quantities.flatMap(missingSeeds),
      ...missingIntervals(quantities).map((reason) => `no interval: ${reason}`),
      ...nullNames(quantities).map((name) => `null: ${name}`),
    ].flatMap((line) => wrap(line, width - 2, '  ').map((part) => `  ${part}`)),
    ...controlTable(quantities, width - 2).map((line) => `  ${line}`),
    ...entityTable(quantities, width - 2).map((line) => `  ${line}`),
    ...notes.flatMap((note) => wrap(note, width - 2, '  ').map((part) => `  ${part}`)),
    '',
  ];
}

function quantityTable({ quantities, multiplicity }: Section, width: number): string[] {
  const present = quantities.filter(({ estimate }) => estimate.kind === 'value');
  if (present.length === 0) return [];
  const hasNull = present.some((quantity) => quantity.null !== null);
  const heads = [
    '',
    'unit',
    'mean',
    '95 % interval',
    'seeds',
    ...(hasNull ? ['null', 'p'] : []),
    ...(multiplicity === 'holm' ? ['p (Holm)'] : []),
  ];
  const rows = present.map((quantity) => [
    ...quantityCells(quantity),
    ...(hasNull ? [nullCell(quantity), formatPValue(pValueAgainstNull(quantity))] : []),
    ...(multiplicity === 'holm' ? [formatPValue(quantity.adjustedPValue)] : []),
  ]);
  const alignment = ['left', 'left', 'right', 'left', 'right', 'right', 'right', 'right'] as const;
  return fittedTable([heads, ...rows], alignment.slice(0, heads.length), width);
}

function quantityCells({ name, unit, estimate, null: own }: Quantity): string[] {
  if (estimate.kind === 'absent') return [];
  const signed = own !== null;
  return [
    name,
    unit === '1' ? '' : unit,
    formatNumber(estimate.estimate, signed),
    formatInterval(estimate, signed),
    String(estimate.seeds),
  ];
}

function nullCell({ null: own }: Quantity): string {
  if (own === null) return '';
  return own.kind === 'zero' ? '0' : numberOf(own.estimate);
}

function numberOf(estimate: Estimate): string {
  return estimate.kind === 'absent' ? 'absent' : formatNumber(estimate.estimate, true);
}

function missingSeeds({ name, estimate, seeds }: Quantity): string[] {
  if (estimate.kind === 'absent') return [`${name}: absent, ${estimate.reason}`];
  const missing = seeds.filter(({ value }) => value === null);
  if (missing.length === 0) return [];
  return [`${name}: without ${missing.length} of ${seeds.length} seeds, ${missing[0]!.reason ?? ''}`];
}

/** Why there is no interval, each reason once. */
function missingIntervals(quantities: readonly Quantity[]): string[] {
  return [
    ...new Set(
      quantities.flatMap(({ estimate }) =>
        estimate.kind === 'absent' || estimate.missing === null ? [] : [estimate.missing],
      ),
    ),
  ];
}

function nullNames(quantities: readonly Quantity[]): string[] {
  return [
    ...new Set(
      quantities.flatMap(({ null: own, estimate }) =>
        own === null || estimate.kind === 'absent' ? [] : [own.name],
      ),
    ),
  ];
}

/** Further nulls: their value, and the difference that the quantity has to them. */
function controlTable(quantities: readonly Quantity[], width: number): string[] {
  const rows = quantities.flatMap(({ name, controls }) => {
    const present = controls.filter(({ estimate }) => estimate.kind === 'value');
    return present.length === 0 ? [] : [[name], ...present.map(controlCells)];
  });
  if (rows.length === 0) return [];
  return fittedTable(
    [['further controls', 'control', 'difference', '95 % interval', 'seeds', 'p'], ...rows],
    ['left', 'right', 'right', 'left', 'right', 'right'],
    width,
  );
}

function controlCells({ name, estimate, difference }: Control): string[] {
  const shown = difference.kind === 'absent' ? null : difference;
  return [
    `against ${name}`,
    numberOf(estimate),
    shown === null ? 'absent' : formatNumber(shown.estimate, true),
    shown === null ? '' : formatInterval(shown, true),
    shown === null ? '' : String(shown.seeds),
    shown === null ? '' : formatPValue(shown.pValue),
  ];
}

/** Intervals of the hierarchical bootstrap and permutation tests, where runs give values of entities. */
function entityTable(quantities: readonly Quantity[], width: number): string[] {
  const rows = quantities.flatMap(({ name, entityLevel }) => {
    if (entityLevel === null || entityLevel.bootstrap.kind === 'absent') return [];
    const { bootstrap, tagFlips } = entityLevel;
    const test = tagFlips.kind === 'absent' ? '' : formatPValue(tagFlips.pValue);
    const entities = tagFlips.kind === 'absent' ? '' : String(tagFlips.units);
    return [[name, formatInterval(bootstrap, true), bootstrap.unit, entities, test]];
  });
  if (rows.length === 0) return [];
  return fittedTable(
    [['bootstrap and sign flips', '95 % interval (BCa)', 'over', 'entities', 'p (flips)'], ...rows],
    ['left', 'left', 'left', 'right', 'right'],
    width,
  );
}
