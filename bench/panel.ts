import { performance } from 'node:perf_hooks';
import * as tf from '@tensorflow/tfjs-core';
import { allocateFields } from '../data/fields.js';
import { createStream } from '../data/random/streams.js';
import { loadConfig } from '../src/config/load.js';
import { createFactorReader } from '../src/probe/panel/factors.js';
import { panelProducts } from '../src/probe/panel/panel-gram.js';
import { choosePanel } from '../src/probe/panel/panel.js';
import { runSchema } from '../src/run/config.js';
import { planRun } from '../src/run/plan.js';
import { batchTensors } from '../src/train/batch.js';
import { loadEngine } from '../src/train/engine/load.js';
import { gradientFunction } from '../src/train/gradient-function.js';
import { Learner } from '../src/train/learner.js';
import { trainingFields } from '../src/train/models/model.js';
import { median, printTable } from './support.js';

/**
 * Exact products of definitions and questions for a panel of 200 variables x (1 definition + 12 questions) against one
 * backward pass an example in the same engine, whose gradients are downloaded and multiplied.
 */
const engine = await loadEngine({ engine: 'auto' });
const { config } = loadConfig('configs/set-inclusion.yaml', runSchema);
const plan = planRun(config, [0]);
const learner = new Learner(plan.model, 1, 'example');
learner.initialise([createStream(0, 'initialisation')]);
const values = learner.read();
const panel = choosePanel(
  { ...plan.data[0]!, counterfactuals: { kinds: [], fill: () => {} } },
  { variablesPerSubset: 50, questions: 12 },
  createStream(0, 'panel'),
  () => createStream(0, 'panel/examples'),
);
const reader = createFactorReader(plan.model, learner.blocks, 256);
const gradient = gradientFunction(plan.model, learner.blocks, 'example');
const names = trainingFields(plan.model);

const ghost = (): number => {
  const started = performance.now();
  const factors = reader(values, panel);
  panelProducts(panel, factors, plan.model);
  factors.dispose();
  return performance.now() - started;
};

/** Milliseconds of one backward pass of one example with its gradient on the host. */
const onePass = (example: number): number => {
  const started = performance.now();
  const buffers = allocateFields(panel.fields, 1);
  panel.fill(example, example + 1, buffers, 0);
  const inputs = batchTensors({ replicas: 1, examples: 1, fields: panel.fields, buffers }, names);
  const own = gradient(values, inputs, 1);
  for (const block of own.blocks) block.dataSync();
  own.dispose();
  tf.dispose(inputs);
  return performance.now() - started;
};

ghost();
onePass(0);
const rounds = Array.from({ length: 5 }, (_, round) => ({
  ghost: ghost(),
  pass: median(Array.from({ length: 100 }, (_, i) => onePass((round * 100 + i) % panel.size))),
}));
// The paper's code takes two passes an example: one for the mean, one for the variance.
const passes = median(rounds.map(({ pass }) => pass)) * panel.size;
const ours = median(rounds.map((round) => round.ghost));
printTable(
  `All ${panel.definitions} x ${panel.size - panel.definitions} inner products by tensor, ${engine.version}, small; medians of 5 rounds`,
  ['', 'seconds', 'times as long'],
  [
    ['ghost products', (ours / 1000).toFixed(2), '1'],
    [
      'one backward pass an example (without the products)',
      (passes / 1000).toFixed(2),
      (passes / ours).toFixed(1),
    ],
  ],
);
