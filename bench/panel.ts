import { performance } from 'node:perf_hooks';
import * as tf from '@tensorflow/tfjs-core';
import { allocateFields } from '../data/fields.js';
import { createStream } from '../data/random/streams.js';
import { loadConfig } from '../src/config/load.js';
import { createFactorReader } from '../src/probe/panel/factors.js';
import { panelProducts } from '../src/probe/panel/panel-gram.js';
import { choosePanel } from '../src/probe/panel/panel.js';
import { runSchema } from '../src/run/config.js';
import { planRuns } from '../src/run/plan.js';
import { batchTensors } from '../src/train/batch.js';
import { backward } from '../src/train/backward.js';
import { loadEngine } from '../src/train/engine/load.js';
import { assembleGradients } from '../src/train/gradient.js';
import { gradientFunction } from '../src/train/gradient-function.js';
import { Learner } from '../src/train/learner.js';
import { trainingFieldNames, type ModelInputs } from '../src/train/models/model.js';
import { pack, unpack } from '../src/train/parameters/layout.js';
import { median, printTable, pythonWithTorch, TorchPeer } from './support.js';
import { smallCases } from './training-step.js';

/**
 * Exact products of definitions and questions, tensor by tensor, for 200 variables x (1 definition + 12 questions),
 * against one backward pass an example: as a tfjs program issues its ops, and as a compiled graph; each gradient is
 * brought to the host and multiplied with the definitions' there, as the paper's code does (which takes two passes an
 * example, one for the mean and one for the variance). PyTorch the same way where there is one.
 */
const engine = await loadEngine({ engine: 'auto' });
const { config } = loadConfig('configs/set-inclusion.yaml', runSchema);
const plan = planRuns([{ config, seed: 0 }]);
const learner = new Learner(plan.model, 1, 'example');
learner.initialise([createStream(0, 'initialisation')]);
const values = learner.read();
const panel = choosePanel(
  { ...plan.data[0]!, counterfactuals: { kinds: [], fill: () => {} } },
  { variablesPerSubset: 50, questions: 12, kinds: ['heldout'] },
  createStream(0, 'panel'),
  () => createStream(0, 'panel/examples'),
);
const questions = panel.size - panel.definitions;
const reader = createFactorReader(plan.model, learner.blocks, 256);
const compiled = gradientFunction(plan.model, learner.blocks, 'example');
const names = trainingFieldNames(plan.model);
const size = learner.blocks.reduce((sum, block) => sum + block.size, 0);

const ours = (): number => {
  const started = performance.now();
  const factors = reader(values, panel);
  // As at the checkpoints inside a stage: the Gram matrices of its ends have no counterpart in the loops below.
  panelProducts(panel, factors, plan.model, false);
  factors.dispose();
  return performance.now() - started;
};

const inputsOf = (example: number): ModelInputs => {
  const buffers = allocateFields(panel.fields, 1);
  panel.fill(example, example + 1, buffers, 0);
  return batchTensors({ replicas: 1, examples: 1, fields: panel.fields, buffers }, names);
};

/** Gradient of one example on the host, by the compiled graph. */
const compiledPass = (example: number): Float32Array => {
  const inputs = inputsOf(example);
  const own = compiled(values, inputs, 1);
  const gradient = joined(own.blocks);
  own.dispose();
  tf.dispose(inputs);
  return gradient;
};

/** The same op by op. */
const eagerPass = (example: number): Float32Array => {
  const inputs = inputsOf(example);
  const blocks = tf.tidy(() => {
    const { uses, losses } = backward(plan.model, unpack(learner.blocks, values), inputs, tf.ones([1, 1]));
    const packed = pack(learner.blocks, assembleGradients(uses, 1).total);
    for (const use of uses) tf.dispose(Object.values(use).filter((value) => value instanceof tf.Tensor));
    losses.dispose();
    return packed;
  });
  const gradient = joined(blocks);
  tf.dispose([inputs, blocks]);
  return gradient;
};

function joined(blocks: readonly tf.Tensor[]): Float32Array {
  const gradient = new Float32Array(size);
  let offset = 0;
  for (const block of blocks) {
    const part = block.dataSync<'float32'>();
    gradient.set(part, offset);
    offset += part.length;
  }
  return gradient;
}

/** Milliseconds of a loop over some examples, scaled to all of them, with their products with 200 definitions. */
const loop = (pass: (example: number) => Float32Array, count: number): number => {
  const definitions = Array.from({ length: 200 }, (_, i) => new Float32Array(size).fill(i));
  const started = performance.now();
  let sink = 0;
  for (let i = 0; i < count; i++) {
    const gradient = pass(i);
    // Every question meets every definition.
    for (const definition of definitions)
      for (let p = 0; p < size; p++) sink += gradient[p]! * definition[p]!;
  }
  if (Number.isNaN(sink)) throw new Error('a gradient is not finite');
  return ((performance.now() - started) / count) * panel.size;
};

/** The passes alone. */
const passesOf = (pass: (example: number) => Float32Array, count: number): number => {
  const started = performance.now();
  for (let i = 0; i < count; i++) pass(i);
  return ((performance.now() - started) / count) * panel.size;
};

/** What is timed in every round. */
type Side = 'ours' | 'compiled' | 'compiledLoop' | 'eager' | 'eagerLoop' | 'torch' | 'torchLoop';

ours();
compiledPass(0);
eagerPass(0);
const python = pythonWithTorch();
if (python === null)
  console.log('PyTorch: not found (GRADSCOPE_PYTHON names a Python that has it); left out');
const peer = python === null ? null : new TorchPeer(python, 2);
await peer?.ask({ build: { ...smallCases[0], hidden: 4 * smallCases[0]!.width } });
await peer?.ask({ examples: 20, products: panel.definitions });

/** Median milliseconds of one of PyTorch's passes, scaled to all examples; NaN without PyTorch. */
const torchPasses = async (products: object): Promise<number> =>
  median((await peer?.ask({ examples: 100, ...products }))?.ms ?? []) * panel.size;

const rounds: Record<Side, number>[] = [];
for (let round = 0; round < 5; round++)
  rounds.push({
    ours: ours(),
    compiled: passesOf(compiledPass, 60),
    compiledLoop: loop(compiledPass, 10),
    eager: passesOf(eagerPass, 30),
    eagerLoop: loop(eagerPass, 10),
    torch: await torchPasses({}),
    torchLoop: await torchPasses({ products: panel.definitions }),
  });
peer?.close();
const seconds = (pick: (round: Record<Side, number>) => number): number => median(rounds.map(pick)) / 1000;
const base = seconds((round) => round.ours);
const row = (name: string, value: number): string[] => [name, value.toFixed(2), (value / base).toFixed(1)];
const rows = [
  row('gradscope, products of every tensor included', base),
  row(
    'one backward pass an example, op by op, with products',
    seconds((round) => round.eagerLoop),
  ),
  row(
    'the same, two passes per example (as in the code of the paper)',
    seconds((round) => round.eagerLoop + round.eager),
  ),
  row(
    'one backward pass an example, op by op, no products',
    seconds((round) => round.eager),
  ),
  row(
    'one backward pass an example, compiled, with products',
    seconds((round) => round.compiledLoop),
  ),
  row(
    'one backward pass an example, compiled, no products',
    seconds((round) => round.compiled),
  ),
];
if (peer !== null) {
  rows.push(
    row(
      'PyTorch, two passes an example, with products',
      seconds((round) => round.torch + round.torchLoop),
    ),
    row(
      'PyTorch, two passes an example, no products',
      seconds((round) => 2 * round.torch),
    ),
  );
}
printTable(
  `All ${panel.definitions} x ${questions} inner products by tensor, ${engine.version}, small; medians of 5 rounds`,
  ['', 'seconds', 'times as long'],
  rows,
);
