import { UserError } from '../../data/errors.js';
import { designOf, internalizationDesign } from '../../data/internalization-design.js';
import { parseYaml } from '../../data/yaml.js';
import { hashConfig, withAddedKeys } from '../store/config-hash.js';
import { configPath, readConfig } from '../store/run-folder.js';
import type { ArmFacts } from './claims.js';
import type { Arm } from './run-data.js';

/** What the design's `tagControl` is in an arm, and everything else that its config says, name and description apart. */
export interface ArmConfig {
  /** The control of its design, `alpha = 0.5`; null where that has none, or the config no such key. */
  readonly control: string | null;
  /** Whether the arm is that control. */
  readonly isTagControl: boolean;
  /** Hash of it: equal for arms that differ in nothing but the key of the control; empty where the config cannot be read. */
  readonly rest: string;
  /** Why the config cannot be read, or null. */
  readonly problem: string | null;
}

/** Reads the config of an arm's first run: they are all the same. */
export function armConfig({ runs }: Pick<Arm, 'runs'>): ArmConfig {
  const { folder, info } = runs[0]!;
  const none = { control: null, isTagControl: false, rest: '', problem: null };
  let config: unknown;
  try {
    config = withAddedKeys(parseYaml(configPath(folder), readConfig(folder)).value);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return { ...none, problem: error.message };
  }
  if (!isRecord(config) || !isRecord(config['data'])) {
    return { ...none, problem: `${configPath(folder)}: holds no map with data` };
  }
  // Designs in run.json have it since it is declared; that of the built-in experiments, whose runs name no module, always.
  const { tagControl = config['module'] === undefined ? internalizationDesign.tagControl : undefined } =
    designOf(info);
  const { name: _, description: __, data, ...others } = config;
  if (tagControl === undefined) return { ...none, rest: hashConfig({ ...others, data }) };
  const { [tagControl.key]: value, ...otherData } = config['data'];
  return {
    control: typeof value === 'number' ? `${tagControl.key} = ${tagControl.value}` : null,
    isTagControl: value === tagControl.value,
    rest: hashConfig({ ...others, data: otherData }),
    problem: null,
  };
}

/** What the claims about an arm are judged on besides its quantities. */
export function armFacts(arm: Pick<Arm, 'runs'>): ArmFacts {
  return { runs: arm.runs.map(({ info }) => info), isTagControl: armConfig(arm).isTagControl };
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
