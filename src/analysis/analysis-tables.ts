import { analysisTables } from '../store/tables/analysis.js';
import type { RowOf, TableDefinition } from '../store/columns.js';
import type { ArmAnalysis } from './analyse-arm.js';
import type { Estimate } from './inference/estimate.js';
import { pValueAgainstNull, type Quantity } from './quantity.js';
import { writeTable } from './write-table.js';

/**
 * Writes the tables of an analysis into a folder that exists; earlier ones are replaced. Throws a UserError when it
 * cannot be written.
 */
export async function writeAnalysisTables(folder: string, analysis: ArmAnalysis): Promise<void> {
  const { quantities, controls, seed_values, entity_values, claims, checks, penalty_curve, curves } =
    analysisTables;
  const metadata = { experiment: analysis.experiment, name: analysis.name };
  const write = <D extends TableDefinition>(table: D, rows: Iterable<RowOf<D>>): Promise<void> =>
    writeTable(folder, table, rows, metadata);
  const all = analysis.sections.flatMap(({ id: section, quantities: own }) =>
    own.map((quantity) => ({ section, quantity })),
  );
  await write(
    quantities,
    all.map(({ section, quantity }) => quantityRow(section, quantity)),
  );
  await write(
    controls,
    all.flatMap(({ section, quantity }) => controlRows(section, quantity)),
  );
  await write(
    seed_values,
    all.flatMap(({ section, quantity: { id, seeds } }) =>
      seeds.map(({ seed, value, reason, ratio }) => ({
        section,
        quantity: id,
        seed,
        value,
        numerator: ratio?.numerator ?? null,
        denominator: ratio?.denominator ?? null,
        reason: reason ?? '',
      })),
    ),
  );
  await write(
    entity_values,
    all.flatMap(({ section, quantity: { id, seeds } }) =>
      seeds.flatMap((own) =>
        own.value === null || own.entities === undefined
          ? []
          : own.entities.map((value, entity) => ({ section, quantity: id, seed: own.seed, entity, value })),
      ),
    ),
  );
  await write(
    claims,
    analysis.claims.map(({ judgement: { verdict, reason }, ...own }) => ({
      claim: own.id,
      label: own.claim,
      quantities: own.quantities.join(' '),
      verdict,
      p: own.pValue,
      p_adjusted: own.adjustedPValue,
      p_sign_flips: own.signFlipsPValue,
      reason,
      seeds_for_power: own.seedsForPower,
    })),
  );
  await write(
    checks,
    analysis.checks.map(({ id, check, quantity, tolerance, passed, reason }) => ({
      check: id,
      label: check,
      quantity,
      tolerance,
      result: passed ? 'pass' : 'fail',
      reason,
    })),
  );
  await write(
    penalty_curve,
    analysis.penaltyCurve.map(({ batchSize, measured, law, normPart, variancePart }) => ({
      batch_size: batchSize,
      ...estimateCells(measured),
      law: estimateCells(law).estimate,
      norm_part: normPart,
      variance_part: variancePart,
    })),
  );
  await write(
    curves,
    analysis.alignmentCurves.flatMap(({ name, steps, values }) =>
      values.flatMap((own, i) =>
        steps.map((step, at) => ({ curve: name, seed: analysis.seeds[i]!, step, value: own[at] ?? null })),
      ),
    ),
  );
}

function quantityRow(section: string, quantity: Quantity): RowOf<typeof analysisTables.quantities> {
  const { id, label, unit, estimate, null: own, entityLevel, adjustedPValue, signFlips } = quantity;
  const present = estimate.kind === 'value' ? estimate : null;
  const measured = own?.kind === 'measured' ? own : null;
  const difference = estimateCells(own?.kind === 'zero' ? estimate : (measured?.difference ?? null));
  const bootstrap = estimateCells(entityLevel?.bootstrap ?? null);
  const flips = entityLevel?.tagFlips;
  return {
    section,
    quantity: id,
    label,
    unit,
    ...estimateCells(estimate),
    standard_error: present?.standardError ?? null,
    null_label: own?.label ?? '',
    null_estimate: own?.kind === 'zero' ? 0 : estimateCells(measured?.estimate ?? null).estimate,
    difference: difference.estimate,
    difference_low: difference.low,
    difference_high: difference.high,
    p_null: pValueAgainstNull(quantity),
    p_adjusted: adjustedPValue,
    p_sign_flips: signFlips?.kind === 'value' ? signFlips.pValue : null,
    bootstrap_low: bootstrap.low,
    bootstrap_high: bootstrap.high,
    p_tag_flips: flips?.kind === 'value' ? flips.pValue : null,
    reason: estimate.kind === 'absent' ? estimate.reason : (estimate.missing ?? ''),
  };
}

function controlRows(
  section: string,
  { id, label, controls }: Quantity,
): RowOf<typeof analysisTables.controls>[] {
  return controls.map((control) => {
    const difference = estimateCells(control.difference);
    return {
      section,
      quantity: id,
      label,
      control: control.id,
      control_label: control.label,
      ...estimateCells(control.estimate),
      difference: difference.estimate,
      difference_low: difference.low,
      difference_high: difference.high,
      p_difference: difference.p,
    };
  });
}

/** What every table of estimates has; nulls for what is absent. */
function estimateCells(estimate: Estimate | null) {
  const present = estimate?.kind === 'value' ? estimate : null;
  return {
    estimate: present?.estimate ?? null,
    low: present?.interval?.[0] ?? null,
    high: present?.interval?.[1] ?? null,
    level: present === null || present.interval === null ? null : present.level,
    seeds: present?.seeds ?? 0,
    p: present?.pValue ?? null,
  };
}
