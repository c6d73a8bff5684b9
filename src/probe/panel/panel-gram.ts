import * as tf from '@tensorflow/tfjs-core';
import { withoutEmbeddings } from '../../store/panel-names.js';
import type { Model } from '../../train/models/model.js';
import { exampleNorms2 } from '../../train/groups/example-norms.js';
import type { ParameterUse } from '../../train/tape/uses.js';
import type { ExampleFactors } from './factors.js';
import { ghostProducts, valuesOf } from './ghost-products.js';
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
      products.set(name, {
        inner: ghostProducts(own, asked),
        definitionNorm2: norms2(own),
        questionNorm2: norms2(asked),
        setNorm2: norms2(poolExamples(asked, questionsPerSet)),
      });
    });
  }
  const sumOf = (names: readonly string[]): TensorProducts => sum(names.map((name) => products.get(name)!));
  const all = model.parameters.map(({ name }) => name);
  const others = model.parameters.filter(({ role }) => !lexical.has(role)).map(({ name }) => name);
  products.set('total', sumOf(all));
  if (others.length > 0) products.set(withoutEmbeddings, sumOf(others));
  return products;
}

function norms2(uses: readonly ParameterUse[]): Float64Array {
  return Float64Array.from(valuesOf(() => exampleNorms2(uses)));
}

function sum(parts: readonly TensorProducts[]): TensorProducts {
  const add = (pick: (own: TensorProducts) => Float64Array): Float64Array => {
    const result = new Float64Array(pick(parts[0]!).length);
    for (const part of parts) pick(part).forEach((value, i) => (result[i]! += value));
    return result;
  };
  return {
    inner: add(({ inner }) => inner),
    definitionNorm2: add(({ definitionNorm2 }) => definitionNorm2),
    questionNorm2: add(({ questionNorm2 }) => questionNorm2),
    setNorm2: add(({ setNorm2 }) => setNorm2),
  };
}
