import fs from 'node:fs';
import path from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { loadConfig } from '../../src/config/load.js';
import { runSchema } from '../../src/run/config.js';
import { Prober } from '../../src/probe/prober.js';
import { probeDefaults } from '../../src/probe/probe.js';
import { startRuns } from '../../src/run/run.js';
import { readRunInfo } from '../../src/store/run-folder.js';
import type { Engine } from '../../src/train/engine/load.js';
import { polars } from '../store/polars.js';
import { useTestEngine } from '../train/support/engine.js';
import { finalWeights, quietRequest, temporaryFolder } from './support.js';

/** The smoke preset with 16 pairs, four updates and a narrow net, everything logged. */
const tiny = [
  'name=tiny',
  'data.variables=16',
  'data.epochExamples=64',
  'data.testImages=2',
  'model.hidden=[16]',
  'stages.0.batchSize=16',
  'stages.0.schedule={ kind: constant, warmupSteps: 0 }',
  'evaluation.everyEpochs=1',
  'log.tier=groups',
  'log.gram={ every: 1 }',
  'log.exampleNorms={ every: 2 }',
];

let engine: Engine;
const together = temporaryFolder();

const folderOf = (root: string, seed: number): string => path.join(root, 'mnist-qa', `tiny-seed${seed}`);

function train(root: string, seeds: readonly number[], overrides: readonly string[] = []) {
  const { config, resolved } = loadConfig('configs/mnist-qa-smoke.yaml', runSchema, [...tiny, ...overrides]);
  return startRuns(config, resolved, seeds, quietRequest(root, engine));
}

const read = (root: string, seed: number, table: string): Record<string, unknown>[] =>
  polars.readIPC(fs.readFileSync(path.join(folderOf(root, seed), `${table}.arrow`))).toRecords();

beforeAll(async () => {
  engine = await useTestEngine();
  await train(together, [0, 4]);
});

test('a replica ends with the weights it has alone, and logging changes none', async () => {
  const alone = temporaryFolder();
  await train(alone, [4], ['log.tier=off']);
  const [own, other] = [finalWeights(folderOf(together, 4)), finalWeights(folderOf(alone, 4))];
  expect(readRunInfo(folderOf(together, 4)).dataHash).toBe(readRunInfo(folderOf(alone, 4)).dataHash);
  for (const [name, values] of own) {
    const expected = other.get(name)!;
    // A first Adam step moves by the learning rate whatever the gradient's size, so that a gradient that is rounding
    // alone may turn: few numbers, which means are not changed by.
    const differences = values.map((value, i) => Math.abs(value - expected[i]!));
    const apart = differences.filter((difference) => difference > 1e-3).length;
    expect(apart, name).toBeLessThanOrEqual(0.01 * values.length);
  }
});

test('the Gram matrix of the groups sums to the norm of the minibatch gradient', () => {
  const norms = read(together, 0, 'steps').map((row) => Number(row['grad_norm']));
  const gradients = read(together, 0, 'gradients').filter((row) => row['tensor'] === 'total');
  const gram = read(together, 0, 'gram').filter((row) => row['tensor'] === 'total');
  norms.forEach((norm, i) => {
    const atStep = (row: Record<string, unknown>): boolean => Number(row['step']) === i + 1;
    const own = gradients
      .filter((row) => atStep(row) && row['group'] !== 'minibatch')
      .reduce((sum, row) => sum + Number(row['norm2']), 0);
    const cross = gram.filter(atStep).reduce((sum, row) => sum + 2 * Number(row['inner']), 0);
    expect(Math.abs((own + cross) / norm ** 2 - 1)).toBeLessThan(1e-3);
  });
});

test('panels measure tag swaps of definitions, with all pairings of the alignment table', async () => {
  const prober = new Prober(
    { ...probeDefaults, variablesPerSubset: 2, questions: 2, only: ['alignment'] },
    { engine },
    { onProgress: () => {}, onMessage: () => {} },
  );
  await prober.probe(folderOf(together, 0));
  prober.dispose();
  const rows = read(together, 0, 'alignment').filter((row) => row['tensor'] === 'total');
  expect(new Set(rows.map((row) => row['pairing']))).toEqual(
    new Set([
      'matched',
      'tag_swap',
      'entity_swap',
      'unseen_tag',
      'mismatched',
      'tag_swap_mismatched',
      'random',
    ]),
  );
  expect(new Set(rows.map((row) => row['subset']))).toEqual(
    new Set(['qd1consis', 'qd2incons', 'd1consis', 'd2consis']),
  );
  for (const row of rows) expect(Math.abs(Number(row['cosine']))).toBeLessThanOrEqual(1 + 1e-5);
  const parts = read(together, 0, 'alignment').filter(
    (row) => row['pairing'] === 'matched' && row['tensor'] !== 'without_embeddings',
  );
  const sums = new Map<string, { total: number; parts: number }>();
  for (const row of parts) {
    const key = [row['step'], row['variable'], row['questions']].join();
    const own = sums.get(key) ?? { total: 0, parts: 0 };
    own[row['tensor'] === 'total' ? 'total' : 'parts'] += Number(row['inner']);
    sums.set(key, own);
  }
  for (const own of sums.values())
    expect(Math.abs(own.parts - own.total)).toBeLessThan(1e-6 * (1 + Math.abs(own.total)));
});
