import fs from 'node:fs';
import path from 'node:path';
import { loadConfig } from '../../../../src/config/load.js';
import { runSchema } from '../../../../src/run/config.js';
import { checkedCost } from '../../../../src/run/plan.js';
import { planRun } from '../../../support/plan-run.js';
import { mutatedConfigs, tryConfig, type MutatedConfig } from '../../../support/mutate-config.js';
import type { Area, CaseResult } from '../area.js';
import { mutateConfig } from '../config-mutations.js';
import { attempt, problemsOf } from '../outcome.js';

/** Longest time that a config may take to be refused or planned, s of processor time. */
const longest = 5;

/** Rows of a plan that is made, for those whose cost is accepted: building larger ones tries patience only. */
const mostRows = 20_000;

/** The preset changes of the config's own tests, in their order. */
let presets: { readonly seed: number; readonly source: Iterator<MutatedConfig>; at: number } | null = null;

function mutatedPreset(seed: number, index: number): CaseResult {
  if (presets === null || presets.seed !== seed || presets.at > index) {
    presets = { seed, source: mutatedConfigs(seed, Number.MAX_SAFE_INTEGER)[Symbol.iterator](), at: 0 };
  }
  for (; presets.at < index; presets.at++) presets.source.next();
  presets.at++;
  const { yaml, what }: MutatedConfig = presets.source.next().value;
  const outcome = tryConfig(yaml);
  return { what, problems: outcome.kind === 'fault' ? [outcome.why] : [] };
}

/** Changed experiment files, up to the plan of a run. */
export const configsArea: Area = {
  name: 'configs',
  title: 'changed experiment files: a plan, or a refusal',
  count: 5000,
  limit: 20,
  needs: [],
  async run({ index, seed, random, folder }) {
    if (index % 2 === 0) return mutatedPreset(seed, index / 2);
    const { what, value } = mutateConfig(random);
    const file = path.join(folder, 'itself.yaml');
    fs.writeFileSync(file, value.text);
    const before = process.cpuUsage();
    const planned = await attempt(() => {
      const { config } = loadConfig(file, runSchema, value.overrides);
      const cost = checkedCost(config);
      if (cost.trainingRows + cost.testRows > mostRows) return null;
      return { config, plan: planRun(config, [0]) };
    }, 10_000);
    const { user, system } = process.cpuUsage(before);
    const problems = problemsOf(planned);
    if ((user + system) / 1e6 > longest) problems.push(`took ${((user + system) / 1e6).toFixed(1)} s`);
    if ('polluted' in {}) problems.push('Object.prototype was changed');
    if (planned.kind === 'refused' && planned.message.split('\n').length > 101)
      problems.push(`a message of ${planned.message.split('\n').length} lines`);
    if (planned.kind === 'done' && planned.value !== null) {
      const { config, plan } = planned.value;
      const place = impossibleNumber(config, []);
      if (place !== null) problems.push(`accepted: ${place.join('.')} is not finite`);
      const empty = plan.stages.find(({ steps }) => !(steps >= 1) || !Number.isSafeInteger(steps));
      if (empty !== undefined) problems.push(`accepted: stage ${empty.config.name} of ${empty.steps} steps`);
    }
    return { what, problems };
  },
};

function impossibleNumber(value: unknown, place: readonly string[]): readonly string[] | null {
  if (typeof value === 'number') return Number.isFinite(value) ? null : place;
  if (typeof value !== 'object' || value === null) return null;
  for (const [key, below] of Object.entries(value)) {
    const found = impossibleNumber(below, [...place, key]);
    if (found !== null) return found;
  }
  return null;
}
