import * as tf from '@tensorflow/tfjs-core';
import { splitLanes, type Lane } from '../lanes.js';

/**
 * How the gradients of the groups in a minibatch are had for little more than the minibatch's own.
 *
 * The examples of a minibatch are sorted by group and its weight gradients computed as the sums H_k over one or two
 * equal runs ("chunks") of examples, which costs what the minibatch gradient costs. Each chunk has an owner, the
 * group that fills most of it. A few examples lie in a chunk that their group does not own; only those are computed
 * again, in small "slots" E_s of at most `capacity` examples of one group. Then, exactly,
 *
 *   gradient of g = sum of H_k over chunks owned by g - slots of others in those chunks + own slots elsewhere,
 *
 * a combination of the basis (H_1 .. H_K, E_1 .. E_S) with coefficients 0, 1 and -1.
 */
export interface Arrangement {
  /** Position of each group when a minibatch is sorted. */
  readonly rank: readonly number[];
  /** Owner of each chunk. */
  readonly owners: readonly number[];
}

/**
 * Chooses the order of the groups and the owners of the chunks.
 *
 * @param sizes examples of each group in the training set
 * @param chunks 1 or 2
 */
export function arrangeGroups(sizes: readonly number[], chunks: 1 | 2): Arrangement {
  const bySize = sizes.map((_, group) => group).toSorted((a, b) => sizes[b]! - sizes[a]! || a - b);
  const present = bySize.filter((group) => sizes[group]! > 0);
  if (chunks === 1 || present.length < 2) {
    const order = [...bySize].reverse();
    return { rank: ranks(order), owners: new Array<number>(chunks).fill(present[0] ?? 0) };
  }
  // Largest first, each to the emptier half: the halves' sizes, and so the boundary, come out as even as they can.
  const halves: [number[], number[]] = [[], []];
  const filled = [0, 0];
  for (const group of bySize) {
    const half = filled[0]! <= filled[1]! ? 0 : 1;
    halves[half].push(group);
    filled[half]! += sizes[group]!;
  }
  // The owners meet at the boundary, so that what is on the wrong side of it belongs to one of them.
  return { rank: ranks([...halves[0].toReversed(), ...halves[1]]), owners: [halves[0][0]!, halves[1][0]!] };
}

function ranks(order: readonly number[]): number[] {
  const rank = new Array<number>(order.length).fill(0);
  order.forEach((group, position) => {
    rank[group] = position;
  });
  return rank;
}

/** The slots of one minibatch of R replicas. */
export interface GroupSlots {
  /** Slots of a replica. */
  readonly slots: number;
  /** Examples a slot holds. */
  readonly capacity: number;
  /** `[replica, slot, place]` number of an example in its minibatch; 0 where the place is empty. */
  readonly examples: Int32Array;
  /** `[replica, slot, place]` 1 where the place is taken, else 0. */
  readonly taken: Float32Array;
  /** `[replica, group, chunk + slot]` coefficients of the groups' gradients over the basis. */
  readonly coefficients: Float32Array;
}

/**
 * Finds the slots of a sorted minibatch.
 *
 * @param groupOf `[replica, example]` group of each example, in the minibatch's order
 * @param replicas R
 * @param groups number of groups
 * @param capacity examples of a slot
 */
export function planSlots(
  groupOf: Int32Array,
  replicas: number,
  groups: number,
  owners: readonly number[],
  capacity: number,
): GroupSlots {
  const examples = groupOf.length / replicas;
  const chunks = owners.length;
  const chunkSize = examples / chunks;
  const lists = Array.from({ length: replicas }, (_, replica) => {
    const misplaced: { chunk: number; group: number; examples: number[] }[] = [];
    for (let example = 0; example < examples; example++) {
      const group = groupOf[replica * examples + example]!;
      const chunk = Math.floor(example / chunkSize);
      if (owners[chunk] === group) continue;
      let slot = misplaced.findLast((other) => other.chunk === chunk && other.group === group);
      if (slot === undefined || slot.examples.length === capacity) {
        slot = { chunk, group, examples: [] };
        misplaced.push(slot);
      }
      slot.examples.push(example);
    }
    return misplaced;
  });
  const needed = Math.max(...lists.map((list) => list.length));
  // Every number of slots is a graph of its own. Mostly one a group suffices that is not the other owner's.
  const slots = fewNumbers(Math.max(groups - 1, needed));
  const basis = chunks + slots;
  const plan: GroupSlots = {
    slots,
    capacity,
    examples: new Int32Array(replicas * slots * capacity),
    taken: new Float32Array(replicas * slots * capacity),
    coefficients: new Float32Array(replicas * groups * basis),
  };
  lists.forEach((list, replica) => {
    const coefficient = (group: number, element: number): number =>
      (replica * groups + group) * basis + element;
    owners.forEach((owner, chunk) => {
      plan.coefficients[coefficient(owner, chunk)]! += 1;
    });
    list.forEach(({ chunk, group, examples }, slot) => {
      const start = (replica * slots + slot) * capacity;
      plan.examples.set(examples, start);
      plan.taken.fill(1, start, start + examples.length);
      plan.coefficients[coefficient(group, chunks + slot)]! += 1;
      plan.coefficients[coefficient(owners[chunk]!, chunks + slot)]! -= 1;
    });
  });
  return plan;
}

/** The next of 0 .. 8, 10, 12, 14, 16, 20, ...: few different numbers, none much too large. */
function fewNumbers(count: number): number {
  if (count <= 8) return count;
  const step = 2 ** (Math.floor(Math.log2(count - 1)) - 2);
  return Math.ceil(count / step) * step;
}

/** The groups of one minibatch of R replicas. */
export interface MinibatchGroups {
  readonly groups: number;
  /** `[replica, example]` */
  readonly groupOf: Int32Array;
  readonly slots: GroupSlots;
}

/** Examples of each group that a slot of misplaced examples holds, as a share of the minibatch. */
const slotShare = 1 / 10;

/**
 * Divides a minibatch of R replicas.
 *
 * @param groupOf `[replica, example]` group of each example, sorted as {@link arrangeGroups} says
 * @param sizes as they were given there
 */
export function divide(
  groupOf: Int32Array,
  replicas: number,
  sizes: readonly number[],
  chunks: 1 | 2,
): MinibatchGroups {
  const { owners } = arrangeGroups(sizes, chunks);
  const capacity = Math.max(4, Math.ceil((groupOf.length / replicas) * slotShare));
  return {
    groups: sizes.length,
    groupOf,
    slots: planSlots(groupOf, replicas, sizes.length, owners, capacity),
  };
}

/** What the graphs that tell the groups of such a minibatch apart depend on, its values aside. */
export function divisionKey({ groups, slots }: MinibatchGroups): string {
  return `${groups} groups, ${slots.slots} slots of ${slots.capacity}`;
}

/** Tensors that say how one minibatch divides into groups. */
export interface GroupTensors {
  readonly groups: number;
  /** `[replica, example]` int32 group of each example. */
  readonly groupOf: tf.Tensor2D;
  /** `[replica, group, example]` 1 where an example belongs to a group, else 0. */
  readonly membership: tf.Tensor3D;
  /** `[replica, slot * place]` int32 example in each place of each slot. */
  readonly slotExamples: tf.Tensor2D;
  /** `[replica, slot * place]` 1 where the place is taken. */
  readonly slotTaken: tf.Tensor2D;
  /** Slots of a replica. */
  readonly slots: number;
  /** `[replica, group, chunk + slot]` coefficients of groups over the basis. */
  readonly coefficients: tf.Tensor3D;
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
