import * as tf from '@tensorflow/tfjs-core';
import { withoutEmbeddings } from '../../store/panel-names.js';
import { totalTensor } from '../../store/tables/common.js';
import type { Model, ParameterRole } from '../../train/models/model.js';
import { exampleNorms2 } from '../../train/groups/example-norms.js';
import type { ParameterUse } from '../../train/tape/uses.js';
import { addTo } from '../host-vectors.js';
import { denseProductTensor, formGradients, formsGradients } from './dense-products.js';
import type { ExampleFactors } from './factors.js';
import { exampleCount, ghostProducts, valuesOf } from './ghost-products.js';
import type { Panel } from './panel.js';
import { poolExamples, sliceExamples } from './select-examples.js';

/** Gradient products of a panel, for one tensor or a sum over tensors. */
export interface TensorProducts {
  /** `[definition, question set]` inner products with the mean gradient of the set, row-major. */
  readonly inner: Float32Array;
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
const lexical = new Set(['embedding', 'variable', 'position', 'unembedding']);

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
  const sums = [
    { name: totalTensor, has: () => true },
    { name: withoutEmbeddings, has: (role: ParameterRole) => !lexical.has(role) },
  ].map(({ name, has }) => ({ name, has, sum: new SumOfTensors() }));
  for (const { name, role } of model.parameters) {
    const uses = factors.uses.filter(({ parameter }) => parameter === name);
    tf.tidy(() => {
      const own = sliceExamples(uses, 0, definitions);
      const asked = sliceExamples(uses, definitions, size);
      const pooled = poolExamples(asked, questionsPerSet);
      const pairs = productsOf(own, asked);
      const norms: Norms = {
        definitionNorm2: norms2(own),
        questionNorm2: norms2(asked),
        setNorm2: sumNorms2(pooled),
      };
      tensors.set(name, { ...averaged(pairs, norms.questionNorm2, questionsPerSet), ...norms });
      const parts = {
        pairs,
        definitions: withGrams ? productsOf(own, own) : null,
        sets: withGrams ? productsOf(pooled, pooled) : null,
      };
      for (const { has, sum } of sums) if (has(role)) sum.add(parts, norms);
    });
  }
  for (const { name, sum } of sums) {
    sum.use(({ pairs, definitions: left, sets: right }, norms) => {
      const means = averaged(pairs, norms.questionNorm2, questionsPerSet);
      tensors.set(name, { ...means, ...norms });
      if (left === null || right === null) return;
      grams.set(name, {
        inner: pairs.dataSync<'float32'>(),
        entities: joinGram(
          left.dataSync<'float32'>(),
          means.inner,
          right.dataSync<'float32'>().map((value) => value / questionsPerSet ** 2),
          definitions,
          panel.questionSets.length,
        ),
      });
    });
  }
  return { tensors, grams };
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

type Norms = Pick<TensorProducts, 'definitionNorm2' | 'questionNorm2' | 'setNorm2'>;

/** Products and norms added up over tensors: pairs in float32, norms in float64. */
class SumOfTensors {
  private products: PairProducts | null = null;
  private norms: Norms | null = null;

  add(products: PairProducts, norms: Norms): void {
    const before = this.products;
    const plus = <T extends tf.Tensor2D | null>(sum: T | undefined, own: T): T =>
      (own === null ? null : tf.keep(sum == null ? tf.clone(own) : tf.add(sum, own))) as T;
    this.products = {
      pairs: plus(before?.pairs, products.pairs),
      definitions: plus(before?.definitions, products.definitions),
      sets: plus(before?.sets, products.sets),
    };
    disposeProducts(before);
    if (this.norms === null) {
      const copy = (own: Float64Array): Float64Array => own.slice();
      this.norms = {
        definitionNorm2: copy(norms.definitionNorm2),
        questionNorm2: copy(norms.questionNorm2),
        setNorm2: copy(norms.setNorm2),
      };
      return;
    }
    addTo(this.norms.definitionNorm2, norms.definitionNorm2);
    addTo(this.norms.questionNorm2, norms.questionNorm2);
    addTo(this.norms.setNorm2, norms.setNorm2);
  }

  /** Shows the sums, if there were any tensors, and frees them. */
  use(look: (products: PairProducts, norms: Norms) => void): void {
    if (this.products !== null) look(this.products, this.norms!);
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
  const products = ghostProducts(x, y);
  return tf.tensor2d(Float32Array.from(products), [exampleCount(x[0]!), exampleCount(y[0]!)]);
}

/** Means over the questions of each set of `[definition, question]` products, see {@link TensorProducts}. */
function averaged(
  pairs: tf.Tensor2D,
  questionNorm2: Float64Array,
  questionsPerSet: number,
): Pick<TensorProducts, 'inner' | 'directed'> {
  const [definitions, questions] = pairs.shape;
  const bySet = (x: tf.Tensor): tf.Tensor =>
    tf.reshape(x, [(definitions * questions) / questionsPerSet, questionsPerSet]);
  const inverse = Float32Array.from(questionNorm2, (norm2) => (norm2 === 0 ? 0 : 1 / Math.sqrt(norm2)));
  return {
    inner: valuesOf(() => tf.mean(bySet(pairs), 1)),
    directed: valuesOf(() => tf.sum(bySet(tf.mul(pairs, tf.tensor1d(inverse))), 1)),
  };
}

/** A symmetric matrix of the blocks `[n, n]`, `[n, m]`, `[m, m]`. */
function joinGram(
  upper: Float32Array,
  side: Float32Array,
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
