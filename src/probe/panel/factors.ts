import * as tf from '@tensorflow/tfjs-core';
import type { FieldBuffers, FieldSpecs } from '../../../data/experiment.js';
import { allocateFields } from '../../../data/fields.js';
import { backward } from '../../train/backward.js';
import { batchTensors } from '../../train/batch.js';
import { compile } from '../../train/engine/compiled.js';
import { trainingFieldNames, type Model } from '../../train/models/model.js';
import { unpack, type ParameterBlock } from '../../train/parameters/layout.js';
import { bindUses, factorsOf, flattenUses, type FlatUses, type ParameterUse } from '../../train/tape/uses.js';

/** Examples that can be written into buffers. */
export interface ExampleSource {
  readonly fields: FieldSpecs;
  readonly size: number;
  fill(from: number, to: number, buffers: FieldBuffers, first: number): void;
}

/** Losses and gradient factors of examples, one model; the caller disposes of it. */
export interface ExampleFactors {
  /** `[example]` nats. */
  readonly losses: Float32Array;
  /** Factors of each example's own gradient, `[1, example * row, ...]`. */
  readonly uses: readonly ParameterUse[];
  dispose(): void;
}

/** Reads factors of examples. */
export interface FactorReader {
  /**
   * @param values blocks of parameters, `[1, size]`
   * @param weights of a reader of places: `[place]` what the places of an example count, see `FactorTape`
   */
  (
    values: readonly tf.Tensor[],
    source: ExampleSource,
    weights?: (example: number) => ArrayLike<number>,
  ): ExampleFactors;
  dispose(): void;
}

/**
 * Reads the factors of per-example gradients in batched backward passes over the sum of the losses, without the noise
 * that training adds.
 *
 * @param places that weights are given for; null: all of a text counts
 */
export function createFactorReader(
  model: Model,
  blocks: readonly ParameterBlock[],
  batchSize: number,
  places: number | null = null,
): FactorReader {
  const names = trainingFieldNames(model);
  let layout: Pick<FlatUses, 'uses' | 'slots'> | null = null;
  const run = compile('example factors', (tensors) => {
    const inputs = Object.fromEntries(names.map((name, i) => [name, tensors[blocks.length + i]!]));
    const [replicas, examples] = inputs['labels']!.shape as [number, number];
    const ones = tf.ones([replicas, examples]) as tf.Tensor2D;
    const { losses, uses } = backward(
      model,
      unpack(blocks, tensors.slice(0, blocks.length)),
      inputs,
      ones,
      places === null ? null : (tensors[blocks.length + names.length] as tf.Tensor3D),
    );
    const flat = flattenUses(uses);
    const kept = new Set(flat.factors);
    for (const factor of uses.flatMap(factorsOf)) if (!kept.has(factor)) factor.dispose();
    layout = flat;
    return [losses, ...flat.factors];
  });
  const read: (...args: Parameters<FactorReader>) => ExampleFactors = (values, source, weights) => {
    const losses = new Float32Array(source.size);
    const parts: tf.Tensor[][] = [];
    for (let first = 0; first < source.size; first += batchSize) {
      const count = Math.min(batchSize, source.size - first);
      // A short batch is filled up and cut again: another size would be another graph.
      const buffers = allocateFields(source.fields, batchSize);
      source.fill(first, first + count, buffers, 0);
      repeatFirst(buffers, count, batchSize);
      const inputs = batchTensors(
        { replicas: 1, examples: batchSize, fields: source.fields, buffers },
        names,
      );
      const counted = places === null ? [] : [weightTensor(places, batchSize, first, count, weights!)];
      const [batchLosses, ...factors] = run([...values, ...Object.values(inputs), ...counted]);
      losses.set(batchLosses!.dataSync<'float32'>().subarray(0, count), first);
      parts.push(
        count === batchSize
          ? factors
          : factors.map((factor) => {
              const rows = (factor.shape[1]! / batchSize) * count;
              const cut = tf.slice(
                factor,
                factor.shape.map(() => 0),
                [1, rows, ...factor.shape.slice(2)],
              );
              factor.dispose();
              return cut;
            }),
      );
      tf.dispose([inputs, batchLosses!, counted]);
    }
    const factors = parts[0]!.map((first, i) => {
      if (parts.length === 1) return first;
      const joined = tf.concat(
        parts.map((part) => part[i]!),
        1,
      );
      tf.dispose(parts.map((part) => part[i]!));
      return joined;
    });
    return { losses, uses: bindUses(layout!, factors), dispose: () => tf.dispose(factors) };
  };
  return Object.assign(read, { dispose: () => run.dispose() });
}

/** `[1, batch, place]` weights of the places of the examples from `first` on; 0 for the slots behind them. */
function weightTensor(
  places: number,
  batchSize: number,
  first: number,
  count: number,
  weights: (example: number) => ArrayLike<number>,
): tf.Tensor3D {
  const values = new Float32Array(batchSize * places);
  for (let i = 0; i < count; i++) values.set(weights(first + i), i * places);
  return tf.tensor3d(values, [1, batchSize, places]);
}

/** Copies example 0 into the slots from `count` on: a slot of zeros need not be a valid example. */
function repeatFirst(buffers: FieldBuffers, count: number, slots: number): void {
  for (const values of Object.values(buffers)) {
    const size = values.length / slots;
    for (let slot = count; slot < slots; slot++) values.copyWithin(slot * size, 0, size);
  }
}
