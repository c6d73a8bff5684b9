import * as tf from '@tensorflow/tfjs-core';
import { gatherRows } from '../engine/ops/gather-rows.js';
import { segmentSum } from '../engine/ops/segment-sum.js';
import { channelwiseConvolution, channelwiseGradients } from './channelwise.js';
import { extractPatches, patchesGradient, type ConvolutionShape } from './patches.js';
import { PlaceWeights, type RowWeight } from './place-weights.js';
import type { ParameterUse } from './uses.js';

/**
 * What becomes of an activation that has a name: gives what the rest of the network goes on with.
 *
 * @param x `[replica, example * row, width]`
 * @param asked `[replica, example, row]` int32 places of the rows in their text; null: row t is at place t
 */
export type SiteHook = (name: string, x: tf.Tensor3D, asked: tf.Tensor3D | null) => tf.Tensor3D;

/** Parameters by name; each `[replica, ...shape]`. */
export type ParameterTensors = ReadonlyMap<string, tf.Tensor>;

/**
 * Records, during one backward pass, the factors of every use of a parameter.
 *
 * Parameters stay off tfjs's gradient tape: `linear`, `embedding`, `layerNorm` and the others below are functions
 * of the activation alone, whose gradient function stores the factors and returns the activation's gradient.
 * Everything between them is ordinary tfjs and is differentiated by tfjs.
 *
 * Activations are `[replica, example * row, width]`; an example's rows are consecutive.
 */
export class FactorTape {
  private readonly recorded: ParameterUse[] = [];
  private readonly places: PlaceWeights;
  private hook: SiteHook | null = null;

  /**
   * @param root a scalar on tfjs's gradient tape: embeddings depend on it formally, so that the backward pass
   * reaches them
   * @param placeWeights `[replica, example, place]` what each token of the text that is read counts in the gradients that are
   * recorded: 0 for a place leaves out what parameters do there. Null: all of them in full.
   */
  constructor(
    private readonly parameters: ParameterTensors,
    readonly examples: number,
    private readonly root: tf.Scalar,
    placeWeights: tf.Tensor3D | null = null,
  ) {
    this.places = new PlaceWeights(placeWeights);
  }

  /** Uses recorded so far, in the order of the backward pass; the caller disposes of their (kept) factors. */
  get uses(): readonly ParameterUse[] {
    return this.recorded;
  }

  /** The tensor of a parameter. Throws when the model has none of that name. */
  parameter(name: string): tf.Tensor {
    const tensor = this.parameters.get(name);
    if (tensor === undefined) throw new Error(`the model has no parameter ${name}`);
    return tensor;
  }

  /**
   * Tells at which places of the text the rows of the activations stand that parameters are used on from here on. Of no
   * consequence but to a tape with weights of places.
   *
   * @param places `[replica, example, row]` int32; null: row t is at place t
   */
  at(places: (() => tf.Tensor3D) | null): void {
    this.places.at(places);
  }

  /**
   * Names an activation ({@link Site}): a model passes each through here. Without a hook it is what it was, and costs nothing.
   *
   * @param asked see {@link SiteHook}
   */
  site(name: string, x: tf.Tensor3D, asked: tf.Tensor3D | null = null): tf.Tensor3D {
    return this.hook === null ? x : this.hook(name, x, asked);
  }

  /** Has `hook` called with every named activation while `compute` runs. */
  hooked<T>(hook: SiteHook, compute: () => T): T {
    const before = this.hook;
    this.hook = hook;
    try {
      return compute();
    } finally {
      this.hook = before;
    }
  }

  /** After the backward pass: gives up what it needed beside the factors. */
  end(): void {
    this.places.dispose();
  }

  /**
   * An input of the model, to which no gradient flows, as an activation: for models whose first layer is not an embedding
   * or a convolution of the data.
   */
  input(x: tf.Tensor3D): tf.Tensor3D {
    return tf.customGrad(() => ({ value: tf.clone(x), gradFunc: () => tf.scalar(0) }))(this.root);
  }

  /** `x W + b`; weight `[replica, in, out]`, bias `[replica, out]`. */
  linear(x: tf.Tensor3D, weightName: string, biasName: string | null): tf.Tensor3D {
    const weight = this.parameter(weightName) as tf.Tensor3D;
    const bias = biasName === null ? null : (this.parameter(biasName) as tf.Tensor2D);
    const counts = this.places.now();
    return tf.customGrad((input, save) => {
      const x = input as tf.Tensor3D;
      (save as tf.GradSaveFunc)([x]);
      const product = tf.matMul(x, weight);
      return {
        value: bias === null ? product : tf.add(product, tf.expandDims(bias, 1)),
        gradFunc: (dy, [x]) => {
          const own = counts(dy as tf.Tensor3D, this.examples);
          this.recordLinear(weightName, x as tf.Tensor3D, own);
          if (biasName !== null) this.recordVector(biasName, own);
          return tf.matMul(dy, weight, false, true);
        },
      };
    })(x) as tf.Tensor3D;
  }

  /**
   * A convolution with bias, as a linear map of patches; weight `[replica, tap * channel, out]`, taps in reading order.
   *
   * @param x `[replica, example * pixel, channel]`, pixels row by row
   * @param source `data` where x is an input of the model, to which no gradient flows
   * @returns `[replica, example * position, out]`
   */
  convolution(
    x: tf.Tensor3D,
    weightName: string,
    biasName: string,
    shape: ConvolutionShape,
    source: 'activation' | 'data',
  ): tf.Tensor3D {
    const weight = this.parameter(weightName) as tf.Tensor3D;
    const bias = this.parameter(biasName) as tf.Tensor2D;
    const counts = this.places.now();
    const output = tf.customGrad((input, save) => {
      const pixels = source === 'data' ? x : (input as tf.Tensor3D);
      const patches = extractPatches(pixels, this.examples, shape);
      (save as tf.GradSaveFunc)([patches]);
      return {
        value: tf.add(tf.matMul(patches, weight), tf.expandDims(bias, 1)),
        gradFunc: (dy, [patches]) => {
          const own = counts(dy as tf.Tensor3D, this.examples);
          this.recordLinear(weightName, patches as tf.Tensor3D, own);
          this.recordVector(biasName, own);
          if (source === 'data') return tf.scalar(0);
          return patchesGradient(dy as tf.Tensor3D, weight, this.examples, shape);
        },
      };
    });
    return output(source === 'data' ? this.root : x) as tf.Tensor3D;
  }

  /**
   * A convolution of every channel by itself ("depthwise"), with bias; weight `[replica, tap, channel]`.
   *
   * An example's gradient is no sum of few outer products but no larger than the weight, so that it is recorded whole,
   * as a vector use.
   *
   * @param x `[replica, example * pixel, channel]`
   * @returns `[replica, example * position, channel]`
   */
  channelwise(x: tf.Tensor3D, weightName: string, biasName: string, shape: ConvolutionShape): tf.Tensor3D {
    const weight = this.parameter(weightName) as tf.Tensor3D;
    const bias = this.parameter(biasName) as tf.Tensor2D;
    return tf.customGrad((input, save) => {
      const x = input as tf.Tensor3D;
      (save as tf.GradSaveFunc)([x]);
      return {
        value: tf.add(channelwiseConvolution(x, weight, this.examples, shape), tf.expandDims(bias, 1)),
        gradFunc: (dy, [x]) => {
          const { input, weight: sums } = channelwiseGradients(
            x as tf.Tensor3D,
            dy as tf.Tensor3D,
            weight,
            this.examples,
            shape,
          );
          this.recorded.push({ kind: 'vector', parameter: weightName, sums: tf.keep(tf.clone(sums)) });
          this.recordVector(biasName, dy as tf.Tensor3D);
          return input;
        },
      };
    })(x) as tf.Tensor3D;
  }

  /** `gain * x + bias`, channel by channel; both `[replica, channel]`. */
  scale(x: tf.Tensor3D, gainName: string, biasName: string): tf.Tensor3D {
    const gain = (): tf.Tensor => tf.expandDims(this.parameter(gainName), 1);
    const bias = this.parameter(biasName);
    return tf.customGrad((input, save) => {
      const x = input as tf.Tensor3D;
      (save as tf.GradSaveFunc)([x]);
      return {
        value: tf.add(tf.mul(x, gain()), tf.expandDims(bias, 1)),
        gradFunc: (dy, [x]) => {
          this.recordVector(gainName, tf.mul(dy, x!));
          this.recordVector(biasName, dy as tf.Tensor3D);
          return tf.mul(dy, gain());
        },
      };
    })(x) as tf.Tensor3D;
  }

  /** Logits `x E^T` of a table shared with an embedding; table `[replica, size, width]`. */
  unembedding(x: tf.Tensor3D, tableName: string): tf.Tensor3D {
    const table = this.parameter(tableName) as tf.Tensor3D;
    const counts = this.places.now();
    return tf.customGrad((input, save) => {
      const x = input as tf.Tensor3D;
      (save as tf.GradSaveFunc)([x]);
      return {
        value: tf.matMul(x, table, false, true),
        gradFunc: (dy, [x]) => {
          this.recordLinear(tableName, counts(dy as tf.Tensor3D, this.examples), x as tf.Tensor3D);
          return tf.matMul(dy, table);
        },
      };
    })(x) as tf.Tensor3D;
  }

  /**
   * Rows of a table, with rows of another tensor in place of ids from `size` on, which is how the embedding of a variable
   * or a tag, made elsewhere, gets into a text. Every example has `slots` inserted rows of its own; id `size + i` of
   * example e takes row `e * slots + i`, or, where there is one slot, row e whatever i.
   *
   * @param ids `[replica, example * row]` int32
   * @param inserted `[replica, example * slot, width]`, or null when every id is in the table
   * @returns `[replica, example * row, width]`
   */
  embedding(ids: tf.Tensor2D, tableName: string, inserted: tf.Tensor3D | null): tf.Tensor3D {
    const table = this.parameter(tableName) as tf.Tensor3D;
    const [replicas, size, width] = table.shape;
    const total = ids.shape[1];
    const rows = total / this.examples;
    const own = inserted === null ? 0 : inserted.shape[1];
    const available = size + own;
    const counts = this.places.now();
    const flatIds = (ids: tf.Tensor2D): tf.Tensor1D =>
      flatten(own === 0 ? ids : redirect(ids, size, this.examples, own / this.examples), available);
    const output = tf.customGrad((...inputs) => {
      const save = inputs.at(-1) as tf.GradSaveFunc;
      save([ids]);
      const source = inserted === null ? table : tf.concat([table, inputs[1] as tf.Tensor3D], 1);
      const gathered = gatherRows(tf.reshape(source, [replicas * available, width]), flatIds(ids));
      return {
        value: tf.reshape(gathered, [replicas, total, width]),
        gradFunc: (dy, saved) => {
          const ids = saved[0] as tf.Tensor2D;
          const right = tf.keep(tf.clone(counts(dy as tf.Tensor3D, this.examples)));
          this.recorded.push({
            kind: 'embedding',
            parameter: tableName,
            rows,
            size,
            ids: tf.keep(tf.clone(ids)),
            right,
          });
          const rootGradient = tf.scalar(0);
          if (inserted === null) return [rootGradient];
          const sums = segmentSum(
            tf.reshape(dy, [replicas * total, width]),
            flatIds(ids),
            replicas * available,
          );
          const insertedGradient = tf.slice(
            tf.reshape(sums, [replicas, available, width]),
            [0, size, 0],
            [replicas, own, width],
          );
          return [rootGradient, insertedGradient];
        },
      };
    });
    return (inserted === null ? output(this.root) : output(this.root, inserted)) as tf.Tensor3D;
  }

  /** Adds learned positions `[replica, row, width]`, the same for every example. */
  positions(x: tf.Tensor3D, tableName: string): tf.Tensor3D {
    const [replicas, total, width] = x.shape;
    const rows = total / this.examples;
    const table = this.parameter(tableName) as tf.Tensor3D;
    const used = table.shape[1] === rows ? table : tf.slice(table, [0, 0, 0], [replicas, rows, width]);
    const counts = this.places.now();
    return tf.customGrad((input) => {
      const x = tf.reshape(input as tf.Tensor3D, [replicas, this.examples, rows, width]);
      return {
        value: tf.reshape(tf.add(x, tf.expandDims(used, 1)), [replicas, total, width]),
        gradFunc: (dy) => {
          const perExample = tf.reshape(counts(dy as tf.Tensor3D, this.examples), [
            replicas,
            this.examples,
            rows,
            width,
          ]);
          const missing = table.shape[1] - rows;
          const padded =
            missing === 0
              ? perExample
              : tf.pad(perExample, [
                  [0, 0],
                  [0, 0],
                  [0, missing],
                  [0, 0],
                ]);
          const sums = tf.reshape(padded, [replicas, this.examples, table.shape[1] * width]) as tf.Tensor3D;
          this.recorded.push({ kind: 'vector', parameter: tableName, sums: tf.keep(tf.clone(sums)) });
          return dy;
        },
      };
    })(x) as tf.Tensor3D;
  }

  /**
   * One number for every head and every pair of a query and a row, by the bucket of their distance (Raffel et al. 2019),
   * `[replica * example, head, query, row]`; table `[replica, bucket, head]`. The same for every example, whose gradient is no
   * larger than the table and recorded whole, as a vector use.
   *
   * @param buckets `[query * row]` bucket of each pair
   */
  relativeBias(tableName: string, buckets: Int32Array, queries: number, rows: number): tf.Tensor4D {
    const table = this.parameter(tableName) as tf.Tensor3D;
    const [replicas, size, heads] = table.shape;
    const pairs = queries * rows;
    const isInBucket = (): tf.Tensor2D => {
      const values = new Float32Array(pairs * size);
      buckets.forEach((bucket, pair) => (values[pair * size + bucket] = 1));
      return tf.tensor2d(values, [pairs, size]);
    };
    const counts = this.places.now();
    return tf.customGrad(() => {
      const byHead = tf.reshape(tf.transpose(table, [0, 2, 1]), [replicas * heads, size]) as tf.Tensor2D;
      const own = tf.matMul(byHead, isInBucket(), false, true);
      const spread = tf.tile(tf.reshape(own, [replicas, 1, heads * pairs]), [1, this.examples, 1]);
      return {
        value: tf.reshape(spread, [replicas * this.examples, heads, queries, rows]),
        gradFunc: (dy) => {
          const counted = this.places.areWeighted ? this.byQuery(dy as tf.Tensor4D, counts) : dy;
          const perHead = tf.reshape(counted, [replicas * this.examples * heads, pairs]) as tf.Tensor2D;
          const sums = tf.reshape(tf.matMul(perHead, isInBucket()), [replicas * this.examples, heads, size]);
          const perExample = tf.reshape(tf.transpose(sums, [0, 2, 1]), [
            replicas,
            this.examples,
            size * heads,
          ]);
          this.recorded.push({
            kind: 'vector',
            parameter: tableName,
            sums: tf.keep(tf.clone(perExample)) as tf.Tensor3D,
          });
          return tf.scalar(0);
        },
      };
    })(this.root) as tf.Tensor4D;
  }

  /** Root-mean-square norm over the last axis, `gain * x / sqrt(mean(x^2) + epsilon)` (Zhang & Sennrich 2019). */
  rmsNorm(x: tf.Tensor3D, gainName: string, epsilon: number): tf.Tensor3D {
    const gain = (): tf.Tensor => tf.expandDims(this.parameter(gainName), 1);
    const counts = this.places.now();
    return tf.customGrad((input, save) => {
      const x = input as tf.Tensor3D;
      const scale = tf.rsqrt(tf.add(tf.mean(tf.square(x), -1, true), epsilon));
      const normalised = tf.mul(x, scale);
      (save as tf.GradSaveFunc)([normalised, scale]);
      return {
        value: tf.mul(normalised, gain()),
        gradFunc: (dy, [normalised, scale]) => {
          const gainRows = tf.mul(dy, normalised!) as tf.Tensor3D;
          this.recordVector(gainName, counts(gainRows, this.examples));
          // dx = scale * (g dy - normalised * mean(g dy normalised))
          const inner = tf.mul(dy, gain());
          const slope = tf.mean(tf.mul(gainRows, gain()), -1, true);
          return tf.mul(tf.sub(inner, tf.mul(normalised!, slope)), scale!);
        },
      };
    })(x) as tf.Tensor3D;
  }

  /**
   * LayerNorm over the last axis, `gain * (x - mean) / sqrt(variance + epsilon) + bias` with the population
   * variance (Ba et al. 2016).
   */
  layerNorm(x: tf.Tensor3D, gainName: string, biasName: string, epsilon: number): tf.Tensor3D {
    const gain = (): tf.Tensor => tf.expandDims(this.parameter(gainName), 1);
    const bias = this.parameter(biasName) as tf.Tensor2D;
    const counts = this.places.now();
    return tf.customGrad((input, save) => {
      const x = input as tf.Tensor3D;
      const centred = tf.sub(x, tf.mean(x, -1, true));
      const scale = tf.rsqrt(tf.add(tf.mean(tf.square(centred), -1, true), epsilon));
      const normalised = tf.mul(centred, scale);
      (save as tf.GradSaveFunc)([normalised, scale]);
      return {
        value: tf.add(tf.mul(normalised, gain()), tf.expandDims(bias, 1)),
        gradFunc: (dy, [normalised, scale]) => {
          const gainRows = tf.mul(dy, normalised!) as tf.Tensor3D;
          this.recordVector(gainName, counts(gainRows, this.examples));
          this.recordVector(biasName, counts(dy as tf.Tensor3D, this.examples));
          // dx = scale * (g dy - mean(g dy) - normalised * mean(g dy normalised))
          const inner = tf.mul(dy, gain());
          const mean = tf.mean(inner, -1, true);
          const slope = tf.mean(tf.mul(gainRows, gain()), -1, true);
          return tf.mul(tf.sub(tf.sub(inner, mean), tf.mul(normalised!, slope)), scale!);
        },
      };
    })(x) as tf.Tensor3D;
  }

  /** Gradients of attention scores `[replica * example, head, query, row]`, each counted at the place of its query. */
  private byQuery(dy: tf.Tensor4D, counts: RowWeight): tf.Tensor {
    const [batch, heads, queries, rows] = dy.shape;
    const turned = tf.transpose(dy, [0, 2, 1, 3]);
    const flat = tf.reshape(turned, [batch / this.examples, this.examples * queries, heads * rows]);
    const own = tf.reshape(counts(flat as tf.Tensor3D, this.examples), [batch, queries, heads, rows]);
    return tf.transpose(own, [0, 2, 1, 3]);
  }

  private recordLinear(parameter: string, left: tf.Tensor3D, right: tf.Tensor3D): void {
    const rows = left.shape[1] / this.examples;
    this.recorded.push({
      kind: 'linear',
      parameter,
      rows,
      left: tf.keep(tf.clone(left)),
      right: tf.keep(tf.clone(right)),
    });
  }

  /** Records a vector use whose per-row gradient is `rows` `[replica, example * row, size]`. */
  private recordVector(parameter: string, rows: tf.Tensor3D): void {
    const [replicas, total, size] = rows.shape;
    const perExample = total / this.examples;
    const sums =
      perExample === 1 ? rows : tf.sum(tf.reshape(rows, [replicas, this.examples, perExample, size]), 2);
    this.recorded.push({ kind: 'vector', parameter, sums: tf.keep(tf.clone(sums)) as tf.Tensor3D });
  }
}

/** Ids of `[replica, n]` local tables as ids of one table that holds them all, `[replica * n]`. */
function flatten(ids: tf.Tensor2D, size: number): tf.Tensor1D {
  const base = tf.expandDims(tf.range(0, ids.shape[0] * size, size, 'int32'), 1);
  return tf.reshape(tf.add(ids, base), [-1]) as tf.Tensor1D;
}

/** Sends every id outside the table to a row that the example has of its own. */
function redirect(ids: tf.Tensor2D, size: number, examples: number, slots: number): tf.Tensor2D {
  const rows = ids.shape[1] / examples;
  const example = tf.floorDiv(tf.range(0, ids.shape[1], 1, 'int32'), tf.scalar(rows, 'int32'));
  const start = tf.add(
    slots === 1 ? example : tf.mul(example, tf.scalar(slots, 'int32')),
    tf.scalar(size, 'int32'),
  );
  const own =
    slots === 1
      ? tf.add(tf.zerosLike(ids), tf.expandDims(start, 0))
      : tf.add(tf.sub(ids, tf.scalar(size, 'int32')), tf.expandDims(start, 0));
  return tf.where(tf.less(ids, tf.scalar(size, 'int32')), ids, own as tf.Tensor2D);
}
