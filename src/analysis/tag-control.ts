import type { ArmAnalysis } from './analyse-arm.js';
import { armConfig, armFacts } from './arm-config.js';
import { hasTagControl, judgeClaims, tagControlId } from './claims.js';
import { welchDifference } from './inference/seeds/welch.js';
import { pairBySeed } from './inference/seeds/pair-by-seed.js';
import { controlOf, overSeeds, type Control, type Quantity, type SeedValue } from './quantity.js';
import type { Arm } from './run-data.js';

/** An arm with its analysis. */
export interface AnalysedArm {
  readonly arm: Arm;
  readonly analysis: ArmAnalysis;
}

/**
 * Adds to every arm in which the tag tells something the arm that differs from it in the `tagControl` of their design alone
 * (`data.alpha` = 0.5 of the built-in experiments), where there is one: a control, of every claim about tags, whose tags
 * were trained alike and mean nothing. Compared seed by seed, or where fewer than two seeds agree as two independent groups.
 */
export function withTagControl(arms: readonly AnalysedArm[]): ArmAnalysis[] {
  const described = arms.map((own) => ({ ...own, config: armConfig(own.arm) }));
  return described.map(({ arm, analysis, config }) => {
    const control = described.find((other) => other.config.isTagControl && other.config.rest === config.rest);
    if (config.problem !== null) {
      const note = `${config.problem}; no arm is compared with this one as its control.`;
      return { ...analysis, notes: [...analysis.notes, note] };
    }
    if (config.isTagControl || config.control === null || control === undefined) return analysis;
    const sections = analysis.sections.map((section) => ({
      ...section,
      quantities: section.quantities.map((quantity) => {
        const other = quantityOf(control.analysis, quantity.id);
        if (other === undefined || !hasTagControl(quantity.id)) return quantity;
        const label = `${config.control} (${control.analysis.name}), the tag means nothing`;
        return { ...quantity, controls: [...quantity.controls, otherArm(label, quantity, other)] };
      }),
    }));
    const quantities = sections.flatMap((section) => section.quantities);
    return { ...analysis, sections, claims: judgeClaims(quantities, armFacts(arm)) };
  });
}

/** The other arm's quantity as a control, over the seeds that both arms have. */
function otherArm(label: string, quantity: Quantity, other: Quantity): Control {
  const present = ({ seeds }: Quantity): Map<number, number> =>
    new Map(seeds.flatMap(({ seed, value }) => (value === null ? [] : [[seed, value] as const])));
  const [own, others] = [present(quantity), present(other)];
  const pairs = pairBySeed(own, others);
  if (pairs.seeds.length < 2) {
    return {
      id: tagControlId,
      label: `${label}; other seeds`,
      estimate: overSeeds(other.seeds),
      difference: welchDifference([...own.values()], [...others.values()]),
    };
  }
  const values = (numbers: readonly number[]): SeedValue[] =>
    pairs.seeds.map((seed, i) => ({ seed, value: numbers[i]!, reason: null }));
  return controlOf(tagControlId, label, values(pairs.treated), values(pairs.control));
}

function quantityOf(analysis: ArmAnalysis, id: string): Quantity | undefined {
  return analysis.sections.flatMap(({ quantities }) => quantities).find((own) => own.id === id);
}
