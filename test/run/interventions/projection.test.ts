import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, test } from 'vitest';
import type { ExampleSet } from '../../../data/experiment.js';
import { createStream } from '../../../data/random/streams.js';
import { loadConfig } from '../../../src/config/load.js';
import { runSchema } from '../../../src/run/config.js';
import { projection } from '../../../src/run/interventions/projection.js';
import { learningRates, updatingOf } from '../../../src/run/learning-rates.js';
import { type RunPlan } from '../../../src/run/plan.js';
import { ratesOfCoordinates } from '../../../src/probe/population.js';
import { planRun } from '../../support/plan-run.js';
import { updates, type Update } from '../../../src/run/updates.js';
import { batchTensors, gatherExamples } from '../../../src/train/batch.js';
import type { Engine } from '../../../src/train/engine/load.js';
import { Learner } from '../../../src/train/learner.js';
import { trainingFieldNames } from '../../../src/train/models/model.js';
import { setGradientFunction } from '../../../src/train/set-gradients.js';
import { useTestEngine } from '../../train/support/engine.js';
import {
  brief,
  differencesOfStops,
  stepColumns,
  trainBrief,
  weightDifference,
} from '../intervention-support.js';
import { tiny } from '../support.js';

let engine: Engine;

beforeAll(async () => {
  engine = await useTestEngine();
});

// Without the noise of training, which definitions have and questions have not.
const quiet = 'model.variableEmbedding.noise=0';
const planOf = (onto: string, batchSize: number): RunPlan =>
  planRun(
    loadConfig('configs/set-inclusion-smoke.yaml', runSchema, [
      ...tiny,
      ...brief,
      quiet,
      `stages.1.batchSize=${batchSize}`,
      `stages.1.projection={ onto: ${onto} }`,
    ]).config,
    [0],
  );

function flat(blocks: readonly tf.Tensor2D[]): Float64Array {
  const joined = tf.concat([...blocks], 1);
  const values = Float64Array.from(joined.dataSync());
  joined.dispose();
  return values;
}

const dot = (a: ArrayLike<number>, b: ArrayLike<number>): number => {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
};

/** A vector less its part in a span, in float64, one direction after the other. */
function without(vector: Float64Array, basis: readonly Float64Array[]): Float64Array {
  const rest = vector.slice();
  for (let pass = 0; pass < 2; pass++) {
    for (const e of basis) {
      const along = dot(rest, e);
      e.forEach((value, i) => (rest[i]! -= along * value));
    }
  }
  return rest;
}

function basisOf(vectors: readonly Float64Array[]): Float64Array[] {
  const basis: Float64Array[] = [];
  for (const vector of vectors) {
    const rest = without(vector, basis);
    const norm = Math.sqrt(dot(rest, rest));
    if (norm > 3e-3 * Math.sqrt(dot(vector, vector))) basis.push(rest.map((value) => value / norm));
  }
  return basis;
}

interface Found {
  readonly plan: RunPlan;
  /** Roots of the learning rates of all coordinates, the largest 1. */
  readonly scale: Float64Array;
  readonly update: Update;
  readonly before: Float64Array;
  readonly after: Float64Array;
  readonly share: number;
  readonly rank: number;
  /** Gradients of the mean loss of one row each. */
  readonly gradientsOf: (set: ExampleSet, rows: readonly number[]) => Float64Array[];
}

/** What the projection makes of the first minibatch of the second stage, at initial parameters. */
function atFirst(plan: RunPlan, use: (found: Found) => void): void {
  const learner = new Learner(plan.model, 1, 'example');
  learner.initialise([createStream(0, 'initialisation')]);
  learner.beginStage(updatingOf(plan.stages[1]!));
  const active = projection.activate({ plan, stage: plan.stages[1]!, learner })!;
  const single = setGradientFunction(plan.model, learner.blocks);
  for (const update of updates(
    { ...plan, stages: plan.stages.map((own) => ({ ...own, config: { ...own.config, projection: null } })) },
    1,
    learner,
    0,
  )) {
    const { place, minibatch, gradient } = update;
    const { blocks, values } = active.change!({ place, minibatch, gradient, blocks: gradient.blocks });
    const rates = ratesOfCoordinates(learner.blocks, learningRates(plan.stages[1]!.config));
    const largest = Math.max(...rates);
    use({
      plan,
      scale: rates.map((rate) => Math.sqrt(rate / largest)),
      update,
      before: flat(gradient.blocks),
      after: flat(blocks),
      share: values.projection_share![0]!,
      rank: values.projection_rank![0]!,
      gradientsOf: (set, rows) =>
        rows.map((row) => {
          const host = gatherExamples([set], [[row]], () => createStream(0, 'never'));
          const own = single(learner.read(), batchTensors(host, trainingFieldNames(plan.model)));
          return flat(own.blocks);
        }),
    });
    break;
  }
  active.dispose?.();
  single.dispose();
  learner.dispose();
}

/** Held-out questions about a variable. */
function questionsOf({ data }: RunPlan, variable: number): { set: ExampleSet; rows: number[] } {
  const test = data[0]!.tests.find(
    ({ name, subset, asTraining }) => name === subset && asTraining.variable.includes(variable),
  )!;
  const rows = Array.from(test.asTraining.variable.keys()).filter(
    (row) => test.asTraining.variable[row] === variable,
  );
  return { set: test.asTraining, rows };
}

describe('one update', () => {
  test('is that of dense gradients, each definition projected by itself', () => {
    atFirst(planOf('own', 6), ({ plan, scale, update, before, after, share, rank, gradientsOf }) => {
      const scaled = (vector: Float64Array): Float64Array => vector.map((value, k) => value * scale[k]!);
      const set = plan.stages[1]!.sets[0]!;
      const rows = [...update.minibatch.rows[0]!];
      const removed = new Float64Array(before.length);
      let [all, gone, ranks] = [0, 0, 0];
      gradientsOf(set, rows)
        .map(scaled)
        .forEach((own, i) => {
          const questions = questionsOf(plan, set.variable[rows[i]!]!);
          expect(questions.rows.length).toBeGreaterThan(1);
          const basis = basisOf(gradientsOf(questions.set, questions.rows).map(scaled));
          const rest = without(own, basis);
          rest.forEach((value, k) => (removed[k]! += (own[k]! - value) / scale[k]! / rows.length));
          all += dot(own, own);
          gone += dot(own, own) - dot(rest, rest);
          ranks += basis.length;
        });
      const found = before.map((value, i) => value - after[i]!);
      const error = found.map((value, i) => value - removed[i]!);
      expect(Math.sqrt(dot(error, error) / dot(removed, removed))).toBeLessThan(1e-3);
      expect(share).toBeCloseTo(gone / all, 4);
      expect(rank).toBeCloseTo(ranks / rows.length, 10);
      expect(share).toBeGreaterThan(0.05);
    });
  });

  test('own leaves nothing along the questions of a definition, others leaves something and takes less', () => {
    const [own, others] = ['own', 'others'].map((onto) => {
      let [along, taken] = [NaN, NaN];
      atFirst(planOf(onto, 1), ({ plan, scale, update, after, share, gradientsOf }) => {
        const set = plan.stages[1]!.sets[0]!;
        const questions = questionsOf(plan, set.variable[update.minibatch.rows[0]![0]!]!);
        // What an update of plain SGD changes of the loss of a question: the rates are not equal.
        const step = after.map((value, k) => value * scale[k]! ** 2);
        const cosines = gradientsOf(questions.set, questions.rows).map((q) =>
          Math.abs(dot(q, step) / Math.sqrt(dot(q, q) * dot(step, step))),
        );
        along = Math.max(...cosines);
        taken = share;
      });
      return { along, taken };
    });
    expect(own!.along).toBeLessThan(1e-3);
    expect(others!.along).toBeGreaterThan(1e-2);
    expect(others!.taken).toBeLessThan(own!.taken);
  });
});

test('stopped, resumed and beside others', async () => {
  const { weights, rows, alone } = await differencesOfStops(engine, [
    'stages.1.epochs=6',
    'stages.1.batchSize=4',
    'evaluation.everyEpochs=100',
    'stages.1.projection={ onto: others }',
    'stages.1.freeze={ parameters: ["embed_in.weight"] }',
  ]);
  expect({ weights, rows }).toEqual({ weights: 0, rows: 0 });
  expect(alone).toBeLessThan(1e-5);
});

test('a run trains otherwise with it, and says what was taken', async () => {
  const [plain] = await trainBrief({ engine, overrides: [] });
  const [folder] = await trainBrief({ engine, overrides: ['stages.1.projection={ onto: own }'] });
  expect(weightDifference(folder!, plain!)).toBeGreaterThan(1e-5);
  const { projection_share: shares } = await stepColumns(folder!, ['projection_share']);
  expect(shares.filter((share) => share > 0 && share < 1).length).toBeGreaterThan(0);
  expect(shares[0]).toBeNaN();
});

test.each([
  [
    ['stages.1.projection={ onto: own }', 'stages.1.microBatch=2'],
    /stages\.1\.projection: it is about the gradients of single definitions/,
  ],
  [
    ['stages.0.trainOn=stage1_only_qa', 'stages.0.projection={ onto: own }'],
    /^stage stage1: projection\.onto: the stage trains no definition/,
  ],
])('%j is refused in one line', async (overrides, reason) => {
  await expect(trainBrief({ engine, overrides })).rejects.toThrow(reason);
});
