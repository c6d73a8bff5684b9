import { UserError } from '../../data/errors.js';
import { parseYaml } from '../../data/yaml.js';
import { configPath, readConfig } from '../store/run-folder.js';
import type { ArmAnalysis } from './analyse-arm.js';
import { pairBySeed } from './inference/seeds/pair-by-seed.js';
import { controlOf, type Control, type Quantity, type SeedValue } from './quantity.js';
import type { Arm } from './run-data.js';

/** Quantities that must vanish where the tag tells nothing. */
const treated = new Set([
  'strong gap, accuracy',
  'strong gap, margin',
  'tag-swap gap of new variables, all tensors',
  'tag-swap gap of new variables, without embeddings',
  'fall with the reliable - the unreliable tag',
  'fall over the stage, reliable - unreliable tag',
]);

/** An arm with its analysis. */
export interface AnalysedArm {
  readonly arm: Arm;
  readonly analysis: ArmAnalysis;
}

/**
 * Adds to every arm in which the tag tells something the arm that differs from it in `data.alpha` = 0.5 alone, where
 * there is one: a control whose tags were trained alike and mean nothing, compared seed by seed.
 */
export function withAlphaControl(arms: readonly AnalysedArm[]): ArmAnalysis[] {
  const described = arms.map((own) => ({ ...own, config: describeConfig(own.arm) }));
  return described.map(({ analysis, config }) => {
    const control = described.find(
      (other) => other.config.alpha === 0.5 && other.config.rest === config.rest,
    );
    if (config.problem !== null) {
      const note = `${config.problem}; no arm is compared with this one as its control.`;
      return { ...analysis, notes: [...analysis.notes, note] };
    }
    if (config.alpha === 0.5 || config.alpha === null || control === undefined) return analysis;
    return {
      ...analysis,
      sections: analysis.sections.map((section) => ({
        ...section,
        quantities: section.quantities.map((quantity) => {
          const other = quantityOf(control.analysis, section.name, quantity.name);
          if (other === undefined || !treated.has(quantity.name)) return quantity;
          const name = `alpha = 0.5 (${control.analysis.name}), the tag means nothing`;
          return { ...quantity, controls: [...quantity.controls, bySeed(name, quantity, other)] };
        }),
      })),
    };
  });
}

/** The other arm's quantity as a control, over the seeds that both arms have. */
function bySeed(name: string, quantity: Quantity, other: Quantity): Control {
  const present = ({ seeds }: Quantity): Map<number, number> =>
    new Map(seeds.flatMap(({ seed, value }) => (value === null ? [] : [[seed, value] as const])));
  const pairs = pairBySeed(present(quantity), present(other));
  const values = (numbers: readonly number[]): SeedValue[] =>
    pairs.seeds.map((seed, i) => ({ seed, value: numbers[i]!, reason: null }));
  return controlOf(name, values(pairs.treated), values(pairs.control));
}

function quantityOf(analysis: ArmAnalysis, section: string, name: string): Quantity | undefined {
  return analysis.sections
    .find((own) => own.name === section)
    ?.quantities.find((quantity) => quantity.name === name);
}

/** What an arm's config says, for finding its control. */
interface ConfigOfArm {
  /** `data.alpha`; null where the config has none. */
  readonly alpha: number | null;
  /** Everything else but name and description, to compare. */
  readonly rest: string;
  /** Why the config cannot be read, or null. */
  readonly problem: string | null;
}

function describeConfig({ runs }: Arm): ConfigOfArm {
  const { folder } = runs[0]!;
  let config: unknown;
  try {
    config = parseYaml(configPath(folder), readConfig(folder)).value;
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return { alpha: null, rest: '', problem: error.message };
  }
  if (!isRecord(config) || !isRecord(config['data'])) {
    return { alpha: null, rest: '', problem: `${configPath(folder)}: holds no map with data` };
  }
  const { alpha, ...data } = config['data'];
  const { name: _, description: __, ...others } = config;
  return {
    alpha: typeof alpha === 'number' ? alpha : null,
    rest: JSON.stringify({ ...others, data }),
    problem: null,
  };
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
