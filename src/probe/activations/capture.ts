import * as tf from '@tensorflow/tfjs-core';
import type { FieldSpecs } from '../../../data/experiment.js';
import { allocateFields } from '../../../data/fields.js';
import { batchTensors } from '../../train/batch.js';
import { compile } from '../../train/engine/compiled.js';
import type { Model } from '../../train/models/model.js';
import { unpack, type ParameterBlock } from '../../train/parameters/layout.js';
import { readActivations } from '../../train/sites/read.js';
import type { Site } from '../../train/sites/site.js';
import type { ExampleSource } from '../panel/factors.js';
import { probeBatch } from '../probe.js';

/** Activations of examples at a site, on the host. */
export interface SiteActivations {
  readonly site: Site;
  /** Rows of an example: the places of its text. */
  readonly rows: number;
  /** `[example, row, width]` */
  readonly values: Float32Array;
}

/** Reads activations of examples; see {@link createActivationReader}. */
export interface ActivationReader {
  /** @param values blocks of parameters, `[1, size]` */
  (values: readonly tf.Tensor[], source: ExampleSource): SiteActivations[];
  dispose(): void;
}

/** Places of a text of these fields. */
export function textRows(fields: FieldSpecs): number {
  return fields['tokens']!.shape[0]!;
}

/** Reads activations at sites, in their order, at all places of the texts and without the noise of training. */
export function createActivationReader(
  model: Model,
  blocks: readonly ParameterBlock[],
  sites: readonly Site[],
): ActivationReader {
  const run = compile('activations', (tensors) =>
    readActivations(
      model,
      unpack(blocks, tensors.slice(0, blocks.length)),
      { tokens: tensors[blocks.length]! },
      sites,
    ),
  );
  const read = (values: readonly tf.Tensor[], source: ExampleSource): SiteActivations[] => {
    const rows = textRows(source.fields);
    const found = sites.map((site): SiteActivations => ({
      site,
      rows,
      values: new Float32Array(source.size * rows * site.width),
    }));
    for (let first = 0; first < source.size; first += probeBatch) {
      const count = Math.min(probeBatch, source.size - first);
      // A short batch is filled up: another size would be another graph. What fills it, zeros, is left out of the result.
      const buffers = allocateFields(source.fields, probeBatch);
      source.fill(first, first + count, buffers, 0);
      const batch = { replicas: 1, examples: probeBatch, fields: source.fields, buffers };
      const inputs = batchTensors(batch, ['tokens']);
      const activations = run([...values, inputs['tokens']!]);
      activations.forEach((activation, i) => {
        const size = rows * sites[i]!.width;
        found[i]!.values.set(activation.dataSync<'float32'>().subarray(0, count * size), first * size);
      });
      tf.dispose([inputs, activations]);
    }
    return found;
  };
  return Object.assign(read, { dispose: () => run.dispose() });
}
