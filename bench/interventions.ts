import * as tf from '@tensorflow/tfjs-core';
import { createStream } from '../data/random/streams.js';
import { loadConfig } from '../src/config/load.js';
import { runSchema } from '../src/run/config.js';
import { updatingOf } from '../src/run/learning-rates.js';
import { planRuns } from '../src/run/plan.js';
import { updates } from '../src/run/updates.js';
import { loadEngine } from '../src/train/engine/load.js';
import { Learner } from '../src/train/learner.js';
import { median, printTable } from './support.js';

/** What a stage sets, and how many times the plain step it may take. */
interface Case {
  readonly name: string;
  readonly settings: readonly string[];
  readonly goal: number | null;
  /** Backward passes over the minibatch, the plain step's among them: no fewer can do. */
  readonly passes: number;
}

const penalty = (settings: string): readonly string[] => [
  `stages.0.penalty={ ${settings}, forceRatio: 0.1 }`,
];
const questions = '{ first: { kind: definition, tag: reliable }, second: { kind: qa } }';

const cases: readonly Case[] = [
  { name: 'freeze', settings: ['stages.0.freeze={ parameters: ["layers.0.*"] }'], goal: 1.1, passes: 1 },
  { name: 'order: fixed', settings: ['stages.0.sampler=fixed'], goal: 1.1, passes: 1 },
  {
    name: 'noise: isotropic',
    settings: ['stages.0.noise={ kind: isotropic, batchSize: 8 }'],
    goal: 1.1,
    passes: 1,
  },
  {
    name: 'noise: covariance',
    settings: ['stages.0.noise={ kind: covariance, batchSize: 8 }'],
    goal: 1.1,
    passes: 1,
  },
  {
    name: 'surgery',
    settings: [
      'stages.0.surgery={ kind: inject, first: { tag: reliable }, second: { tag: unreliable }, equalNorm: true }',
    ],
    goal: null,
    passes: 1,
  },
  {
    name: 'projection',
    settings: ['stages.0.projection={ onto: own }'],
    goal: null,
    passes: 2,
  },
  { name: 'penalty: variance of 16', settings: penalty('kind: variance, size: 16'), goal: 2.2, passes: 2 },
  {
    name: 'penalty: variance of 16, central',
    settings: penalty('kind: variance, size: 16, difference: central'),
    goal: 3.3,
    passes: 3,
  },
  { name: 'penalty: fullNorm', settings: penalty('kind: fullNorm'), goal: 2.2, passes: 2 },
  { name: 'penalty: exampleNorm', settings: penalty('kind: exampleNorm'), goal: null, passes: 2 },
  {
    name: 'penalty: blocks',
    settings: penalty(`kind: blocks, blocks: [${questions}]`),
    goal: null,
    passes: 2,
  },
];

/** Rounds in which all take turns, and steps of each in a round. */
const rounds = 5;
const steps = 20;

const engine = await loadEngine({ engine: 'auto' });
for (const replicas of [1, 8]) {
  const own = [[], ...cases.map(({ settings }) => settings)].map((settings) => stepper(settings, replicas));
  for (const take of own) take(3);
  const times = own.map((): number[] => []);
  const ratios = cases.map((): number[] => []);
  for (let round = 0; round < rounds; round++) {
    const medians = own.map((take, i) => {
      const each = take(steps);
      times[i]!.push(...each);
      return median(each);
    });
    // Of one round: the machine is as busy with one as with the other.
    cases.forEach((_, i) => ratios[i]!.push(medians[i + 1]! / medians[0]!));
  }
  printTable(
    `Update of set inclusion small, ${replicas} replica${replicas > 1 ? 's' : ''} (${engine.version}); ms per replica, and ` +
      `median over ${rounds} rounds of the ratio to the plain update`,
    ['', 'ms', 'ratio', 'least, most', 'goal', 'passes'],
    [
      ['plain', (median(times[0]!) / replicas).toFixed(2), '1.00', '', '', '1'],
      ...cases.map(({ name, goal, passes }, i) => [
        name,
        (median(times[i + 1]!) / replicas).toFixed(2),
        median(ratios[i]!).toFixed(2),
        `${Math.min(...ratios[i]!).toFixed(2)}, ${Math.max(...ratios[i]!).toFixed(2)}`,
        goal?.toFixed(1) ?? '-',
        String(passes),
      ]),
    ],
  );
  for (const take of own) take.dispose();
}

/** A function that takes n updates of stage 1 and returns the milliseconds of each. */
function stepper(settings: readonly string[], replicas: number) {
  const { config } = loadConfig('configs/set-inclusion.yaml', runSchema, [
    'stages.0.epochs=100000',
    ...settings,
  ]);
  const plan = planRuns(Array.from({ length: replicas }, (_, seed) => ({ config, seed })));
  const learner = new Learner(plan.model, replicas, plan.config.loss.normalisation);
  learner.initialise(plan.seeds.map((seed) => createStream(seed, 'initialisation')));
  learner.beginStage(updatingOf(plan.stages[0]!));
  const all = updates(plan, 0, learner, 0);
  const take = (count: number): number[] =>
    Array.from({ length: count }, () => {
      const started = performance.now();
      const { value } = all.next();
      if (value === undefined) throw new Error('the stage is over');
      value.apply();
      // Updates are in the engine's queue until somebody asks.
      const [first] = learner.read();
      tf.sum(first!).dataSync();
      const ms = performance.now() - started;
      value.dispose();
      tf.dispose(first!);
      return ms;
    });
  const dispose = (): void => {
    all.return();
    learner.dispose();
  };
  return Object.assign(take, { dispose });
}
