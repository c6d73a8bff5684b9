import type { Control, Quantity } from '../../analysis/quantity.js';
import { pValueAgainstNull } from '../../analysis/quantity.js';
import type { Section } from '../../analysis/section.js';
import type { Estimate } from '../../analysis/inference/estimate.js';
import { formatInterval, formatNumber, formatPValue } from './numbers.js';
import { fittedTable, wrap } from './table.js';

/** A section as lines of text: its quantities beside their nulls, further controls, what the entities say, notes. */
export function sectionReport(section: Section, width: number): string[] {
  const { title, quantities, notes } = section;
  const unit = commonUnit(quantities);
  return [
    ...wrap(title, width, '  '),
    ...quantityTable(section, width - 2).map((line) => `  ${line}`),
    ...[
      ...(unit === null || unit === '1' ? [] : [`unit: ${unit}`]),
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
  const hasUnits = commonUnit(quantities) === null;
  const hasNull = present.some((quantity) => quantity.null !== null);
  const hasFlips = present.some(({ signFlips }) => signFlips !== null);
  const heads = [
    '',
    ...(hasUnits ? ['unit'] : []),
    'mean',
    '95 % interval',
    'seeds',
    ...(hasNull ? ['null', 'p'] : []),
    ...(hasFlips ? ['flips'] : []),
    ...(multiplicity === 'holm' ? ['Holm'] : []),
  ];
  const rows = present.map((quantity) => [
    nameOf(quantity),
    ...(hasUnits ? [quantity.unit === '1' ? '' : quantity.unit] : []),
    ...quantityCells(quantity),
    ...(hasNull ? [nullCell(quantity), formatPValue(pValueAgainstNull(quantity))] : []),
    ...(hasFlips ? [flipsCell(quantity)] : []),
    ...(multiplicity === 'holm' ? [formatPValue(quantity.adjustedPValue)] : []),
  ]);
  const alignment = [
    'left',
    ...(hasUnits ? (['left'] as const) : []),
    ...(['right', 'left', 'right', 'right', 'right', 'right', 'right'] as const),
  ] as const;
  return fittedTable([heads, ...rows], alignment.slice(0, heads.length), width);
}

/** Name of a quantity below the title of its section. */
const nameOf = ({ label, shortLabel = label }: Quantity): string => shortLabel;

/** The unit of all numbers of a table; null where there are several. */
function commonUnit(quantities: readonly Quantity[]): string | null {
  const units = new Set(
    quantities.flatMap(({ unit, estimate }) => (estimate.kind === 'value' ? [unit] : [])),
  );
  return units.size === 1 ? [...units][0]! : null;
}

/** Mean, interval and number of seeds. */
function quantityCells({ estimate, null: own }: Quantity): string[] {
  if (estimate.kind === 'absent') return [];
  const signed = own !== null;
  return [formatNumber(estimate.estimate, signed), formatInterval(estimate, signed), String(estimate.seeds)];
}

/** p-value of all sign flips of the seeds. */
function flipsCell({ signFlips }: Quantity): string {
  return signFlips?.kind === 'value' ? formatPValue(signFlips.pValue) : '';
}

function nullCell({ null: own }: Quantity): string {
  if (own === null) return '';
  return own.kind === 'zero' ? '0' : numberOf(own.estimate);
}

function numberOf(estimate: Estimate): string {
  return estimate.kind === 'absent' ? 'absent' : formatNumber(estimate.estimate, true);
}

function missingSeeds(quantity: Quantity): string[] {
  const { estimate, seeds } = quantity;
  const label = nameOf(quantity);
  if (estimate.kind === 'absent') return [`${label}: absent, ${estimate.reason}`];
  const missing = seeds.filter(({ value, ratio }) => value === null && ratio === undefined);
  if (missing.length === 0) return [];
  return [`${label}: without ${missing.length} of ${seeds.length} seeds, ${missing[0]!.reason ?? ''}`];
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
        own === null || estimate.kind === 'absent' ? [] : [own.label],
      ),
    ),
  ];
}

/** Further nulls: their value, and the difference that the quantity has to them. */
function controlTable(quantities: readonly Quantity[], width: number): string[] {
  const rows = quantities.flatMap((quantity) => {
    const present = quantity.controls.filter(({ estimate }) => estimate.kind === 'value');
    return present.length === 0 ? [] : [[nameOf(quantity)], ...present.map(controlCells)];
  });
  if (rows.length === 0) return [];
  return fittedTable(
    [['further controls', 'control', 'difference', '95 % interval', 'seeds', 'p'], ...rows],
    ['left', 'right', 'right', 'left', 'right', 'right'],
    width,
  );
}

function controlCells({ label, estimate, difference }: Control): string[] {
  const shown = difference.kind === 'absent' ? null : difference;
  return [
    `against ${label}`,
    numberOf(estimate),
    shown === null ? 'absent' : formatNumber(shown.estimate, true),
    shown === null ? '' : formatInterval(shown, true),
    shown === null ? '' : String(shown.seeds),
    shown === null ? '' : formatPValue(shown.pValue),
  ];
}

/** Intervals of the hierarchical bootstrap, and flips of the tag, where runs give values of entities. */
function entityTable(quantities: readonly Quantity[], width: number): string[] {
  const present = quantities.flatMap((quantity) => {
    const { entityLevel } = quantity;
    return entityLevel === null || entityLevel.bootstrap.kind === 'absent'
      ? []
      : [{ label: nameOf(quantity), bootstrap: entityLevel.bootstrap, tagFlips: entityLevel.tagFlips }];
  });
  if (present.length === 0) return [];
  const rows = present.map(({ label, bootstrap, tagFlips }) => {
    const flips = tagFlips?.kind === 'value' ? tagFlips : null;
    const test = flips === null ? ['', ''] : [String(flips.units), formatPValue(flips.pValue)];
    return [label, formatInterval(bootstrap, true), bootstrap.unit, ...test];
  });
  const missing = new Set(present.flatMap(({ bootstrap }) => bootstrap.missing ?? []));
  return [
    ...fittedTable(
      [
        ['bootstrap, and flips of the tag', '95 % interval (BCa)', 'over', 'entities', 'p (tag flips)'],
        ...rows,
      ],
      ['left', 'left', 'left', 'right', 'right'],
      width,
    ),
    ...[...missing].flatMap((reason) => wrap(`no BCa interval: ${reason}`, width, '  ')),
  ];
}
