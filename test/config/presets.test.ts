import fs from 'node:fs';
import { describe, expect, test } from 'vitest';
import { experiments } from '../../data/registry.js';
import { loadConfig } from '../../src/config/load.js';
import { runSchema } from '../../src/run/config.js';
import { plannedCost } from '../../src/run/planned-cost.js';
import { planRun } from '../support/plan-run.js';
import { parameterCount } from '../../src/train/models/model.js';

/** sha256 of the data of seed 0 as the presets have had them since they were added. */
const published: readonly (readonly [string, string])[] = [
  ['mnist-qa-alpha50.yaml', '362f687a1b031c039c4ecb2b6ec28d631b5c70677723271793e08d3fa59fa7fc'],
  ['mnist-qa-default.yaml', 'd822fb027b5f4441093b34d953800faa7bdd1a35bf9311976a9a0b52d747421d'],
  ['mnist-qa-paper-look.yaml', 'db075409616dfef5d80e053e7d6fcbe75e3f23a4143e5e70f704dae7b50ae343'],
  ['mnist-qa-paper.yaml', 'a7d75ab821f27fce0550d51769aeeb9bab2a918a7a01375934c3c6dffa40c6e5'],
  ['mnist-qa-smoke.yaml', 'ddab77e2d096fb26b2edbeb6ba68cb859e1bd2531af2800d11572b30519db0db'],
  ['mnist-qa-two-stage.yaml', 'ab3636534528b099dba4d29c0a4ac04980f7ad925a86f65e4dda2c1d5ef51f0a'],
  ['mnist-qa.yaml', 'ab3636534528b099dba4d29c0a4ac04980f7ad925a86f65e4dda2c1d5ef51f0a'],
  ['people-alpha50.yaml', 'a03d32439aedc266d877c2484bcc151020161b369768a7e739c49ddf9b34e4b3'],
  ['people-joint.yaml', '838d33cca48e92076891e55823e1276982669d9622cf200413b57e8bb4d10fa7'],
  ['people-p1238.yaml', '7317735103b03aee9ffd7ebab153012701b164d00bb752b59f9158acd51aff60'],
  ['people-plain.yaml', '838d33cca48e92076891e55823e1276982669d9622cf200413b57e8bb4d10fa7'],
  ['people.yaml', '838d33cca48e92076891e55823e1276982669d9622cf200413b57e8bb4d10fa7'],
  ['set-inclusion-alpha50.yaml', '9b264dfe4b908417b09959a803a117f2d4cbc6979c008ce2c1d13a5c3f0357ad'],
  ['set-inclusion-baselines.yaml', 'eec04f618a1a164aadf038f88ee498496de4f204a6c61ca00036dc0dfa233ae9'],
  ['set-inclusion-joint.yaml', '190bae6a4bf0f6a302b311969c82df8e68007b85c4debbf926e524c6b239bde5'],
  ['set-inclusion-paper.yaml', '1ef171e1671ba5ca9f73855d528633ce07814e82708403afe4b8f655c290d506'],
  ['set-inclusion-plain.yaml', '190bae6a4bf0f6a302b311969c82df8e68007b85c4debbf926e524c6b239bde5'],
  ['set-inclusion-sgd.yaml', '190bae6a4bf0f6a302b311969c82df8e68007b85c4debbf926e524c6b239bde5'],
  ['set-inclusion-smoke.yaml', '8d370fdba3fdc7f6dacfa2e83969e3a881a19fd3d63b3bcfe259888073d0ca15'],
  ['set-inclusion-variance.yaml', '190bae6a4bf0f6a302b311969c82df8e68007b85c4debbf926e524c6b239bde5'],
  ['set-inclusion.yaml', '190bae6a4bf0f6a302b311969c82df8e68007b85c4debbf926e524c6b239bde5'],
  ['works.yaml', '7879969c8b6fea05d62cdf4d2d12a23ffd8df0d7cb6eb7795a77f002aafd26f6'],
];

test('every preset is in the list', () => {
  const presets = fs.readdirSync('configs').filter((name) => name.endsWith('.yaml'));
  expect(presets.toSorted()).toEqual(published.map(([name]) => name));
});

describe.each(published)('configs/%s', (name, hash) => {
  const { config } = loadConfig(`configs/${name}`, runSchema);
  const plan = planRun(config, [0]);
  const [data] = plan.data;

  test('is valid, and its data are those of its published results', () => {
    expect(data!.hash).toBe(hash);
  });

  test('has the planned sizes', () => {
    const sizes = experiments.get(config.experiment)!.sizes(config.data, config.loss);
    expect(sizes.shape).toEqual(data!.shape);
    expect(sizes.groups).toEqual(data!.groups);
    const tests = data!.tests.map(({ examples }) => examples.size);
    expect(sizes.testRows).toBe(tests.reduce((sum, size) => sum + size, 0));
    expect(sizes.largestTest).toBe(Math.max(...tests));
    for (const { trainOn } of config.stages) {
      const set = data!.training(trainOn);
      expect(sizes.training(trainOn)).toEqual({ rows: set.size, mixtureEpoch: set.epochSize ?? null });
    }
    const cost = plannedCost(config);
    expect(cost.parameters).toBe(parameterCount(plan.model));
    expect(cost.stages.map(({ steps }) => steps)).toEqual(plan.stages.map(({ steps }) => steps));
    expect(cost.steps).toBe(plan.totalSteps);
  });
});

test.each([
  { overrides: ['data.format=paper', 'model.variableEmbedding=null', 'data.definitionOrder=evt'] },
  { overrides: ['loss.target=text', 'data.alpha=0.5', 'data.listLength=7'] },
  {
    overrides: [
      'data.fractions={ qd1consis: 0.3, qd2incons: 0.3, q: 0.1, d1consis: 0.1, d2consis: 0.1, d3consis: 0.05, no_qd_baseline: 0.05 }',
    ],
  },
])('planned sizes are those of the data built: %o', ({ overrides }) => {
  const { config } = loadConfig('configs/set-inclusion-smoke.yaml', runSchema, overrides);
  const experiment = experiments.get(config.experiment)!;
  const sizes = experiment.sizes(config.data, config.loss);
  const data = experiment.build(config.data, config.loss, 3);
  expect(sizes.shape).toEqual(data.shape);
  expect(sizes.groups).toEqual(data.groups);
  expect(sizes.training('full').rows).toBe(data.training('full').size);
});
