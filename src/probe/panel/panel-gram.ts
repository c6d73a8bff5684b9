import * as tf from '@tensorflow/tfjs-core';
import { totalTensor, withoutEmbeddings } from '../../store/tables/common.js';
import type { Model, ParameterRole } from '../../train/models/model.js';
import { exampleNorms2 } from '../../train/groups/example-norms.js';
import type { ParameterUse } from '../../train/tape/uses.js';
import { addTo } from '../host-vectors.js';
import { denseProductTensor, formGradients, formsGradients } from './dense-products.js';
import type { ExampleFactors } from './factors.js';
import { ghostProductTensor, valuesOf } from './ghost-products.js';
import type { Panel } from './panel.js';
import { poolExamples, sliceExamples } from './select-examples.js';

/** Gradient products of a panel, for one tensor or a sum over tensors. */
export interface TensorProducts {
  /** `[definition, question set]` inner products with the mean gradient of the set, row-major. */
  readonly inner: Float64Array;
  /** `[definition, question set]` sums over the questions of `g_d . g_q / |g_q|`; a gradient of zero adds nothing. */
  readonly directed: Float32Array;
  /** `[definition]` squared norms. */
  readonly definitionNorm2: Float64Array;
  /** `[question]` squared norms. */
  readonly questionNorm2: Float64Array;
  /** `[question set]` squared norms of the sum of a set's gradients. */
  readonly setNorm2: Float64Array;
}

/** Gram matrices of a panel, for a sum over tensors. */
export interface PanelGram {
  /** `[definition, question]` inner products, row-major. */
  readonly inner: Float32Array;
  /**
   * `[vector, vector]` inner products, row-major, of the panel's entities: every definition, then the mean gradient of
   * every question set.
   */
  readonly entities: Float64Array;
}

export interface PanelProducts {
  /** Products of every tensor, then `total` and {@link withoutEmbeddings}. */
  readonly tensors: ReadonlyMap<string, TensorProducts>;
  /** Of `total` and {@link withoutEmbeddings}; empty where they are not asked for. */
  readonly grams: ReadonlyMap<string, PanelGram>;
}

/** Roles whose tensors relate texts by the tokens they share: left out of the sum `without_embeddings`. */
export const lexicalRoles: ReadonlySet<ParameterRole> = new Set([
  'embedding',
  'variable',
  'tag',
  'position',
  'unembedding',
]);

/**
 * Products of the gradients of a panel. Products of pairs are formed and summed in float32 where they are computed: a
 * panel has half a million of them for every tensor, and only their means by set come to the host.
 *
 * @param withGrams whether the Gram matrices are wanted too
 */
export function panelProducts(
  panel: Panel,
  factors: ExampleFactors,
  model: Model,
  withGrams: boolean,
): PanelProducts {
  const { definitions, size, questionsPerSet } = panel;
  const tensors = new Map<string, TensorProducts>();
  const grams = new Map<string, PanelGram>();
  // Each tensor is added to one of two sums, and those to the whole.
  const [lexical, others, whole] = [new SumOfTensors(), new SumOfTensors(), new SumOfTensors()];
  for (const { name, role } of model.parameters) {
    const uses = factors.uses.filter(({ parameter }) => parameter === name);
    tf.tidy(() => {
      const own = sliceExamples(uses, 0, definitions);
      const asked = sliceExamples(uses, definitions, size);
      const pooled = poolExamples(asked, questionsPerSet);
      const pairs = productsOf(own, asked);
      const questionNorm2 = norms2(asked);
      const products: TensorProducts = {
        inner: meanBySet(pairs, questionsPerSet),
        directed: directedBySet(pairs, questionNorm2, questionsPerSet),
        definitionNorm2: norms2(own),
        questionNorm2,
        setNorm2: sumNorms2(pooled),
      };
      tensors.set(name, products);
      const parts = {
        pairs,
        definitions: withGrams ? productsOf(own, own) : null,
        sets: withGrams ? productsOf(pooled, pooled) : null,
      };
      (lexicalRoles.has(role) ? lexical : others).add(parts, products);
    });
  }
  const show =
    (name: string) =>
    ({ pairs, definitions: left, sets: right }: PairProducts, added: Sums): void => {
      tensors.set(name, { ...added, directed: directedBySet(pairs, added.questionNorm2, questionsPerSet) });
      if (left === null || right === null) return;
      grams.set(name, {
        inner: pairs.dataSync<'float32'>(),
        entities: joinGram(
          left.dataSync<'float32'>(),
          added.inner,
          right.dataSync<'float32'>().map((value) => value / questionsPerSet ** 2),
          definitions,
          panel.questionSets.length,
        ),
      });
    };
  for (const part of [lexical, others]) part.look((products, sums) => whole.add(products, sums));
  whole.look(show(totalTensor));
  others.look(show(withoutEmbeddings));
  for (const sum of [lexical, others, whole]) sum.dispose();
  return { tensors, grams };
}

/** Products of the definitions of a panel alone, with the mean gradients of its question sets. */
export type DefinitionProducts = Pick<TensorProducts, 'inner' | 'definitionNorm2'>;

/**
 * Products of other gradients of a panel's definitions, such as parts of them, with the mean gradients of its question sets, for
 * `total` and {@link withoutEmbeddings}.
 *
 * @param own factors of the definitions alone, in their order
 * @param factors of the whole panel
 */
export function definitionProducts(
  panel: Panel,
  own: ExampleFactors,
  factors: ExampleFactors,
  model: Model,
): ReadonlyMap<string, DefinitionProducts> {
  const { definitions, size, questionsPerSet, questionSets } = panel;
  const sumOf = (): { inner: Float64Array; definitionNorm2: Float64Array } => ({
    inner: new Float64Array(definitions * questionSets.length),
    definitionNorm2: new Float64Array(definitions),
  });
  const [lexical, others, total] = [sumOf(), sumOf(), sumOf()];
  for (const { name, role } of model.parameters) {
    const ofTensor = ({ parameter }: ParameterUse): boolean => parameter === name;
    const sum = lexicalRoles.has(role) ? lexical : others;
    tf.tidy(() => {
      const defined = own.uses.filter(ofTensor);
      const asked = sliceExamples(factors.uses.filter(ofTensor), definitions, size);
      const pairs = productsOf(defined, poolExamples(asked, questionsPerSet)).dataSync<'float32'>();
      addTo(
        sum.inner,
        Float64Array.from(pairs, (value) => value / questionsPerSet),
      );
      addTo(sum.definitionNorm2, norms2(defined));
    });
  }
  for (const part of [lexical, others]) {
    addTo(total.inner, part.inner);
    addTo(total.definitionNorm2, part.definitionNorm2);
  }
  return new Map([
    [totalTensor, total],
    [withoutEmbeddings, others],
  ]);
}

/** Products of pairs of examples. */
interface PairProducts {
  /** `[definition, question]` */
  readonly pairs: tf.Tensor2D;
  /** `[definition, definition]` */
  readonly definitions: tf.Tensor2D | null;
  /** `[question set, question set]`, of the sums of the sets' gradients. */
  readonly sets: tf.Tensor2D | null;
}

/** What adds up over tensors on the host. */
type Sums = Omit<TensorProducts, 'directed'>;

/** Products added up over tensors: those of pairs in float32, the others in float64. */
class SumOfTensors {
  private products: PairProducts | null = null;
  private sums: Sums | null = null;

  add(products: PairProducts, own: Sums): void {
    const before = this.products;
    const plus = (sum: tf.Tensor2D | null | undefined, part: tf.Tensor2D): tf.Tensor2D =>
      tf.keep(sum == null ? tf.clone(part) : tf.add(sum, part));
    const { pairs, definitions, sets } = products;
    this.products = {
      pairs: plus(before?.pairs, pairs),
      definitions: definitions === null ? null : plus(before?.definitions, definitions),
      sets: sets === null ? null : plus(before?.sets, sets),
    };
    disposeProducts(before);
    const { inner, definitionNorm2, questionNorm2, setNorm2 } = own;
    this.sums ??= {
      inner: new Float64Array(inner.length),
      definitionNorm2: new Float64Array(definitionNorm2.length),
      questionNorm2: new Float64Array(questionNorm2.length),
      setNorm2: new Float64Array(setNorm2.length),
    };
    addTo(this.sums.inner, inner);
    addTo(this.sums.definitionNorm2, definitionNorm2);
    addTo(this.sums.questionNorm2, questionNorm2);
    addTo(this.sums.setNorm2, setNorm2);
  }

  /** Shows the sums, if there were any tensors. */
  look(show: (products: PairProducts, sums: Sums) => void): void {
    if (this.products !== null) show(this.products, this.sums!);
  }

  dispose(): void {
    disposeProducts(this.products);
    this.products = null;
  }
}

function disposeProducts(products: PairProducts | null): void {
  if (products === null) return;
  const { pairs, definitions, sets } = products;
  tf.dispose([pairs, definitions, sets].filter((own) => own !== null));
}

/** Products of every example of x with every one of y, of formed gradients where that is cheaper; the caller disposes. */
function productsOf(x: readonly ParameterUse[], y: readonly ParameterUse[]): tf.Tensor2D {
  if (formsGradients(x, y)) {
    const formed = formGradients(x[0]!);
    return denseProductTensor(formed, x === y ? formed : formGradients(y[0]!));
  }
  return ghostProductTensor(x, y);
}

/** `[definition, question set]` means over the questions of each set of `[definition, question]` products. */
function meanBySet(pairs: tf.Tensor2D, questionsPerSet: number): Float64Array {
  return Float64Array.from(
    valuesOf(() => tf.mean(tf.reshape(pairs, [pairs.size / questionsPerSet, questionsPerSet]), 1)),
  );
}

/** See {@link TensorProducts.directed}. */
function directedBySet(
  pairs: tf.Tensor2D,
  questionNorm2: Float64Array,
  questionsPerSet: number,
): Float32Array {
  const inverse = Float32Array.from(questionNorm2, (norm2) => (norm2 === 0 ? 0 : 1 / Math.sqrt(norm2)));
  return valuesOf(() => {
    const directed = tf.mul(pairs, tf.tensor1d(inverse));
    return tf.sum(tf.reshape(directed, [pairs.size / questionsPerSet, questionsPerSet]), 1);
  });
}

/** A symmetric matrix of the blocks `[n, n]`, `[n, m]`, `[m, m]`. */
function joinGram(
  upper: Float32Array,
  side: Float64Array,
  lower: Float32Array,
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

/** Of sums of many gradients, which may nearly cancel: ghost products would lose what is left in rounding. */
function sumNorms2(pooled: readonly ParameterUse[]): Float64Array {
  if (!formsGradients(pooled, pooled)) return norms2(pooled);
  return Float64Array.from(valuesOf(() => tf.sum(tf.square(formGradients(pooled[0]!)), 1)));
}

function norms2(uses: readonly ParameterUse[]): Float64Array {
  return Float64Array.from(valuesOf(() => exampleNorms2(uses)));
}
