import * as tf from '@tensorflow/tfjs-core';
import { compile, type CompiledFunction } from '../engine/compiled.js';
import type { MinibatchGradient } from '../gradient-function.js';
import { joinLanes, splitLanes } from '../lanes.js';
import { bindUses, flattenUses, type ParameterUse } from '../tape/uses.js';
import type { GroupSlots } from './arrange.js';
import { groupGradients, partGradients, type GroupTensors, type PartGradients } from './basis.js';
import { exampleNorms2 } from './example-norms.js';

/** The groups of one minibatch of R replicas. */
export interface MinibatchGroups {
  readonly groups: number;
  /** `[replica, example]` */
  readonly groupOf: Int32Array;
  readonly slots: GroupSlots;
}

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
   * Gram matrices of the group gradients, `[replica, parameter, group, group]` in float64. A group's gradient is
   * its examples' share of the minibatch gradient, so that the groups sum to the minibatch: the sum of a matrix's
   * entries is the squared norm of the minibatch gradient.
   */
  gram(gradient: MinibatchGradient, minibatch: MinibatchGroups): Float64Array {
    const outputs = this.run('gram', gradient, minibatch, ({ parts }) => {
      const all = parts();
      const grams = (over: PartGradients['over']): tf.Tensor[] => {
        const chosen = all.filter((part) => part.over === over);
        return chosen.length === 0
          ? []
          : [
              tf.stack(
                chosen.map(({ values }) => tf.matMul(values, values, false, true)),
                1,
              ),
            ];
      };
      return [...grams('basis'), ...grams('groups')];
    });
    const { groups, slots } = minibatch;
    const replicas = gradient.losses.shape[0];
    const result = new Float64Array(replicas * this.parameters.length * groups * groups);
    const queues = outputs.map((tensor) => ({ values: tensor.dataSync<'float32'>(), shape: tensor.shape }));
    const next = new Map(queues.map((queue) => [queue, 0]));
    this.parameters.forEach((name, parameter) => {
      const overBasis = gradient.lanes[0]!.chunks.has(name);
      const queue = queues[overBasis || queues.length === 1 ? 0 : 1]!;
      const index = next.get(queue)!;
      next.set(queue, index + 1);
      const [, count, size] = queue.shape as [number, number, number];
      for (let replica = 0; replica < replicas; replica++) {
        const from = (replica * count + index) * size * size;
        const matrix = queue.values.subarray(from, from + size * size);
        const to = (replica * this.parameters.length + parameter) * groups * groups;
        const target = result.subarray(to, to + groups * groups);
        if (overBasis) {
          const first = replica * groups * size;
          congruence(slots.coefficients.subarray(first, first + groups * size), matrix, groups, size, target);
        } else target.set(matrix);
      }
    });
    tf.dispose(outputs);
    return result;
  }

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
    { groups, groupOf, slots }: MinibatchGroups,
    compute: (sources: Sources) => tf.Tensor[],
  ): tf.Tensor[] {
    const [replicas, examples] = gradient.losses.shape;
    const places = slots.slots * slots.capacity;
    const division = [
      tf.tensor2d(groupOf, [replicas, examples], 'int32'),
      tf.tensor(membershipOf(groupOf, replicas, groups), [replicas, groups, examples]),
      tf.tensor2d(slots.examples, [replicas, places], 'int32'),
      tf.tensor2d(slots.taken, [replicas, places]),
      tf.tensor(slots.coefficients, [replicas, groups, slots.coefficients.length / replicas / groups]),
    ];
    const lanes = gradient.lanes.map(({ chunks, uses }) => ({ chunks, flat: flattenUses(uses) }));
    const key = `${kind} ${groups} ${slots.slots}`;
    let run = this.compiled.get(key);
    if (run === undefined) {
      const { flat, chunks } = lanes[0]!;
      const chunkNames = [...chunks.keys()];
      run = compile(kind, (inputs) => {
        const perLane = chunkNames.length + flat.factors.length;
        const split = inputs.slice(0, division.length).map((tensor) => splitLanes(tensor, gradient.lanes));
        const results = lanes.map((_, lane) => {
          const first = division.length + lane * perLane;
          const own = inputs.slice(first, first + perLane);
          const tensors: GroupTensors = {
            groups,
            groupOf: split[0]![lane] as tf.Tensor2D,
            membership: split[1]![lane] as tf.Tensor3D,
            slotExamples: split[2]![lane] as tf.Tensor2D,
            slotTaken: split[3]![lane] as tf.Tensor2D,
            coefficients: split[4]![lane] as tf.Tensor3D,
            slots: slots.slots,
          };
          const bound = bindUses(flat, own.slice(chunkNames.length));
          const usesOf = (name: string): ParameterUse[] =>
            bound.filter(({ parameter }) => parameter === name);
          const chunkOf = new Map(chunkNames.map((name, i) => [name, own[i] as tf.Tensor4D]));
          const parts = (): PartGradients[] =>
            this.parameters.map((name) => partGradients(usesOf(name), chunkOf.get(name), tensors));
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

/** `[replica, group, example]` 1 where an example belongs to a group. */
function membershipOf(groupOf: Int32Array, replicas: number, groups: number): Float32Array {
  const examples = groupOf.length / replicas;
  const membership = new Float32Array(groupOf.length * groups);
  groupOf.forEach((group, i) => {
    const replica = Math.floor(i / examples);
    membership[(replica * groups + group) * examples + (i % examples)] = 1;
  });
  return membership;
}

/** `target = C M C^T` for C `[groups, size]` and symmetric M `[size, size]`. */
function congruence(
  c: Float32Array,
  m: ArrayLike<number>,
  groups: number,
  size: number,
  target: Float64Array,
): void {
  const product = new Float64Array(groups * size);
  for (let g = 0; g < groups; g++) {
    for (let k = 0; k < size; k++) {
      const factor = c[g * size + k]!;
      if (factor === 0) continue;
      for (let j = 0; j < size; j++) product[g * size + j]! += factor * m[k * size + j]!;
    }
  }
  for (let g = 0; g < groups; g++) {
    for (let h = 0; h < groups; h++) {
      let sum = 0;
      for (let j = 0; j < size; j++) sum += product[g * size + j]! * c[h * size + j]!;
      target[g * groups + h] = sum;
    }
  }
}
