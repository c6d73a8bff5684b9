import { UserError } from '../../data/errors.js';
import { parseYaml } from '../../data/yaml.js';
import { configPath, readConfig } from '../store/run-folder.js';
import type { ArmFacts } from './claims.js';
import type { Arm } from './run-data.js';

/** `data.alpha` of an arm, and everything else that its config says, name and description apart. */
export interface ArmConfig {
  /** Null where the config says none. */
  readonly alpha: number | null;
  /** Equal for arms that differ in nothing but alpha; empty where the config cannot be read. */
  readonly rest: string;
  /** Why the config cannot be read, or null. */
  readonly problem: string | null;
}

/** Reads the config of an arm's first run: they are all the same. */
export function armConfig({ runs }: Pick<Arm, 'runs'>): ArmConfig {
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

/** What the claims about an arm are judged on besides its quantities. */
export function armFacts(arm: Pick<Arm, 'runs'>): ArmFacts {
  return { runs: arm.runs.map(({ info }) => info), alpha: armConfig(arm).alpha };
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
