import * as tf from '@tensorflow/tfjs-core';
import type { ExampleSet, FieldBuffers, FieldSpecs } from '../../data/experiment.js';
import { allocateFields } from '../../data/fields.js';
import { createStream, type RandomStream } from '../../data/random/streams.js';
import type { Model, ModelInputs } from './models/model.js';

/** Examples of R replicas, the same number for each, on the host. */
export interface HostBatch {
  readonly replicas: number;
  readonly examples: number;
  readonly fields: FieldSpecs;
  /** Field -> values `[replica, example, ...]`. */
  readonly buffers: FieldBuffers;
}

/**
 * Gathers rows of R example sets.
 *
 * @param sets one for each replica, of equal fields
 * @param rows `[replica][example]`
 * @param random what the examples of a replica draw from
 */
export function gatherExamples(
  sets: readonly ExampleSet[],
  rows: readonly ArrayLike<number>[],
  random: (replica: number) => RandomStream,
): HostBatch {
  const { fields } = sets[0]!;
  const replicas = sets.length;
  const examples = rows[0]!.length;
  const buffers = allocateFields(fields, replicas * examples);
  sets.forEach((set, replica) => {
    set.fill(rows[replica]!, replica * examples, buffers, () => random(replica));
  });
  return { replicas, examples, fields, buffers };
}

/** Tensors `[replica, example, ...]` of chosen fields; the caller disposes of them. */
export function batchTensors(
  { replicas, examples, fields, buffers }: HostBatch,
  names: readonly string[],
): ModelInputs {
  return Object.fromEntries(
    names.map((name) => {
      const spec = fields[name];
      if (spec === undefined) throw new Error(`the data has no field ${name}`);
      return [name, tf.tensor(buffers[name]!, [replicas, examples, ...spec.shape], spec.dtype)];
    }),
  );
}

/**
 * The noise that a training step adds to activations, `[replica, example, ...]`. Each step of each stage has a
 * stream of its own, so that a resumed run draws what the interrupted one would have.
 */
export function noiseTensors(
  model: Model,
  seeds: readonly number[],
  examples: number,
  stage: string,
  step: number,
): ModelInputs {
  return drawnNoise(
    model,
    examples,
    seeds.map((seed) => createStream(seed, `noise/${stage}/${step}`)),
  );
}

/**
 * Such noise from given streams, one for each replica.
 */
export function drawnNoise(model: Model, examples: number, streams: readonly RandomStream[]): ModelInputs {
  return Object.fromEntries(
    model.noise.map(({ name, shape, standardDeviation }) => {
      const size = examples * shape.reduce((product, length) => product * length, 1);
      const values = new Float32Array(streams.length * size);
      streams.forEach((stream, replica) => {
        stream.fillNormal(values.subarray(replica * size, (replica + 1) * size), standardDeviation);
      });
      return [name, tf.tensor(values, [streams.length, examples, ...shape])];
    }),
  );
}
