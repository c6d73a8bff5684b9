import * as tf from '@tensorflow/tfjs-core';
import type { Model, ModelInputs } from '../models/model.js';
import { selectRows } from '../models/ops/select-rows.js';
import type { SiteHook } from '../tape/factor-tape.js';
import type { Site } from './site.js';

/** A change of the activation at a site, in the forward pass that there is: of a test, or of a training step. */
export interface SiteEdit {
  readonly site: Site;
  /** replace: rows are exchanged for others, and no gradient flows through them; add: something is added to rows. */
  readonly kind: 'replace' | 'add';
}

/** Names of the inputs that say what edit `i` of an edited model does. */
function inputsOf(i: number) {
  return {
    /** `[replica, example, row, width of the site]` */
    values: `edit.${i}.values`,
    /** `[replica, example, row]` int32, 1 where a row is changed and 0 elsewhere. */
    rows: `edit.${i}.rows`,
  } as const;
}

/** Inputs of an {@link editedModel}, the tensors of each edit as it names them; rows are those of the whole text. */
export function editInputs(
  edits: readonly { readonly values: tf.Tensor4D; readonly rows: tf.Tensor3D }[],
): ModelInputs {
  return Object.fromEntries(
    edits.flatMap(({ values, rows }, i) => {
      const names = inputsOf(i);
      return [
        [names.values, values],
        [names.rows, rows],
      ];
    }),
  );
}

/**
 * The same model with activations changed on the way: a model like any other, for tests, gradients and training. What is
 * changed to what comes with the batch ({@link editInputs}), so that a compiled step stays one.
 */
export function editedModel(model: Model, edits: readonly SiteEdit[]): Model {
  const names = edits.flatMap((_, i) => Object.values(inputsOf(i)));
  return {
    ...model,
    trainingInputs: [...model.trainingInputs, ...names],
    testInputs: [...model.testInputs, ...names],
    logits: (tape, inputs) => tape.hooked(editing(edits, inputs), () => model.logits(tape, inputs)),
  };
}

function editing(edits: readonly SiteEdit[], inputs: ModelInputs): SiteHook {
  return (name, x, asked) =>
    edits.reduce((activation, { site, kind }, i) => {
      if (site.activation !== name) return activation;
      const own = inputsOf(i);
      const values = ofRows(inputs[own.values] as tf.Tensor4D, activation, asked);
      const given = tf.expandDims(tf.cast(inputs[own.rows]!, 'float32'), 3) as tf.Tensor4D;
      const rows = tf.greater(ofRows(given, activation, asked), 0);
      const [replicas, total] = activation.shape;
      const cut = (first: number, width: number): tf.Tensor3D =>
        tf.slice(activation, [0, 0, first], [replicas, total, width]);
      const before = site.width === site.of ? activation : cut(site.first, site.width);
      // `where`, not a product with 0 and 1: rows that are left alone keep every bit.
      const after = tf.where(
        rows,
        kind === 'replace' ? values : tf.add(before, values),
        before,
      ) as tf.Tensor3D;
      if (site.width === site.of) return after;
      const end = site.first + site.width;
      const parts = [
        ...(site.first > 0 ? [cut(0, site.first)] : []),
        after,
        ...(end < site.of ? [cut(end, site.of - end)] : []),
      ];
      return parts.length === 1 ? after : tf.concat(parts, 2);
    }, x);
}

/** `[replica, example * row, width]` of the rows that an activation has, of `[replica, example, row, width]` of all. */
function ofRows(all: tf.Tensor4D, { shape: [, total] }: tf.Tensor3D, asked: tf.Tensor3D | null): tf.Tensor3D {
  const [replicas, examples, rows, width] = all.shape;
  if (asked !== null) return selectRows(tf.reshape(all, [replicas, examples * rows, width]), asked);
  const own = total / examples;
  const read = own === rows ? all : tf.slice(all, [0, 0, 0, 0], [replicas, examples, own, width]);
  return tf.reshape(read, [replicas, total, width]);
}
