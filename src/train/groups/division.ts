import * as tf from '@tensorflow/tfjs-core';
import { splitLanes, type Lane } from '../lanes.js';
import type { GroupSlots } from './arrange.js';
import type { GroupTensors } from './basis.js';

/** The groups of one minibatch of R replicas. */
export interface MinibatchGroups {
  readonly groups: number;
  /** `[replica, example]` */
  readonly groupOf: Int32Array;
  readonly slots: GroupSlots;
}

/** What the graphs that tell the groups of such a minibatch apart depend on, its values aside. */
export function divisionKey({ groups, slots }: MinibatchGroups): string {
  return `${groups} groups, ${slots.slots} slots of ${slots.capacity}`;
}

/** A division as tensors, each with a leading replica axis; the caller disposes of them. */
export function divisionTensors({ groups, groupOf, slots }: MinibatchGroups, replicas: number): tf.Tensor[] {
  const examples = groupOf.length / replicas;
  const places = slots.slots * slots.capacity;
  return [
    tf.tensor2d(groupOf, [replicas, examples], 'int32'),
    tf.tensor(membershipOf(groupOf, replicas, groups), [replicas, groups, examples]),
    tf.tensor2d(slots.examples, [replicas, places], 'int32'),
    tf.tensor2d(slots.taken, [replicas, places]),
    tf.tensor(slots.coefficients, [replicas, groups, slots.coefficients.length / replicas / groups]),
  ];
}

/** The lanes' shares of {@link divisionTensors}. */
export function splitDivision(
  tensors: readonly tf.Tensor[],
  { groups, slots }: { readonly groups: number; readonly slots: Pick<GroupSlots, 'slots'> },
  lanes: readonly Lane[],
): GroupTensors[] {
  const split = tensors.map((tensor) => splitLanes(tensor, lanes));
  return lanes.map((_, lane) => ({
    groups,
    groupOf: split[0]![lane] as tf.Tensor2D,
    membership: split[1]![lane] as tf.Tensor3D,
    slotExamples: split[2]![lane] as tf.Tensor2D,
    slotTaken: split[3]![lane] as tf.Tensor2D,
    coefficients: split[4]![lane] as tf.Tensor3D,
    slots: slots.slots,
  }));
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
