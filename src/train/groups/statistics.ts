import * as tf from '@tensorflow/tfjs-core';
import { compile, type CompiledFunction } from '../engine/compiled.js';
import type { Attachment, LaneFactors, MinibatchGradient } from '../gradient-function.js';
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

/** What a statistic of one lane is computed from, inside a compiled function. */
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
   * Gram matrices of the group gradients as an attachment of the gradient; {@link readGram} makes numbers of what it
   * computes. The caller disposes of its inputs.
   */
  gramAttachment(minibatch: MinibatchGroups): Attachment {
    const { groups, slots } = minibatch;
    return {
      key: `gram ${groups} ${slots.slots}`,
      inputs: divisionTensors(minibatch),
      compute: (lanes, inputs) => this.overLanes(lanes, inputs, minibatch, gramsOf),
    };
  }

  /**
   * Gram matrices of the group gradients, `[replica, parameter, group, group]` in float64. A group's gradient is
   * its examples' share of the minibatch gradient, so that the groups sum to the minibatch: the sum of a matrix's
   * entries is the squared norm of the minibatch gradient.
   */
  gram(gradient: MinibatchGradient, minibatch: MinibatchGroups): Float64Array {
    const outputs = this.run('gram', gradient, minibatch, gramsOf);
    const result = this.readGram(gradient, outputs, minibatch);
    tf.dispose(outputs);
    return result;
  }

  /** See {@link gram}; `outputs` are those of a {@link gramAttachment}. */
  readGram(
    gradient: MinibatchGradient,
    outputs: readonly tf.Tensor[],
    { groups, slots }: MinibatchGroups,
  ): Float64Array {
    const replicas = gradient.losses.shape[0];
    const result = new Float64Array(replicas * this.parameters.length * groups * groups);
    const queues = outputs.map((tensor) => ({
      values: tensor.dataSync<'float32'>(),
      shape: tensor.shape,
      next: 0,
    }));
    this.parameters.forEach((name, parameter) => {
      const overBasis = gradient.lanes[0]!.chunks.has(name);
      const queue = queues[overBasis || queues.length === 1 ? 0 : 1]!;
      const index = queue.next++;
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
    return result;
  }

  /**
   * Squared norms of per-example gradients, `[replica, parameter, example]`, each example scaled to weigh as if the
   * minibatch were it alone (`B w_i g_i`, which is g_i where all examples weigh 1/B).
   */
  exampleNorms2(gradient: MinibatchGradient, minibatch: MinibatchGroups): Float32Array {
    const examples = gradient.losses.shape[1];
    const outputs = this.run('example norms', gradient, minibatch, ({ usesOf }) => [
      tf.mul(
        tf.stack(
          this.parameters.map((name) => exampleNorms2(usesOf(name))),
          1,
        ),
        examples ** 2,
      ),
    ]);
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

  /** Runs a statistic in a graph of its own. */
  private run(
    kind: string,
    gradient: MinibatchGradient,
    minibatch: MinibatchGroups,
    compute: (sources: Sources) => tf.Tensor[],
  ): tf.Tensor[] {
    const division = divisionTensors(minibatch);
    const lanes = gradient.lanes.map((lane) => ({ lane, flat: flattenUses(lane.uses) }));
    const key = `${kind} ${minibatch.groups} ${minibatch.slots.slots}`;
    let run = this.compiled.get(key);
    if (run === undefined) {
      run = compile(kind, (inputs) => {
        let next = division.length;
        const bound = lanes.map(({ lane, flat }): LaneFactors => {
          const chunks = new Map(
            Array.from(lane.chunks.keys(), (name) => [name, inputs[next++] as tf.Tensor4D]),
          );
          const factors = inputs.slice(next, (next += flat.factors.length));
          return { first: lane.first, replicas: lane.replicas, chunks, uses: bindUses(flat, factors) };
        });
        return this.overLanes(bound, inputs.slice(0, division.length), minibatch, compute);
      });
      this.compiled.set(key, run);
    }
    const factors = lanes.flatMap(({ lane, flat }) => [...lane.chunks.values(), ...flat.factors]);
    const outputs = run([...division, ...factors]);
    tf.dispose(division);
    return outputs;
  }

  /** Computes per lane and puts the results, all with a leading replica axis, together. */
  private overLanes(
    lanes: readonly LaneFactors[],
    division: readonly tf.Tensor[],
    { groups, slots: { slots } }: MinibatchGroups,
    compute: (sources: Sources) => tf.Tensor[],
  ): tf.Tensor[] {
    const split = division.map((tensor) => splitLanes(tensor, lanes));
    const results = lanes.map(({ uses, chunks }, lane) => {
      const [groupOf, membership, slotExamples, slotTaken, coefficients] = split.map((parts) => parts[lane]!);
      const tensors: GroupTensors = {
        groups,
        groupOf: groupOf as tf.Tensor2D,
        membership: membership as tf.Tensor3D,
        slotExamples: slotExamples as tf.Tensor2D,
        slotTaken: slotTaken as tf.Tensor2D,
        coefficients: coefficients as tf.Tensor3D,
        slots,
      };
      const usesOf = (name: string): ParameterUse[] => uses.filter(({ parameter }) => parameter === name);
      const parts = (): PartGradients[] =>
        this.parameters.map((name) => partGradients(usesOf(name), chunks.get(name), tensors));
      return compute({ parts, usesOf, tensors });
    });
    return results[0]!.map((_, i) => joinLanes(results.map((result) => result[i]!)));
  }
}

/** Gram matrices over the basis, `[replica, parameter, element, element]`, and over the groups, where there are any. */
function gramsOf({ parts }: Sources): tf.Tensor[] {
  const all = parts();
  return (['basis', 'groups'] as const).flatMap((over) => {
    const chosen = all.filter((part) => part.over === over);
    if (chosen.length === 0) return [];
    return [
      tf.stack(
        chosen.map(({ values }) => tf.matMul(values, values, false, true)),
        1,
      ),
    ];
  });
}

/** Tensors that say how a minibatch divides into groups, in the order in which {@link GroupTensors} are made of them. */
function divisionTensors({ groups, groupOf, slots }: MinibatchGroups): tf.Tensor[] {
  const places = slots.slots * slots.capacity;
  const replicas = slots.coefficients.length / groups / slots.basis;
  const examples = groupOf.length / replicas;
  return [
    tf.tensor2d(groupOf, [replicas, examples], 'int32'),
    tf.tensor(membershipOf(groupOf, replicas, groups), [replicas, groups, examples]),
    tf.tensor2d(slots.examples, [replicas, places], 'int32'),
    tf.tensor2d(slots.taken, [replicas, places]),
    tf.tensor(slots.coefficients, [replicas, groups, slots.basis]),
  ];
}

/** `[replica, group, example]` 1 where an example belongs to a group. */
function membershipOf(groupOf: Int32Array, replicas: number, groups: number): Float32Array {
  const examples = groupOf.length / replicas;
  const membership = new Float32Array(groupOf.length * groups);
  for (let replica = 0; replica < replicas; replica++) {
    for (let example = 0; example < examples; example++) {
      const group = groupOf[replica * examples + example]!;
      membership[(replica * groups + group) * examples + example] = 1;
    }
  }
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
