import fs from 'node:fs';
import path from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { samplers } from '../../../data/samplers.js';
import { loadConfig } from '../../../src/config/load.js';
import { checkpointSteps } from '../../../src/run/checkpoint.js';
import { runSchema, type RunConfig } from '../../../src/run/config.js';
import { interventions } from '../../../src/run/interventions/registry.js';
import { startRuns } from '../../../src/run/run.js';
import { stopSchema } from '../../../src/run/stop-schema.js';
import { readRunInfo } from '../../../src/store/run-folder.js';
import { listTables } from '../../../src/store/table-reader.js';
import type { Engine } from '../../../src/train/engine/load.js';
import { checkpointReached, gradscope } from '../../support/command-line.js';
import { useTestEngine } from '../../train/support/engine.js';
import { brief, stepRows } from '../intervention-support.js';
import { finalWeights, quietRequest, resumeTiny, temporaryFolder, tiny } from '../support.js';

/**
 * What stages can be set to, several at once: each start of a process takes seconds. The last test asks that everything
 * that there is be in one of them.
 */
const arms: Readonly<Record<string, readonly string[]>> = {
  'shuffle, a reset, the penalty of variance, until a loss': [
    'reset={ parameters: ["layers.*"], to: fresh }',
    'penalty={ kind: variance, size: 8, lambda: 0.05 }',
    'stop={ trainingLoss: 2.45 }',
  ],
  'shuffleOnce, composed, with noise of the covariance, until a distance': [
    'sampler=shuffleOnce',
    'composition={ pairs: mismatched, share: 0.5, place: together }',
    'noise={ kind: covariance, batchSize: 8 }',
    'stop={ distance: 0.05 }',
  ],
  'withReplacement, the penalty of examples, surgery, frozen, for some updates': [
    'sampler=withReplacement',
    'penalty={ kind: exampleNorm, lambda: 0.05 }',
    'surgery={ kind: inject, first: { kind: definition }, second: { kind: qa }, equalNorm: true }',
    'freeze={ parameters: ["*embedding*"] }',
    'stop={ updates: 14 }',
  ],
  'fixed, projected, with isotropic noise': [
    'sampler=fixed',
    'projection={ onto: others }',
    'noise={ kind: isotropic, batchSize: 8 }',
  ],
  'blocks, the penalty of blocks': [
    'sampler=blocks',
    'blocks=[definition, qa]',
    'penalty={ kind: blocks, forceRatio: -0.1, blocks: [{ first: { kind: qa }, second: { kind: qa } }] }',
  ],
  'full batch, anticorrelated noise, the penalty of the whole norm': [
    'batchSize=full',
    'epochs=14',
    'noise={ kind: covariance, batchSize: 8, order: anticorrelated }',
    'penalty={ kind: fullNorm, lambda: 0.05 }',
  ],
  'mixture, frozen': ['sampler=mixture', 'freeze={ parameters: ["*.bias"] }'],
};

/** Fourteen updates or more of a first stage, a few of a second; a checkpoint at every update. */
const common = [
  'name=killed',
  'log.tier=norms',
  'evaluation.everyEpochs=100',
  'checkpoint.everySeconds=0.001',
];
const setInclusion = [
  ...tiny,
  ...brief,
  'stages.0.batchSize=35',
  'stages.0.epochs=2',
  'stages.1.epochs=1',
  ...common,
];
const mnistQa = [
  'data.variables=16',
  'data.epochExamples=56',
  'data.testImages=2',
  'model.hidden=[16]',
  'stages.0.batchSize=4',
  ...common,
];

interface Arm {
  readonly name: string;
  readonly preset: string;
  readonly overrides: readonly string[];
  /** Where it is killed and goes on. */
  readonly root: string;
}

const all = Object.entries(arms).map(([name, settings]): Arm => {
  // Only this experiment's data have the probabilities of a mixture.
  const isMixture = settings.includes('sampler=mixture');
  return {
    name,
    preset: `configs/${isMixture ? 'mnist-qa' : 'set-inclusion'}-smoke.yaml`,
    overrides: [...(isMixture ? mnistQa : setInclusion), ...settings.map((setting) => `stages.0.${setting}`)],
    root: temporaryFolder(),
  };
});

const configOf = ({ preset, overrides }: Arm) => loadConfig(preset, runSchema, overrides);
const folderOf = ({ config }: { config: RunConfig }, root: string): string =>
  path.join(root, config.experiment, 'killed-seed0');

/** Updates after which runs are killed, at the earliest. */
const killedAfter = 3;

let engine: Engine;

beforeAll(async () => {
  const waiting = [...all];
  const killOne = async (): Promise<void> => {
    for (let arm = waiting.shift(); arm !== undefined; arm = waiting.shift()) {
      const folder = folderOf(configOf(arm), arm.root);
      const settings = arm.overrides.flatMap((setting) => ['--set', setting]);
      await gradscope(['run', arm.preset, '--seed', '0', '--out', arm.root, ...settings], (gone) =>
        checkpointReached(folder, killedAfter, gone),
      );
    }
  };
  await Promise.all([killOne(), killOne()]);
  engine = await useTestEngine();
});

test.each(all)('$name: killed in a stage and resumed, it learns and logs the same', async (arm) => {
  const loaded = configOf(arm);
  const folder = folderOf(loaded, arm.root);
  const { stages } = readRunInfo(folder);
  const last = checkpointSteps(folder).at(-1)!;
  expect(last).toBeGreaterThanOrEqual(killedAfter);
  expect(last).toBeLessThan(stages[1]?.firstStep ?? stages[0]!.steps);
  await resumeTiny(folder, { root: arm.root, engine });

  const root = temporaryFolder();
  await startRuns(loaded.config, loaded.resolved, [0], quietRequest(root, engine));
  const whole = folderOf(loaded, root);
  for (const own of [folder, whole]) expect(readRunInfo(own).status).toBe('complete');
  expect(finalWeights(folder)).toEqual(finalWeights(whole));
  expect(readRunInfo(folder).stages).toEqual(readRunInfo(whole).stages);
  // A stop is reached by the run that goes on.
  expect(readRunInfo(folder).stages[0]!.end?.reason).not.toBe('epochs');
  expect(stepRows(folder)).toEqual(stepRows(whole));
  const tables = (await listTables(whole)).filter((table) => !['steps', 'events'].includes(table));
  expect(await listTables(folder)).toEqual(await listTables(whole));
  for (const table of tables) {
    const [own, other] = [folder, whole].map((run) => fs.readFileSync(path.join(run, `${table}.arrow`)));
    expect(own!.equals(other!), table).toBe(true);
  }
});

test('every intervention, sampler and stop is in one of them', () => {
  const stages = all.map((arm) => configOf(arm).config.stages[0]!);
  for (const { key } of interventions)
    expect(
      stages.some((stage) => stage[key] !== null),
      key,
    ).toBe(true);
  expect(stages.some(({ composition }) => composition !== null)).toBe(true);
  expect(new Set(stages.map(({ sampler }) => sampler))).toEqual(new Set(samplers));
  const stops = Object.keys(stopSchema.parse({ updates: 1 })!) as (keyof NonNullable<
    (typeof stages)[0]['stop']
  >)[];
  for (const key of stops)
    expect(
      stages.some(({ stop }) => stop !== null && stop[key] !== null),
      key,
    ).toBe(true);
});
