import * as tf from '@tensorflow/tfjs-core';
import { withoutEmbeddings } from '../../store/panel-names.js';
import type { Model } from '../../train/models/model.js';
import { exampleNorms2 } from '../../train/groups/example-norms.js';
import type { ParameterUse } from '../../train/tape/uses.js';
import { addTo } from '../host-vectors.js';
import { denseProducts, formGradients, formsGradients } from './dense-products.js';
import type { ExampleFactors } from './factors.js';
import { exampleCount, ghostProducts, valuesOf } from './ghost-products.js';
import type { Panel } from './panel.js';
import { poolExamples, sliceExamples } from './select-examples.js';

/** Gradient products of a panel, for one tensor or a sum over tensors. */
export interface TensorProducts {
  /** `[definition, question]` inner products, row-major. */
  readonly inner: Float64Array;
  /** `[definition]` squared norms. */
  readonly definitionNorm2: Float64Array;
  /** `[question]` squared norms. */
  readonly questionNorm2: Float64Array;
  /** `[question set]` squared norms of the sum of a set's gradients. */
  readonly setNorm2: Float64Array;
  /**
   * `[vector, vector]` inner products, row-major, of the panel's entities: every definition, then the mean gradient of
   * every question set.
   */
  readonly entityGram: Float64Array;
}

/** Roles whose tensors relate texts by the tokens they share: left out of the sum `without_embeddings`. */
const lexical = new Set(['embedding', 'variable', 'position', 'unembedding']);

/** Products of every tensor, then `total` and {@link withoutEmbeddings}. */
export function panelProducts(
  panel: Panel,
  factors: ExampleFactors,
  model: Model,
): Map<string, TensorProducts> {
  const { definitions, size, questionsPerSet } = panel;
  const products = new Map<string, TensorProducts>();
  for (const { name } of model.parameters) {
    const uses = factors.uses.filter(({ parameter }) => parameter === name);
    tf.tidy(() => {
      const own = sliceExamples(uses, 0, definitions);
      const asked = sliceExamples(uses, definitions, size);
      const measure = formsGradients(own, asked) ? formedProducts : unformedProducts;
      products.set(name, measure(own, asked, questionsPerSet));
    });
  }
  const sumOf = (names: readonly string[]): TensorProducts => sum(names.map((name) => products.get(name)!));
  const all = model.parameters.map(({ name }) => name);
  const others = model.parameters.filter(({ role }) => !lexical.has(role)).map(({ name }) => name);
  products.set('total', sumOf(all));
  if (others.length > 0) products.set(withoutEmbeddings, sumOf(others));
  return products;
}

/** Products of gradients that are formed, where that is cheaper. */
function formedProducts(
  own: readonly ParameterUse[],
  asked: readonly ParameterUse[],
  questionsPerSet: number,
): TensorProducts {
  const definitions = formGradients(own[0]!);
  const questions = formGradients(asked[0]!);
  const [count, width] = questions.shape;
  const means = tf.mean(
    tf.reshape(questions, [count / questionsPerSet, questionsPerSet, width]),
    1,
  ) as tf.Tensor2D;
  const lengths2 = (gradients: tf.Tensor): Float64Array =>
    Float64Array.from(valuesOf(() => tf.sum(tf.square(gradients), 1)));
  const entities = tf.concat([definitions, means], 0);
  const entityGram = denseProducts(entities, entities);
  return {
    inner: denseProducts(definitions, questions),
    definitionNorm2: lengths2(definitions),
    questionNorm2: lengths2(questions),
    setNorm2: setNorms2(entityGram, definitions.shape[0], questionsPerSet),
    entityGram,
  };
}

/** Ghost products. */
function unformedProducts(
  own: readonly ParameterUse[],
  asked: readonly ParameterUse[],
  questionsPerSet: number,
): TensorProducts {
  const inner = ghostProducts(own, asked);
  const pooled = poolExamples(asked, questionsPerSet);
  const definitions = exampleCount(own[0]!);
  const questions = exampleCount(asked[0]!);
  const sets = questions / questionsPerSet;
  const entityGram = joinGram(
    ghostProducts(own, own),
    averaged(inner, definitions, questionsPerSet),
    ghostProducts(pooled, pooled).map((value) => value / questionsPerSet ** 2),
    definitions,
    sets,
  );
  return {
    inner,
    definitionNorm2: norms2(own),
    questionNorm2: norms2(asked),
    setNorm2: setNorms2(entityGram, definitions, questionsPerSet),
    entityGram,
  };
}

/** Squared norms of the sums of the sets, from those of their means. */
function setNorms2(entityGram: Float64Array, definitions: number, questionsPerSet: number): Float64Array {
  const size = Math.sqrt(entityGram.length);
  return Float64Array.from({ length: size - definitions }, (_, set) => {
    const at = definitions + set;
    return entityGram[at * size + at]! * questionsPerSet ** 2;
  });
}

/** `[row, set]` means over the questions of each set of `[row, question]` products. */
function averaged(products: Float64Array, rows: number, questionsPerSet: number): Float64Array {
  const sets = products.length / rows / questionsPerSet;
  const means = new Float64Array(rows * sets);
  products.forEach((value, at) => {
    means[Math.floor(at / questionsPerSet)]! += value / questionsPerSet;
  });
  return means;
}

/** A symmetric matrix of the blocks `[n, n]`, `[n, m]`, `[m, m]`. */
function joinGram(
  upper: Float64Array,
  side: Float64Array,
  lower: Float64Array,
  n: number,
  m: number,
): Float64Array {
  const size = n + m;
  const gram = new Float64Array(size * size);
  for (let i = 0; i < n; i++) {
    gram.set(upper.subarray(i * n, (i + 1) * n), i * size);
    gram.set(side.subarray(i * m, (i + 1) * m), i * size + n);
    for (let j = 0; j < m; j++) gram[(n + j) * size + i] = side[i * m + j]!;
  }
  for (let j = 0; j < m; j++) gram.set(lower.subarray(j * m, (j + 1) * m), (n + j) * size + n);
  return gram;
}

function norms2(uses: readonly ParameterUse[]): Float64Array {
  return Float64Array.from(valuesOf(() => exampleNorms2(uses)));
}

function sum(parts: readonly TensorProducts[]): TensorProducts {
  const add = (pick: (own: TensorProducts) => Float64Array): Float64Array => {
    const result = new Float64Array(pick(parts[0]!).length);
    // Not by forEach: a call for each of millions of products costs more than all else.
    for (const part of parts) addTo(result, pick(part));
    return result;
  };
  return {
    inner: add(({ inner }) => inner),
    definitionNorm2: add(({ definitionNorm2 }) => definitionNorm2),
    questionNorm2: add(({ questionNorm2 }) => questionNorm2),
    setNorm2: add(({ setNorm2 }) => setNorm2),
    entityGram: add(({ entityGram }) => entityGram),
  };
}
