import * as tf from '@tensorflow/tfjs-core';
import { createStream } from '../data/random/streams.js';
import { loadConfig } from '../src/config/load.js';
import { runSchema } from '../src/run/config.js';
import { activateInterventions } from '../src/run/interventions/active.js';
import { interventions } from '../src/run/interventions/registry.js';
import { updatingOf } from '../src/run/learning-rates.js';
import { stageOrder } from '../src/run/order.js';
import { orderedStage, planRuns, type RunPlan } from '../src/run/plan.js';
import { StageStop } from '../src/run/stage-stop.js';
import { updates } from '../src/run/updates.js';
import { loadEngine } from '../src/train/engine/load.js';
import { Learner } from '../src/train/learner.js';
import { median, printTable } from './support.js';

/**
 * What an update costs with each intervention, order and stop, against the plain one; --quick: two rounds of two updates,
 * which show that all of it runs and say nothing of its cost.
 */
const quick = process.argv.includes('--quick');

/** What a stage sets, and how many times the plain step it may take. */
interface Case {
  readonly name: string;
  readonly settings: readonly string[];
  /** Of the plain step beside it, too. */
  readonly both?: readonly string[];
  readonly goal: number | null;
  /** Backward passes over the minibatch, the plain step's among them: no fewer can do. */
  readonly passes: number;
}

const setting = (key: string, value: string): readonly string[] => [`stages.0.${key}=${value}`];
const penalty = (name: string, settings: string, goal: number | null, passes = 2): Case => ({
  name: `penalty: ${name}`,
  settings: setting('penalty', `{ ${settings}, forceRatio: 0.1 }`),
  goal,
  passes,
});
const noise = (kind: string): Case => ({
  name: `noise: ${kind}`,
  settings: setting('noise', `{ kind: ${kind}, batchSize: 8 }`),
  goal: 1.1,
  passes: 1,
});
const questions = '{ first: { kind: definition, tag: reliable }, second: { kind: qa } }';

const none: readonly string[] = [];
/** All rows of a stage in a minibatch that is not much larger than the others. */
const fullBatch = ['data.variables=40', 'stages.0.batchSize=full'];

const order = (name: string, settings: readonly string[]): Case => ({
  name: `order: ${name}`,
  settings,
  goal: 1.1,
  passes: 1,
});
const composition = (pairs: string, place: string): Case =>
  order(
    `composition ${pairs} ${place}`,
    setting('composition', `{ pairs: ${pairs}, share: 0.9, place: ${place} }`),
  );

const orders: readonly Case[] = [
  order('shuffleOnce', setting('sampler', 'shuffleOnce')),
  order('withReplacement', setting('sampler', 'withReplacement')),
  order('fixed', setting('sampler', 'fixed')),
  order('blocks', [...setting('sampler', 'blocks'), ...setting('blocks', '[definition, qa]')]),
  composition('matched', 'together'),
  composition('matched', 'apart'),
  composition('mismatched', 'together'),
];

const cases: readonly Case[] = [
  penalty('variance of 16', 'kind: variance, size: 16', 2.2),
  penalty('variance of 16, central', 'kind: variance, size: 16, difference: central', 3.3, 3),
  penalty('fullNorm', 'kind: fullNorm', 2.2),
  penalty('exampleNorm', 'kind: exampleNorm', null),
  penalty('blocks', `kind: blocks, blocks: [${questions}]`, null),
  { name: 'projection', settings: setting('projection', '{ onto: own }'), goal: null, passes: 2 },
  {
    name: 'surgery',
    settings: setting(
      'surgery',
      '{ kind: inject, first: { tag: reliable }, second: { tag: unreliable }, equalNorm: true }',
    ),
    goal: null,
    passes: 1,
  },
  noise('isotropic'),
  noise('covariance'),
  {
    name: 'noise: anticorrelated, full batch',
    settings: setting('noise', '{ kind: covariance, batchSize: 8, order: anticorrelated }'),
    both: fullBatch,
    goal: 1.1,
    passes: 1,
  },
  { name: 'freeze', settings: setting('freeze', '{ parameters: ["layers.0.*"] }'), goal: 1.1, passes: 1 },
  // Its updates; what it does at the start of the stage has a table of its own.
  { name: 'reset', settings: setting('reset', '{ parameters: ["*"], to: fresh }'), goal: 1.1, passes: 1 },
  ...orders,
  { name: 'microBatch: 32 of 128', settings: setting('microBatch', '32'), goal: null, passes: 1 },
  { name: 'stop.distance', settings: setting('stop', '{ distance: 1000000 }'), goal: 1.1, passes: 1 },
];

const unnamed = interventions.find(({ key }) => !cases.some(({ name }) => name.split(':')[0] === key));
if (unnamed !== undefined) throw new Error(`there is no case of ${unnamed.key}`);

const engine = await loadEngine({ engine: 'auto' });
for (const replicas of [1, 8]) {
  const rounds = quick ? 2 : 5;
  // Its graphs are built once.
  const plains = new Map<readonly string[], ReturnType<typeof stepper>>();
  const steps = quick ? 2 : replicas === 1 ? 20 : 8;
  const rows = cases.map(({ name, settings, both = none, goal, passes }) => {
    const plain = plains.get(both) ?? stepper(plannedRuns(both, replicas));
    plains.set(both, plain);
    const own = stepper(plannedRuns([...both, ...settings], replicas));
    for (let i = 0; i < 3; i++) [plain, own].forEach((step) => step());
    const measured = Array.from({ length: rounds }, () => {
      const times: [number, number][] = [];
      // In turns: the machine is as busy with one as with the other.
      for (let i = 0; i < steps; i++) times.push([plain(), own()]);
      const [before, after] = [0, 1].map((side) => median(times.map((pair) => pair[side]!)));
      return { plain: before!, own: after!, ratio: after! / before! };
    });
    own.dispose();
    const ratios = measured.map(({ ratio }) => ratio);
    const perReplica = (of: 'plain' | 'own'): string =>
      (median(measured.map((round) => round[of])) / replicas).toFixed(2);
    return [
      name,
      perReplica('plain'),
      perReplica('own'),
      median(ratios).toFixed(2),
      `${Math.min(...ratios).toFixed(2)}, ${Math.max(...ratios).toFixed(2)}`,
      goal === null ? '-' : goal.toFixed(1),
      String(passes),
    ];
  });
  printTable(
    `Update of set inclusion small, ${replicas} replica${replicas > 1 ? 's' : ''} (${engine.version}); ms per replica, and ` +
      `median over ${rounds} rounds of the ratio to the plain update, which takes turns with it`,
    ['', 'plain ms', 'ms', 'ratio', 'least, most', 'goal', 'passes'],
    rows,
  );
  for (const plain of plains.values()) plain.dispose();
}
measureStarts();

/** What is not done at every update: of an epoch or a stage, and how much of its plain updates it would be. */
function measureStarts(): void {
  const rounds = quick ? 2 : 5;
  /** Of the stage in the preset. */
  const epochs = 30;
  const plan = plannedRuns([], 1);
  const plain = stepper(plan);
  for (let i = 0; i < 3; i++) plain();
  const update = median(Array.from({ length: rounds * 4 }, plain));
  plain.dispose();
  const ofEpochs = [{ name: 'order: shuffle', settings: [] }, ...orders].map(({ name, settings }) => {
    const own = plannedRuns(settings, 1);
    const drawn = stageOrder(orderedStage(own, own.stages[0]!, 0));
    const ms = median(Array.from({ length: rounds }, (_, epoch) => timed(() => drawn.epoch(epoch))));
    return [name, 'an epoch', ms.toFixed(2), percent(ms / (update * drawn.stepsPerEpoch))];
  });
  const reset = plannedRuns(setting('reset', '{ parameters: ["*"], to: fresh }'), 1);
  const learner = learnerOf(reset);
  const active = activateInterventions({ plan: reset, stage: reset.stages[0]!, learner });
  const ms = median(Array.from({ length: rounds }, () => timed(() => active.begin())));
  active.dispose();
  learner.dispose();
  printTable(
    'Before the updates, 1 replica; ms, and share of the plain updates of an epoch, or of a stage of 30',
    ['', 'of', 'ms', 'share'],
    [
      ...ofEpochs,
      ['reset', 'a stage', ms.toFixed(2), percent(ms / (update * plan.stages[0]!.stepsPerEpoch * epochs))],
    ],
  );
}

function percent(share: number): string {
  return `${(100 * share).toFixed(2)} %`;
}

function timed(what: () => unknown): number {
  const started = performance.now();
  what();
  return performance.now() - started;
}

function plannedRuns(settings: readonly string[], replicas: number): RunPlan {
  const { config } = loadConfig('configs/set-inclusion.yaml', runSchema, [
    'stages.0.epochs=100000',
    'log.tier=off',
    ...settings,
  ]);
  return planRuns(Array.from({ length: replicas }, (_, seed) => ({ config, seed })));
}

function learnerOf(plan: RunPlan): Learner {
  const learner = new Learner(plan.model, plan.seeds.length, plan.config.loss.normalisation);
  learner.initialise(plan.seeds.map((seed) => createStream(seed, 'initialisation')));
  learner.beginStage(updatingOf(plan.stages[0]!));
  return learner;
}

/** A function that takes an update of stage 1 and returns its milliseconds. */
function stepper(plan: RunPlan) {
  const learner = learnerOf(plan);
  const all = updates(plan, 0, learner, 0);
  const stop = new StageStop(plan.stages[0]!, learner, null);
  const losses = plan.seeds.map(() => 1);
  const step = (): number => {
    let dispose = (): void => {};
    const ms = timed(() => {
      const { value } = all.next();
      if (value === undefined) throw new Error('the stage is over');
      stop.begin();
      value.apply();
      stop.after(value.place.stageStep, losses, value.minibatch.rows[0]!.length);
      // Updates are in the engine's queue until somebody asks.
      tf.tidy(() => tf.sum(learner.read()[0]!).dataSync());
      dispose = (): void => value.dispose();
    });
    dispose();
    return ms;
  };
  return Object.assign(step, {
    dispose: (): void => {
      all.return();
      stop.dispose();
      learner.dispose();
    },
  });
}
