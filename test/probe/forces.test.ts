import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, expect, test } from 'vitest';
import type { ExampleSet, FieldBuffers } from '../../data/experiment.js';
import { allocateFields } from '../../data/fields.js';
import { createStream, type RandomStream } from '../../data/random/streams.js';
import { loadConfig } from '../../src/config/load.js';
import { blocksOf } from '../../src/train/parameters/block-vectors.js';
import { slopesAlong } from '../../src/probe/forces.js';
import { createDynamicsMeter, dynamicsDefaults } from '../../src/probe/forces/dynamics.js';
import { createPairMeter, pairsOf } from '../../src/probe/forces/pairs.js';
import { choosePanel } from '../../src/probe/panel/panel.js';
import { populationOf } from '../../src/probe/population.js';
import { transformerLossFloat64 } from '../../src/probe/reference/transformer-float64.js';
import { runSchema } from '../../src/run/config.js';
import { planRun } from '../support/plan-run.js';
import type { ForceName } from '../../src/store/tables/forces.js';
import { Learner } from '../../src/train/learner.js';
import { transformerSchema } from '../../src/train/models/transformer/config.js';
import { tiny } from '../run/support.js';
import { useTestEngine } from '../train/support/engine.js';

beforeAll(useTestEngine);

/** A model of some 300 parameters, of which all second derivatives can be had in float64. */
const overrides = [
  ...tiny,
  'data.variables=20',
  'model.layers=1',
  'model.width=4',
  'model.heads=1',
  'model.feedForward=4',
  'model.variableEmbedding.width=2',
  'model.variableEmbedding.standardDeviation=1',
];

function setUp(more: readonly string[] = []) {
  const { config } = loadConfig('configs/set-inclusion-smoke.yaml', runSchema, [...overrides, ...more]);
  const plan = planRun(config, [0]);
  const learner = new Learner(plan.model, 1, 'example');
  learner.initialise([createStream(3, 'initialisation')]);
  const panel = choosePanel(
    plan.data[0]!,
    { variablesPerSubset: 2, questions: 2 },
    createStream(0, 'panel'),
    () => createStream(0, 'panel/examples'),
  );
  const size = learner.blocks.reduce((sum, block) => sum + block.size, 0);
  return { config, plan, learner, values: learner.read(), panel, size };
}

/** The first rows of a set as a set. */
const part = (set: ExampleSet, count: number): ExampleSet => ({
  ...set,
  size: count,
  group: set.group.slice(0, count),
  variable: set.variable.slice(0, count),
});

const dot = (a: ArrayLike<number>, b: ArrayLike<number>): number => {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
};

const shifted = (a: Float64Array, scale: number, b: ArrayLike<number>): Float64Array =>
  a.map((value, p) => value + scale * b[p]!);

const meanOf = (vectors: readonly Float64Array[]): Float64Array =>
  vectors[0]!.map((_, p) => vectors.reduce((sum, own) => sum + own[p]!, 0) / vectors.length);

type Gradient = (at: Float64Array) => Float64Array;

test('every force on every pair is the numerical gradient of the float64 model, with a rate for each parameter', () => {
  const { config, plan, learner, values, panel, size } = setUp(['model.variableEmbedding.noise=0']);
  const count = 4;
  const set = part(plan.stages[0]!.sets[0]!, count);
  const rates = Float64Array.from({ length: size }, (_, p) => 0.5 + (p % 7) / 7);
  const factor = 0.03;

  const dynamics = createDynamicsMeter(plan.model, learner.blocks);
  const drift = dynamics(values, populationOf(set, 'shuffle', 0), createStream(0, 'forces'), rates, factor, {
    ...dynamicsDefaults,
    step: 1e-3,
  });
  const meter = createPairMeter(plan.model, learner.blocks);
  const pairs = pairsOf(panel, plan.model, Infinity);

  // The same in float64, without the engine: gradients by central differences of the loss.
  const modelConfig = transformerSchema.parse(config.model);
  const { vocabularySize } = plan.data[0]!.shape as { vocabularySize: number };
  const placements = learner.blocks.flatMap((block, b) => {
    const first = learner.blocks.slice(0, b).reduce((sum, own) => sum + own.size, 0);
    return block.parameters.map(({ name, offset, size: own }) => ({ name, from: first + offset, own }));
  });
  const gradientOf = (buffers: FieldBuffers): Gradient => {
    const example = {
      tokens: buffers['tokens']!,
      positions: buffers['positions'] ?? Int32Array.from(buffers['labels']!, (_, t) => t),
      labels: buffers['labels']!,
      weights: buffers['weights']!,
    };
    const loss = (at: Float64Array): number => {
      const named = new Map(placements.map(({ name, from, own }) => [name, at.subarray(from, from + own)]));
      return transformerLossFloat64(modelConfig, vocabularySize, named, example);
    };
    return (at) => {
      const moved = at.slice();
      return at.map((value, p) => {
        moved[p] = value + 1e-5;
        const ahead = loss(moved);
        moved[p] = value - 1e-5;
        const behind = loss(moved);
        moved[p] = value;
        return (ahead - behind) / 2e-5;
      });
    };
  };
  const filled = (fill: (buffers: FieldBuffers) => void): FieldBuffers => {
    const buffers = allocateFields(panel.fields, 1);
    fill(buffers);
    return buffers;
  };
  const examples = Array.from({ length: count }, (_, row) =>
    gradientOf(filled((buffers) => set.fill([row], 0, buffers, () => createStream(0, 'unused')))),
  );
  const ofPanel = (i: number): Gradient => gradientOf(filled((buffers) => panel.fill(i, i + 1, buffers, 0)));
  const mean: Gradient = (at) => meanOf(examples.map((gradient) => gradient(at)));
  const product = (gradient: Gradient, at: Float64Array, along: Float64Array): Float64Array => {
    const reach = 1e-3 / Math.sqrt(dot(along, along));
    const [ahead, behind] = [gradient(shifted(at, reach, along)), gradient(shifted(at, -reach, along))];
    return ahead.map((value, p) => (value - behind[p]!) / (2 * reach));
  };

  const start = Float64Array.from(values.flatMap((value) => Array.from(value.dataSync())));
  const G = mean(start);
  const rated = (vector: Float64Array): Float64Array => vector.map((value, p) => rates[p]! * value);
  const curved = meanOf(
    examples.map((gradient) => product(gradient, start, rated(shifted(gradient(start), -1, G)))),
  );
  const expected: Record<ForceName, Float64Array> = {
    task: rated(G).map((value) => -value),
    norm: rated(product(mean, start, rated(G))).map((value) => -0.5 * value),
    alignment: rated(curved).map((value) => -2 * factor * value),
  };

  // One subset, with the definitions as trained and with the tag swapped.
  const block = pairs.blocks.find((own) => own.questions === 'trained' && own.matched === 'tag_swap')!;
  const vectors = (at: Float64Array) => ({
    definitions: block.definitions.map((i) => ofPanel(i)(at)),
    questions: block.sets.map((s) =>
      meanOf([0, 1].map((q) => ofPanel(panel.definitions + s * panel.questionsPerSet + q)(at))),
    ),
  });
  type Measure = (definition: Float64Array, questions: Float64Array) => number;
  const inner: Measure = dot;
  const cosine: Measure = (d, q) => dot(d, q) / Math.sqrt(dot(d, d) * dot(q, q));
  const slopeOf = (along: Float64Array) => {
    const reach = 1e-3 / Math.sqrt(dot(along, along));
    const [ahead, behind] = [vectors(shifted(start, reach, along)), vectors(shifted(start, -reach, along))];
    const at = (own: typeof ahead, measure: Measure, matched: boolean): number =>
      own.definitions.reduce(
        (sum, d, i) => sum + measure(d, own.questions[matched ? i : 1 - i]!) / own.definitions.length,
        0,
      );
    return (measure: Measure, matched: boolean): number =>
      (at(ahead, measure, matched) - at(behind, measure, matched)) / (2 * reach);
  };
  for (const force of ['task', 'norm', 'alignment'] as const) {
    const difference = shifted(drift[force]!, -1, expected[force]);
    const size = dot(expected[force], expected[force]);
    expect(Math.sqrt(dot(difference, difference) / size), force).toBeLessThan(2e-3);
  }
  const along = expected.alignment;
  const found = slopesAlong(values, blocksOf(along, values), meter, pairs);
  const slope = slopeOf(along);
  for (const pairing of ['tag_swap', 'tag_swap_mismatched'] as const) {
    const row = pairs.places.findIndex(
      (place) =>
        place.subset === block.subset &&
        place.questions === 'trained' &&
        place.pairing === pairing &&
        place.tensor === 'total',
    );
    const { innerSlope, cosineSlope } = found[row]!;
    const matched = pairing === 'tag_swap';
    const close = (measure: Measure, own: number): void => {
      const scale = Math.abs(slope(measure, true)) + Math.abs(slope(measure, false));
      expect(Math.abs(own - slope(measure, matched)) / scale, pairing).toBeLessThan(5e-3);
    };
    close(inner, innerSlope);
    close(cosine, cosineSlope!);
    // Tensors add up.
    const parts = found.slice(row + 2, row + 2 + plan.model.parameters.length);
    const sum = parts.reduce((total, own) => total + own.innerSlope, 0);
    expect(sum / innerSlope).toBeCloseTo(1, 9);
  }
  dynamics.dispose();
  meter.dispose();
}, 60_000);

test('noise that is drawn anew at every sight makes no force of the variance', () => {
  const { plan, learner, values, size } = setUp();
  const original = plan.stages[0]!.sets[0]!;
  // One example many times: all that varies is the noise.
  const same: ExampleSet = {
    ...part(original, 64),
    fill: (rows, first, buffers, random) =>
      original.fill(
        Array.from(rows, () => 0),
        first,
        buffers,
        random,
      ),
  };
  const dynamics = createDynamicsMeter(plan.model, learner.blocks);
  const rates = new Float64Array(size).fill(1);
  /** Noise: over the examples for the mean gradient, its curvature, deviations from it, and what those meet. */
  const alignmentOf = (again: number): Float64Array => {
    const random = createStream(0, 'noise');
    const width = plan.model.noise[0]!.shape[0]!;
    const drawn = new Float32Array(64 * width);
    random.fillNormal(drawn, 0.5);
    let at = 0;
    const stub: RandomStream = {
      ...random,
      integer: (below) => random.integer(below),
      permutation: (length) => random.permutation(length),
      fillNormal: (values) => {
        for (let i = 0; i < values.length; i++, at++) {
          const pass = Math.floor(at / drawn.length);
          values[i] = drawn[at % drawn.length]! * (pass === 3 ? again : 1);
        }
      },
    };
    return dynamics(values, populationOf(same, 'shuffle', 0), stub, rates, 1).alignment!;
  };
  const norm = (vector: Float64Array): number => Math.sqrt(dot(vector, vector));
  // Deviations add up to 0 and meet the same curvature: nothing is left. Had both one draw of the noise, much would be.
  expect(norm(alignmentOf(0))).toBeLessThan(0.01 * norm(alignmentOf(1)));
  dynamics.dispose();
});

test('the full batch and independent draws have no force of the variance', () => {
  const { plan, learner, values, size } = setUp();
  const dynamics = createDynamicsMeter(plan.model, learner.blocks);
  const population = populationOf(part(plan.stages[0]!.sets[0]!, 20), 'withReplacement', 0);
  const drift = dynamics(
    values,
    population,
    createStream(0, 'forces'),
    new Float64Array(size).fill(1),
    0,
    dynamicsDefaults,
  );
  expect(Object.keys(drift)).toEqual(['task', 'norm']);
  dynamics.dispose();
  tf.dispose(values);
});
