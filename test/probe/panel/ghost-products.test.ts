import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, test } from 'vitest';
import { exampleNorms2 } from '../../../src/train/groups/example-norms.js';
import { denseProducts, formGradients, formsGradients } from '../../../src/probe/panel/dense-products.js';
import { ghostProducts, ghostProductTensor } from '../../../src/probe/panel/ghost-products.js';
import { panelProducts } from '../../../src/probe/panel/panel-gram.js';
import type { Panel } from '../../../src/probe/panel/panel.js';
import { poolExamples, sliceExamples } from '../../../src/probe/panel/select-examples.js';
import { backward } from '../../../src/train/backward.js';
import { assembleGradients } from '../../../src/train/gradient.js';
import type { Model } from '../../../src/train/models/model.js';
import type { ParameterUse } from '../../../src/train/tape/uses.js';
import { useTestEngine } from '../../train/support/engine.js';
import { randomParameters, testStream } from '../../train/support/random.js';
import { modelCases } from '../../train/support/model-cases.js';

beforeAll(useTestEngine);

const examples = 7;
const definitions = 3;

describe.each(modelCases)('$name', ({ build, batch }) => {
  const setUp = (): { model: Model; uses: readonly ParameterUse[]; dense: Map<string, Float32Array>[] } => {
    const model = build();
    const parameters = randomParameters(model, 1, testStream());
    const inputs = batch(1, examples);
    const one = (chosen: (example: number) => number): tf.Tensor2D =>
      tf.tensor2d(
        Array.from({ length: examples }, (_, i) => chosen(i)),
        [1, examples],
      );
    const { uses } = backward(
      model,
      parameters,
      inputs,
      one(() => 1),
    );
    // The dense gradient of each example, by a backward pass in which it alone has weight.
    const dense = Array.from({ length: examples }, (_, example) => {
      const own = backward(
        model,
        parameters,
        inputs,
        one((i) => (i === example ? 1 : 0)),
      );
      const { total } = assembleGradients(own.uses, 1);
      return new Map(
        model.parameters.map(({ name }) => [name, total.get(name)!.dataSync<'float32'>().slice()]),
      );
    });
    return { model, uses, dense };
  };

  test('inner products of all pairs equal those of dense gradients, parameter by parameter', () => {
    const { model, uses, dense } = setUp();
    for (const { name } of model.parameters) {
      const own = uses.filter(({ parameter }) => parameter === name);
      const [defined, asked] = [
        sliceExamples(own, 0, definitions),
        sliceExamples(own, definitions, examples),
      ];
      const products = ghostProducts(defined, asked);
      expect(products).toHaveLength(definitions * (examples - definitions));
      const tensor = ghostProductTensor(defined, asked);
      expect(tensor.shape).toEqual([definitions, examples - definitions]);
      const largest = Math.max(...products.map(Math.abs));
      for (const [at, value] of tensor.dataSync<'float32'>().entries())
        expect(Math.abs(value - products[at]!), `${name} ${at}`).toBeLessThanOrEqual(1e-6 * largest);
      const norm = (i: number): number => Math.sqrt(dot(dense[i]!.get(name)!, dense[i]!.get(name)!));
      for (let i = 0; i < definitions; i++) {
        for (let j = definitions; j < examples; j++) {
          const exact = dot(dense[i]!.get(name)!, dense[j]!.get(name)!);
          const product = products[i * (examples - definitions) + j - definitions]!;
          expect(Math.abs(product - exact), `${name} ${i} ${j}: ${product} for ${exact}`).toBeLessThanOrEqual(
            1e-5 * norm(i) * norm(j) + 1e-12,
          );
        }
      }
    }
  });

  test('products of formed gradients equal ghost products, tied tables aside', () => {
    const { model, uses } = setUp();
    for (const { name } of model.parameters) {
      const own = uses.filter(({ parameter }) => parameter === name);
      if (own.length > 1) {
        expect(formsGradients(own, own), name).toBe(false);
        continue;
      }
      const formed = formGradients(own[0]!);
      const products = denseProducts(formed, formed);
      const ghost = ghostProducts(own, own);
      const scale = Math.max(...ghost.map(Math.abs));
      for (const [at, value] of products.entries())
        expect(Math.abs(value - ghost[at]!), `${name} ${at}`).toBeLessThanOrEqual(2e-6 * scale + 1e-12);
    }
  });

  test('the Gram matrix of entities is that of definitions and mean gradients of question sets', () => {
    const { model, uses, dense } = setUp();
    const panel = panelOf(definitions, 2, 2);
    const products = panelProducts(
      panel,
      { losses: new Float32Array(examples), uses, dispose: () => {} },
      model,
      true,
    );
    const whole = dense.map((own) =>
      model.parameters.reduce<number[]>((all, { name }) => [...all, ...own.get(name)!], []),
    );
    const mean = (a: number, b: number): number[] => whole[a]!.map((value, p) => (value + whole[b]![p]!) / 2);
    const vectors = [whole[0]!, whole[1]!, whole[2]!, mean(3, 4), mean(5, 6)];
    const { setNorm2 } = products.tensors.get('total')!;
    const { entities: entityGram } = products.grams.get('total')!;
    expect(entityGram).toHaveLength(25);
    vectors.forEach((x, i) =>
      vectors.forEach((y, j) => {
        const norms = Math.sqrt(dot(x, x) * dot(y, y));
        expect(Math.abs(entityGram[i * 5 + j]! - dot(x, y))).toBeLessThanOrEqual(1e-5 * norms + 1e-12);
      }),
    );
    expect(setNorm2[1]! / 4 / dot(vectors[4]!, vectors[4]!)).toBeCloseTo(1, 4);
  });

  test('pooled examples have the gradient of their sum', () => {
    const { model, uses, dense } = setUp();
    for (const { name } of model.parameters) {
      const own = uses.filter(({ parameter }) => parameter === name);
      const pooled = exampleNorms2(poolExamples(sliceExamples(own, 1, examples), 3)).dataSync();
      for (const [set, first] of [1, 4].entries()) {
        const sum = new Float64Array(dense[0]!.get(name)!.length);
        for (let i = first; i < first + 3; i++) {
          dense[i]!.get(name)!.forEach((value, p) => (sum[p]! += value));
        }
        const exact = dot(sum, sum);
        expect(Math.abs(pooled[set]! - exact), name).toBeLessThanOrEqual(2e-5 * exact + 1e-12);
      }
    }
  });
});

/** A panel of definitions, then sets of questions, of examples that are already differentiated. */
function panelOf(definitions: number, sets: number, questionsPerSet: number): Panel {
  return {
    entities: Array.from({ length: definitions }, (_, variable) => ({ subset: 'd1consis', variable })),
    definitionKinds: ['definition'],
    questionSets: Array.from({ length: sets }, (_, entity) => ({ entity, kind: 'heldout' })),
    questionsPerSet,
    fields: {},
    size: definitions + sets * questionsPerSet,
    definitions,
    fill: () => {},
    pieces: () => null,
  };
}

function dot(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
}
