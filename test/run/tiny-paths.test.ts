import fs from 'node:fs';
import { beforeAll, describe, expect, test } from 'vitest';
import { definitionOrders } from '../../data/definition-orders.js';
import { loadConfig } from '../../src/config/load.js';
import { runSchema } from '../../src/run/config.js';
import { startRuns } from '../../src/run/run.js';
import { readRunInfo } from '../../src/store/run-folder.js';
import { tables } from '../../src/store/tables/registry.js';
import { TableReader } from '../../src/store/table-reader.js';
import { readTyped } from '../../src/store/typed-table.js';
import type { Engine } from '../../src/train/engine/load.js';
import { samplers } from '../../data/samplers.js';
import { useTestEngine } from '../train/support/engine.js';
import { quietRequest, temporaryFolder } from './support.js';

let engine: Engine;
beforeAll(async () => {
  engine = await useTestEngine();
});

const presets = fs
  .readdirSync('configs')
  .filter((name) => name.endsWith('.yaml'))
  .map((name) => `configs/${name}`);

/** Sizes of each family of models and each experiment that train in no time. */
const tinyModels = {
  transformer: ['model.layers=1', 'model.width=32', 'model.heads=2', 'model.feedForward=32'],
  folder: [],
  convnet: ['model.hidden=[16]'],
  convnext: [
    'model.stages=[{ width: 4, blocks: 1 }, { width: 6, blocks: 1 }]',
    'model.kernel=3',
    'model.expansion=2',
  ],
} as const;
const tinyFacts = [
  'data.entities=40',
  'data.attribution=[who]',
  'model.variableEmbedding.width=32',
  'pretrain.epochs=0.2',
];
const tinyData: Readonly<Record<string, readonly string[]>> = {
  'set-inclusion': ['data.variables=40', 'data.names=used'],
  'mnist-qa': ['data.variables=16', 'data.epochExamples=16', 'data.testImages=1'],
  people: tinyFacts,
  works: tinyFacts,
};

/** Two updates of each stage of a preset at sizes that take a second. */
function tinySizes(file: string): string[] {
  const { config } = loadConfig(file, runSchema);
  return [
    ...tinyData[config.experiment]!,
    ...tinyModels[config.model.kind],
    'evaluation.maxExamples=4',
    'evaluation.batchSize=16',
    'log.sketchSize=16',
    'log.tier=full',
    ...['gram', 'exampleNorms', 'sketch', 'vectors'].map((name) => `log.${name}={ every: 1 }`),
    ...config.stages.flatMap((_, stage) => [
      `stages.${stage}.epochs=1`,
      `stages.${stage}.batchSize=${config.experiment === 'mnist-qa' ? 8 : stage === 0 ? 256 : 4}`,
    ]),
  ];
}

/** Trains a preset and returns the losses and gradient norms of its steps. */
async function train(
  file: string,
  overrides: readonly string[] = [],
  root = temporaryFolder(),
): Promise<{ steps: number; values: number[] }> {
  const { config, resolved } = loadConfig(file, runSchema, [...tinySizes(file), ...overrides]);
  const { end, folders } = await startRuns(config, resolved, [0], quietRequest(root, engine));
  expect(end).toBe('complete');
  const reader = await TableReader.open(folders[0]!, 'steps');
  const { columns } = await readTyped(reader, tables.steps, ['loss', 'grad_norm']);
  await reader.close();
  return {
    steps: readRunInfo(folders[0]!).stepsTotal,
    values: [...columns.loss, ...columns.grad_norm],
  };
}

describe('every preset trains at tiny sizes, with everything logged', () => {
  test.each(presets)('%s', async (file) => {
    const { steps, values } = await train(file);
    expect(values).toHaveLength(2 * steps);
    expect(values.filter((value) => !(Number.isFinite(value) && value > 0))).toEqual([]);
  });
});

const [smoke, paper] = ['configs/set-inclusion-smoke.yaml', 'configs/set-inclusion-paper.yaml'];

/** Settings that no preset has: name, the preset they change, changes. */
const settings: readonly (readonly [string, string, readonly string[]])[] = [
  ...definitionOrders.map((order) => {
    // The compact format knows no answers that are variables.
    const preset = order.endsWith('v') ? paper : smoke;
    return [`definition order ${order}`, preset, [`data.definitionOrder=${order}`]] as const;
  }),
  ['a loss on padding too', paper, ['loss={ target: text, normalisation: token, includePadding: true }']],
  [
    'every subset',
    smoke,
    [
      'data.fractions={ qd1consis: 0.2, qd2incons: 0.2, q: 0.1, d1consis: 0.1, d2consis: 0.1, d3consis: 0.2, no_qd_baseline: 0.1 }',
    ],
  ],
  ['one table for input and output', paper, ['model.tiedEmbedding=true']],
  [
    'SGD, cosine schedule',
    smoke,
    [
      'stages.0.optimizer={ kind: sgd, learningRate: 0.1, momentum: 0.9 }',
      'stages.0.schedule={ kind: cosine, warmupSteps: 1 }',
    ],
  ],
  ...samplers
    .filter((sampler) => sampler !== 'mixture')
    .map((sampler) => {
      const blocks = sampler === 'blocks' ? ['stages.0.blocks=[definition, qa]'] : [];
      return [`sampler ${sampler}`, smoke, [`stages.0.sampler=${sampler}`, ...blocks]] as const;
    }),
];

describe('settings train at tiny sizes', () => {
  test.each(settings)('%s', async (_, preset, overrides) => {
    const { steps, values } = await train(preset, [
      ...overrides,
      'log.tier=groups',
      'log.exampleNorms=never',
    ]);
    expect(values).toHaveLength(2 * steps);
    expect(values.filter((value) => !(Number.isFinite(value) && value > 0))).toEqual([]);
  });
});

test.each([
  [['stages.0.sampler=blocks'], /stages\.0\.blocks: the sampler blocks needs them/],
  [['stages.0.blocks=[definition, qa]'], /stages\.0\.blocks: the sampler shuffle has no blocks/],
  [
    ['stages.0.sampler=blocks', 'stages.0.blocks=[definition, qd1consis/qa]'],
    /^stage stage1: no block has the rows of qd2incons\/qa; name them in blocks$/,
  ],
  [
    ['stages.0.sampler=blocks', 'stages.0.blocks=[definition, qa, qd1consis]'],
    /^stage stage1: blocks\.2: qd1consis names no rows that a block before it has not \(groups: .*\); correct it or leave it out$/,
  ],
] as const)(
  'blocks that do not fit are refused before there is a run folder: %j',
  async (overrides, message) => {
    const root = temporaryFolder();
    await expect(train(smoke, overrides, root)).rejects.toThrow(message);
    expect(fs.readdirSync(root)).toEqual([]);
  },
);

test('a sampler that the data do not support is refused before there is a run folder', async () => {
  const root = temporaryFolder();
  await expect(train(smoke, ['stages.1.sampler=mixture'], root)).rejects.toThrow(
    /^stage stage2: the data have no probabilities, which the sampler mixture needs; choose another sampler$/,
  );
  expect(fs.readdirSync(root)).toEqual([]);
});
