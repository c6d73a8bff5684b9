import * as tf from '@tensorflow/tfjs-core';
import { compile, type CompiledFunction } from '../engine/compiled.js';
import type { MinibatchGradient } from '../gradient-function.js';
import { joinLanes } from '../lanes.js';
import { bindUses, flattenUses, type ParameterUse } from '../tape/uses.js';
import {
  divisionKey,
  divisionTensors,
  splitDivision,
  type GroupTensors,
  type MinibatchGroups,
} from './division.js';
import { exampleNorms2 } from './example-norms.js';
import { groupGradients, partGradientsOf, type PartGradients } from './gram.js';

/** What a statistic is computed from, inside a compiled function. */
interface Sources {
  /** Part gradients of every parameter. */
  readonly parts: () => PartGradients[];
  readonly usesOf: (parameter: string) => ParameterUse[];
  readonly tensors: GroupTensors;
}

/** Computes, from the factors of a minibatch's gradient, what the gradient log keeps of its groups. */
export class GroupStatistics {
  private readonly compiled = new Map<string, CompiledFunction>();

  /** @param parameters names, in the order of every result */
  constructor(private readonly parameters: readonly string[]) {}

  /**
   * Squared norms of per-example gradients, `[replica, parameter, example]`, each example scaled to weigh as if the
   * minibatch were it alone (`B w_i g_i`, which is g_i where all examples weigh 1/B).
   */
  exampleNorms2(gradient: MinibatchGradient, minibatch: MinibatchGroups): Float32Array {
    const outputs = this.run('example norms', gradient, minibatch, ({ usesOf }) => {
      const examples = gradient.losses.shape[1];
      return [
        tf.mul(
          tf.stack(
            this.parameters.map((name) => exampleNorms2(usesOf(name))),
            1,
          ),
          examples ** 2,
        ),
      ];
    });
    const values = Float32Array.from(outputs[0]!.dataSync());
    tf.dispose(outputs);
    return values;
  }

  /** Gradients of the groups of each parameter, `[replica, group, size]`; the caller disposes of them. */
  gradients(gradient: MinibatchGradient, minibatch: MinibatchGroups): tf.Tensor3D[] {
    return this.run('group gradients', gradient, minibatch, ({ parts, tensors }) =>
      parts().map((part) => groupGradients(part, tensors)),
    ) as tf.Tensor3D[];
  }

  dispose(): void {
    for (const run of this.compiled.values()) run.dispose();
    this.compiled.clear();
  }

  /** Computes per lane and puts the results, all with a leading replica axis, together. */
  private run(
    kind: string,
    gradient: MinibatchGradient,
    minibatch: MinibatchGroups,
    compute: (sources: Sources) => tf.Tensor[],
  ): tf.Tensor[] {
    const division = divisionTensors(minibatch, gradient.losses.shape[0]);
    const lanes = gradient.lanes.map(({ chunks, uses }) => ({ chunks, flat: flattenUses(uses) }));
    const key = `${kind} ${divisionKey(minibatch)}`;
    let run = this.compiled.get(key);
    if (run === undefined) {
      const { flat, chunks } = lanes[0]!;
      const { groups, slots } = minibatch;
      const shape = { groups, slots: { slots: slots.slots } };
      const chunkNames = [...chunks.keys()];
      run = compile(kind, (inputs) => {
        const perLane = chunkNames.length + flat.factors.length;
        const divisions = splitDivision(inputs.slice(0, division.length), shape, gradient.lanes);
        const results = lanes.map((_, lane) => {
          const first = division.length + lane * perLane;
          const own = inputs.slice(first, first + perLane);
          const tensors = divisions[lane]!;
          const bound = bindUses(flat, own.slice(chunkNames.length));
          const usesOf = (name: string): ParameterUse[] =>
            bound.filter(({ parameter }) => parameter === name);
          const chunkOf = new Map(chunkNames.map((name, i) => [name, own[i] as tf.Tensor4D]));
          const parts = (): PartGradients[] => partGradientsOf(this.parameters, bound, chunkOf, tensors);
          return compute({ parts, usesOf, tensors });
        });
        return results[0]!.map((_, i) => joinLanes(results.map((result) => result[i]!)));
      });
      this.compiled.set(key, run);
    }
    const outputs = run([
      ...division,
      ...lanes.flatMap(({ chunks, flat }) => [...chunks.values(), ...flat.factors]),
    ]);
    tf.dispose(division);
    return outputs;
  }
}
