import fs from 'node:fs';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, test } from 'vitest';
import { createStream } from '../../data/random/streams.js';
import { loadConfig } from '../../src/config/load.js';
import { runSchema } from '../../src/run/config.js';
import { planRun } from '../support/plan-run.js';
import { resumeRuns, startTogether, type RunRequest, type WantedRun } from '../../src/run/run.js';
import { sameShapes } from '../../src/run/same-shapes.js';
import { hashConfig } from '../../src/store/config-hash.js';
import { configPath, readRunInfo } from '../../src/store/run-folder.js';
import type { Engine } from '../../src/train/engine/load.js';
import { Learner, type Updating } from '../../src/train/learner.js';
import { optimizerSchema } from '../../src/train/optimizers/registry.js';
import { testEngine, useTestEngine } from '../train/support/engine.js';
import { finalWeights, quietRequest, temporaryFolder, tiny } from './support.js';

let engine: Engine;

beforeAll(async () => {
  engine = await useTestEngine();
});

/** Overrides of three configs that differ in every kind of number that may differ. */
const differing = [
  ['name=a', 'stages.0.schedule={ kind: linear, warmupSteps: 2 }'],
  ['name=b', 'stages.0.optimizer.learningRate=0.003', 'stages.0.clipNorm=0.5'],
  ['name=c', 'stages.1.optimizer.weightDecay=0.1', 'stages.1.schedule.kind=cosine'],
];
const seeds = [4, 4, 7];

function load(overrides: readonly string[]): Omit<WantedRun, 'seed'> {
  const short = ['model.layers=1', 'log.tier=groups', 'stages.0.epochs=1', 'stages.1.epochs=0.5'];
  return loadConfig('configs/set-inclusion-smoke.yaml', runSchema, [...tiny, ...short, ...overrides]);
}

const wanted = (): WantedRun[] => differing.map((own, i) => ({ ...load(own), seed: seeds[i]! }));

function requestOf(root: string, changes: Partial<RunRequest> = {}): RunRequest {
  return { ...quietRequest(root, engine), ...changes };
}

describe('runs of several configs, trained as one computation', () => {
  let folders: readonly string[];
  beforeAll(async () => {
    ({ folders } = await startTogether(wanted(), requestOf(temporaryFolder())));
  });

  test.each([0, 1, 2])('run %i has the weights that it has without the others, bit for bit', async (i) => {
    const run = wanted()[i]!;
    // TensorFlow may divide a product of other shapes otherwise between cores: there, beside runs of its own config.
    const own =
      testEngine === 'wasm'
        ? [run]
        : seeds.map((seed, j) => ({ ...load([...differing[i]!, `name=own-${j}`]), seed }));
    const alone = await startTogether(own, requestOf(temporaryFolder()));
    const expected = finalWeights(alone.folders[testEngine === 'wasm' ? 0 : i]!);
    expect(finalWeights(folders[i]!)).toEqual(expected);
  });

  test('each has its own config, hash and description in its folder', () => {
    wanted().forEach(({ config, resolved, seed }, i) => {
      expect(fs.readFileSync(configPath(folders[i]!), 'utf8')).toBe(resolved);
      const info = readRunInfo(folders[i]!);
      expect(info).toMatchObject({
        name: config.name,
        seed,
        status: 'complete',
        configHash: hashConfig(config),
      });
      expect(info.stages[0]!.learningRate).toBe(config.stages[0]!.optimizer.learningRate);
      expect(info.siblings).toEqual(['a-seed4', 'b-seed4', 'c-seed7']);
    });
  });

  test('interrupted, one of them takes the others along, to the same weights', async () => {
    const root = temporaryFolder();
    const abort = new AbortController();
    const onProgress: RunRequest['onProgress'] = ({ step }) => {
      if (step === 5) abort.abort();
    };
    const first = await startTogether(wanted(), requestOf(root, { signal: abort.signal, onProgress }));
    expect(first.end).toBe('interrupted');
    const resumed = await resumeRuns(first.folders[1]!, requestOf(root));
    expect(resumed).toMatchObject({ end: 'complete', failed: [], folders: first.folders });
    first.folders.forEach((folder, i) => expect(finalWeights(folder)).toEqual(finalWeights(folders[i]!)));
  });
});

test('what may not differ is named, and nothing is written', async () => {
  const others = (...overrides: string[]) => [load([]).config, load(overrides).config];
  expect(sameShapes(wanted().map(({ config }) => config))).toBeNull();
  expect(sameShapes(others('stages.0.batchSize=32'))).toBe('stages.0.batchSize differs: 64 and 32');
  expect(sameShapes(others('stages.1.epochs=2'))).toBe('stages.1.epochs differs: 0.5 and 2');
  expect(sameShapes(others('data.variables=41'))).toBe('data.variables differs: 40 and 41');
  expect(sameShapes(others('stages.0.optimizer={ kind: sgd, learningRate: 0.1 }'))).toMatch(
    /^stages\.0\.optimizer\.kind differs: "\w+" and "sgd"$/,
  );
  expect(sameShapes(others('stages.0.parameterGroups=[{ parameters: "*", learningRate: 0 }]'))).toMatch(
    /^stages\.0\.parameterGroups\.0\.parameters differs/,
  );
  const root = temporaryFolder();
  const runs = ['32', '64'].map((size) => ({
    ...load([`name=b${size}`, `stages.0.batchSize=${size}`]),
    seed: 0,
  }));
  await expect(startTogether(runs, requestOf(root))).rejects.toThrow('stages.0.batchSize differs: 32 and 64');
  const twice = wanted().map((run) => ({ ...run, ...load(['name=a']), seed: 1 }));
  await expect(startTogether(twice, requestOf(root))).rejects.toThrow('two of the runs have this folder');
  expect(fs.readdirSync(root)).toEqual([]);
});

describe('a learner of replicas with different optimizers of one kind', () => {
  const kinds: Record<string, readonly object[]> = {
    sgd: [{}, { momentum: 0.9, nesterov: true }, { weightDecay: 0.1 }],
    adamw: [{}, { beta2: 0.9, weightDecay: 0.1 }, { epsilon: 1e-3 }],
    adafactor: [{}, { clipThreshold: 0.5 }, { decayRate: -0.5, weightDecay: 0.01 }],
  };
  test.each(Object.keys(kinds))('%s: updates each as a learner of it alone, bit for bit', (kind) => {
    const plan = planRun(load([]).config, [0]);
    const updating = kinds[kind]!.map((own, i): Updating => ({
      optimizer: optimizerSchema.parse({ kind, learningRate: 0.01 * (i + 1), ...own }),
      learningRate: (name) => (name.includes('bias') ? 0.02 : 0.01) * (i + 1),
    }));
    const streams = updating.map((_, i) => () => createStream(i, 'initialisation'));
    const train = (own: readonly Updating[], random: typeof streams): Learner => {
      const learner = new Learner(plan.model, own.length, 'example');
      learner.initialise(random.map((stream) => stream()));
      learner.beginStage(own);
      const gradients = random.map((stream) => stream());
      for (let step = 1; step <= 3; step++) {
        // Gradients that do not depend on how the blocks are cut: a value of a parameter is times one number a step.
        const factors = gradients.map((stream) => stream.normal());
        const read = learner.read();
        const scaled = tf.tidy(() => read.map((value) => tf.mul(value, tf.tensor(factors, [own.length, 1]))));
        learner.update(
          scaled,
          own.map(() => 0.5),
          own.map(() => 1 / step),
          step,
        );
        tf.dispose([read, scaled]);
      }
      return learner;
    };
    const before = tf.memory().numTensors;
    const together = train(updating, streams);
    updating.forEach((own, i) => {
      const alone = train([own], [streams[i]!]);
      expect(together.parameterValues(i)).toEqual(alone.parameterValues(0));
      expect(together.optimizerValues(i)).toEqual(alone.optimizerValues(0));
      alone.dispose();
    });
    together.dispose();
    expect(tf.memory().numTensors).toBe(before);
  });
});
