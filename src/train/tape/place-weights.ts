import * as tf from '@tensorflow/tfjs-core';
import { gatherRows } from '../engine/ops/gather-rows.js';

/** Rows `[replica, example * row, width]` of gradients times what the places of a text count where they stand. */
export type RowWeight = (rows: tf.Tensor3D, examples: number) => tf.Tensor3D;

const inFull: RowWeight = (rows) => rows;

/**
 * What each place of a text counts in the gradients of parameters. A parameter that is used at every row of an activation has as
 * its gradient a sum over these rows; a row's part belongs to the place of the text where the row stands. Weights that add up to 1
 * over several backward passes split a gradient into parts that add up to it.
 */
export class PlaceWeights {
  private current: RowWeight | null;
  /** Weights of chosen rows, which the backward pass needs after the forward pass has ended. */
  private readonly kept: tf.Tensor[] = [];

  /** @param weights `[replica, example, place]`, or null where all counts in full */
  constructor(private readonly weights: tf.Tensor3D | null) {
    this.current = weights === null ? inFull : null;
  }

  /** Whether anything is left out or scaled. */
  get areWeighted(): boolean {
    return this.weights !== null;
  }

  /** @param places `[replica, example, row]` int32 places of the rows that follow; null: row t is at place t */
  at(places: (() => tf.Tensor3D) | null): void {
    const { weights } = this;
    if (weights === null) return;
    if (places === null) {
      this.current = leading(weights);
      return;
    }
    const own = tf.keep(tf.tidy(() => chosen(weights, places())));
    this.kept.push(own);
    this.current = (rows) => tf.mul(rows, own);
  }

  /** After the backward pass. */
  dispose(): void {
    tf.dispose(this.kept);
  }

  /** The weights of the rows that are used now. Throws for a model that does not tell where they stand. */
  now(): RowWeight {
    if (this.current === null)
      throw new Error('the model does not tell at which places of a text its rows stand');
    return this.current;
  }
}

const leading =
  (weights: tf.Tensor3D): RowWeight =>
  (rows, examples) => {
    const [replicas, total] = rows.shape;
    const own = tf.slice(weights, [0, 0, 0], [replicas, examples, total / examples]);
    return tf.mul(rows, tf.reshape(own, [replicas, total, 1]));
  };

/** Weights of rows by their places, `[replica, example * row, 1]`. */
function chosen(weights: tf.Tensor3D, places: tf.Tensor3D): tf.Tensor3D {
  const [, , count] = weights.shape;
  const [replicas, examples, rows] = places.shape;
  const base = tf.reshape(tf.range(0, replicas * examples * count, count, 'int32'), [replicas, examples, 1]);
  const flat = tf.reshape(tf.add(places, base), [-1]) as tf.Tensor1D;
  return tf.reshape(gatherRows(tf.reshape(weights, [-1, 1]), flat), [replicas, examples * rows, 1]);
}
