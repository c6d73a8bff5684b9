import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, test } from 'vitest';
import { backward } from '../../../src/train/backward.js';
import { assembleGradients } from '../../../src/train/gradient.js';
import { gradientFunction, type MinibatchGradient } from '../../../src/train/gradient-function.js';
import { arrangeGroups, planSlots } from '../../../src/train/groups/division.js';
import { GroupStatistics } from '../../../src/train/groups/statistics.js';
import type { Model, ModelInputs } from '../../../src/train/models/model.js';
import { pack, planBlocks } from '../../../src/train/parameters/layout.js';
import { useTestEngine } from '../support/engine.js';
import { randomParameters, testStream } from '../support/random.js';
import { modelCases } from '../support/model-cases.js';

beforeAll(useTestEngine);

/** All models on the fallback; every eighth on the native engine, which builds a graph for each of them, unless all are asked for. */
const cases =
  process.env['GRADSCOPE_TEST_ENGINE'] === 'native' && process.env['GRADSCOPE_TEST_ALL'] !== '1'
    ? modelCases.filter((_, i) => i % 8 === 0)
    : modelCases;

const replicas = 2;
const examples = 12;
const groups = 3;
// Sorted, and different for the two replicas; the second lacks group 2.
const groupOf = Int32Array.from([2, 2, 2, 0, 0, 0, 0, 0, 1, 1, 1, 1, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1]);

/** Gradients of every parameter by one backward pass with weights: replica -> parameter -> values. */
function weightedGradient(
  model: Model,
  parameters: Map<string, tf.Tensor>,
  inputs: ModelInputs,
  weights: number[],
): Float64Array[][] {
  const { uses } = backward(model, parameters, inputs, tf.tensor2d(weights, [replicas, examples]));
  const { total } = assembleGradients(uses, 1);
  return Array.from({ length: replicas }, (_, replica) =>
    model.parameters.map(({ name }) => {
      const values = total.get(name)!.dataSync();
      const size = values.length / replicas;
      return Float64Array.from(values.subarray(replica * size, (replica + 1) * size));
    }),
  );
}

const dot = (a: Float64Array, b: Float64Array): number => a.reduce((sum, value, i) => sum + value * b[i]!, 0);

describe.each(cases)('$name', ({ build, batch }) => {
  function minibatch(chunks: 1 | 2, capacity: number) {
    const model = build();
    const parameters = randomParameters(model, replicas, testStream());
    const inputs = batch(replicas, examples);
    const blocks = planBlocks(model.parameters, () => '', true);
    const owners = chunks === 1 ? [0] : [0, 1];
    const slots = planSlots(groupOf, replicas, groups, owners, capacity);
    const compute = gradientFunction(model, blocks, 'example');
    const take = () => compute(pack(blocks, parameters), inputs, chunks, { groups, groupOf, slots });
    return { model, parameters, inputs, take, gradient: take(), groups: { groups, groupOf, slots } };
  }
  const statisticsOf = (model: Model): GroupStatistics =>
    new GroupStatistics(model.parameters.map(({ name }) => name));

  test.each([
    { chunks: 1, capacity: 2 },
    { chunks: 2, capacity: 2 },
    { chunks: 2, capacity: 5 },
  ] as const)('Gram matrices of groups, $chunks chunks, slots of $capacity', ({ chunks, capacity }) => {
    const { model, parameters, inputs, take, gradient } = minibatch(chunks, capacity);
    const grams = gradient.grams!();
    expect(take().grams!()).toEqual(grams);
    const expected = Array.from({ length: groups }, (_, group) =>
      weightedGradient(
        model,
        parameters,
        inputs,
        Array.from(groupOf, (own) => (own === group ? 1 / examples : 0)),
      ),
    );
    for (let replica = 0; replica < replicas; replica++) {
      model.parameters.forEach(({ name }, p) => {
        const scale = Math.max(...expected.map((group) => dot(group[replica]![p]!, group[replica]![p]!)));
        for (let g = 0; g < groups; g++) {
          for (let h = 0; h < groups; h++) {
            const value = grams[((replica * model.parameters.length + p) * groups + g) * groups + h]!;
            const exact = dot(expected[g]![replica]![p]!, expected[h]![replica]![p]!);
            expect(Math.abs(value - exact), `${name} replica ${replica} groups ${g} ${h}`).toBeLessThan(
              1e-4 * scale + 1e-9,
            );
          }
        }
      });
    }
  });

  test('group gradients sum to the minibatch gradient', () => {
    const { model, parameters, inputs, gradient, groups: minibatchGroups } = minibatch(2, 3);
    const parts = statisticsOf(model).gradients(gradient, minibatchGroups);
    const whole = weightedGradient(
      model,
      parameters,
      inputs,
      new Array<number>(replicas * examples).fill(1 / examples),
    );
    parts.forEach((part, p) => {
      expect(part.shape.slice(0, 2)).toEqual([replicas, groups]);
      const sum = tf.sum(part, 1).dataSync();
      const size = sum.length / replicas;
      for (let replica = 0; replica < replicas; replica++) {
        const expected = whole[replica]![p]!;
        const scale = Math.max(...expected.map(Math.abs));
        expected.forEach((value, i) => {
          expect(Math.abs(sum[replica * size + i]! - value)).toBeLessThan(1e-4 * scale + 1e-7);
        });
      }
    });
  });

  test('per-example norms equal those of single backward passes', () => {
    const { model, parameters, inputs, gradient, groups: minibatchGroups } = minibatch(2, 3);
    const norms = statisticsOf(model).exampleNorms2(gradient, minibatchGroups);
    for (const example of [0, 5, 11]) {
      const weights = Array.from({ length: replicas * examples }, (_, i) =>
        i % examples === example ? 1 : 0,
      );
      const own = weightedGradient(model, parameters, inputs, weights);
      for (let replica = 0; replica < replicas; replica++) {
        model.parameters.forEach(({ name }, p) => {
          const exact = dot(own[replica]![p]!, own[replica]![p]!);
          const value = norms[(replica * model.parameters.length + p) * examples + example]!;
          expect(Math.abs(value - exact), name).toBeLessThan(1e-4 * exact + 1e-9);
        });
      }
    }
  });
});

test.each(cases)(
  '$name: neither its groups nor what is computed from it change a gradient',
  ({ build, batch }) => {
    const model = build();
    const blocks = planBlocks(model.parameters, () => '', true);
    const values = pack(blocks, randomParameters(model, replicas, testStream()));
    const inputs = batch(replicas, examples);
    const bitsOf = ({ blocks: own, losses, norm2 }: MinibatchGradient): Float32Array[] =>
      [...own, losses, norm2].map((tensor) => Float32Array.from(tensor.dataSync()));
    const minibatchGroups = { groups, groupOf, slots: planSlots(groupOf, replicas, groups, [0, 1], 3) };
    const compute = gradientFunction(model, blocks, 'example');
    const plain = compute(values, inputs, 2);
    const before = bitsOf(plain);
    const gradient = compute(values, inputs, 2, minibatchGroups);
    expect(plain.grams).toBeNull();
    expect(bitsOf(gradient)).toEqual(before);
    gradient.grams!();
    const statistics = new GroupStatistics(model.parameters.map(({ name }) => name));
    tf.dispose(statistics.gradients(gradient, minibatchGroups));
    expect(bitsOf(gradient)).toEqual(before);
  },
);

describe('arrangement', () => {
  test('owners meet at the boundary, small groups lie outside', () => {
    // Definitions 800 and 800, questions 4800 and 4800.
    const { rank, owners } = arrangeGroups([400, 4800, 400, 4800], 2);
    expect(new Set(owners)).toEqual(new Set([1, 3]));
    const order = [0, 1, 2, 3].toSorted((a, b) => rank[a]! - rank[b]!);
    expect(new Set([order[1], order[2]])).toEqual(new Set([1, 3]));
  });

  test('a single group owns everything', () => {
    expect(arrangeGroups([0, 7], 2).owners).toEqual([1, 1]);
    const plan = planSlots(Int32Array.from([1, 1, 1, 1]), 1, 2, [1, 1], 2);
    expect([...plan.taken]).toEqual([0, 0]);
    expect([...plan.coefficients]).toEqual([0, 0, 0, 1, 1, 0]);
  });

  test('slots are of few different numbers, never fewer than it takes, and one a group but one at least', () => {
    // Group 0 owns the chunk; so many examples of group 1, one a slot.
    const slotsFor = (misplaced: number): number =>
      planSlots(
        Int32Array.from({ length: misplaced + 1 }, (_, i) => (i < misplaced ? 1 : 0)),
        1,
        3,
        [0],
        1,
      ).slots;
    const found = Array.from({ length: 64 }, (_, misplaced) => slotsFor(misplaced));
    found.forEach((slots, misplaced) => expect(slots).toBeGreaterThanOrEqual(Math.max(2, misplaced)));
    found.forEach((slots, misplaced) => expect(slots).toBeLessThanOrEqual(Math.max(2, misplaced * 1.25)));
    expect([...new Set(found)]).toEqual([
      2, 3, 4, 5, 6, 7, 8, 10, 12, 14, 16, 20, 24, 28, 32, 40, 48, 56, 64,
    ]);
  });
});
