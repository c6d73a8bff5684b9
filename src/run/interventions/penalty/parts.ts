import { selectGroups, type GroupSelection } from '../../../../data/group-selection.js';
import type { Design } from '../../../../data/design.js';
import type { RandomStream } from '../../../../data/random/streams.js';
import type { QuadraticForm, WeightedParts } from '../../../train/quadratic-penalty.js';
import type { PenaltyBlock } from './config.js';

/** A minibatch of R replicas, as parts are made of it. */
export interface PartSource {
  readonly replicas: number;
  /** Of one replica. */
  readonly examples: number;
  /** `[replica, example]` share of each example in the weights of its minibatch's loss. */
  readonly shares: Float32Array;
  /** `[replica, example]` group of each example. */
  readonly groupOf: Int32Array;
  /** What a replica's parts are drawn by. */
  readonly random: (replica: number) => RandomStream;
}

/** Parts whose penalties add up. */
export interface PartCall {
  readonly parts: WeightedParts;
  readonly form: QuadraticForm;
}

/**
 * The minibatch in micro-batches of `size`, drawn anew at every update, a last one of fewer; in calls of at most `together` of
 * them.
 */
export function microBatches(
  source: PartSource,
  size: number,
  together: number,
  centred: boolean,
): PartCall[] {
  const { replicas, examples, random } = source;
  const isWhole = size >= examples;
  const orders = Array.from({ length: replicas }, (_, replica) =>
    isWhole ? Int32Array.from({ length: examples }, (_own, i) => i) : random(replica).permutation(examples),
  );
  const whole = Math.floor(examples / size);
  // Calls of as equal sizes as can be, so that few graphs do for all.
  const calls = Math.ceil(whole / together);
  const ranges = Array.from({ length: calls }, (_, call) => {
    const [from, to] = [call, call + 1].map((edge) => Math.round((whole * edge) / calls));
    return { from: from! * size, size, parts: to! - from! };
  });
  if (whole * size < examples) ranges.push({ from: whole * size, size: examples - whole * size, parts: 1 });
  return ranges.map((range) => {
    const rows = orders.map((order) =>
      Array.from({ length: range.parts }, (_, part) => {
        const first = range.from + part * range.size;
        return order.subarray(first, first + range.size);
      }),
    );
    return { parts: partsOf(rows, source, range.size), form: { kind: 'squares', centred } };
  });
}

/** A block whose groups are known. */
export interface ResolvedBlock {
  readonly first: ReadonlySet<number>;
  readonly second: ReadonlySet<number>;
  readonly weight: number;
  readonly placebo: boolean;
}

/**
 * The groups of blocks. A problem, one line that begins with a key, for a block that no row of a training set belongs to, and
 * for two groups that share rows without being the same.
 *
 * @param present groups that the stage has rows of
 */
export function resolveBlocks(
  blocks: readonly PenaltyBlock[],
  design: Design,
  groups: readonly string[],
  present: ReadonlySet<number>,
): ResolvedBlock[] | string {
  const resolved: ResolvedBlock[] = [];
  for (const [i, { first, second, weight, placebo }] of blocks.entries()) {
    const found = { first: new Set<number>(), second: new Set<number>() };
    for (const [side, selection] of [
      ['first', first],
      ['second', second],
    ] as const) {
      found[side] = selected(selection);
      if (found[side].size > 0) continue;
      const names = Array.from(present, (group) => groups[group]).join(', ');
      return `blocks.${i}.${side}: means no group that the stage trains (groups: ${names})`;
    }
    const shared = [...found.first].filter((group) => found.second.has(group));
    if (shared.length > 0 && (shared.length < found.first.size || shared.length < found.second.size)) {
      const names = shared.map((group) => groups[group]).join(', ');
      return `blocks.${i}.second: shares ${names} with first, and is not the same; make them equal or apart`;
    }
    resolved.push({ ...found, weight, placebo });
  }
  return resolved;

  function selected(selection: GroupSelection): Set<number> {
    return new Set(selectGroups(design, groups, selection).filter((group) => present.has(group)));
  }
}

/**
 * Two parts for every block, whose inner product is its: the two groups; two random halves of a group with itself, which
 * have no example in common, so that no squared norms are among the products; or, as a placebo, random examples of the
 * minibatch, as many as those would be. `R = sum_block weight <g_first, g_second>`; a block one of whose groups is not in the
 * minibatch adds nothing.
 */
export function blockParts(source: PartSource, blocks: readonly ResolvedBlock[]): PartCall {
  const { replicas, examples, groupOf, random } = source;
  const rows = Array.from({ length: replicas }, (_, replica) => {
    const stream = random(replica);
    return blocks.flatMap(({ first, second, placebo }) => {
      // The same numbers are drawn whichever the block is.
      const order = stream.permutation(examples);
      const of = (groups: ReadonlySet<number>): Int32Array =>
        order.filter((i) => groups.has(groupOf[replica * examples + i]!));
      const isSame = [...first].some((group) => second.has(group));
      const all = of(first);
      const pair = isSame
        ? [all.subarray(0, all.length >> 1), all.subarray(all.length >> 1, 2 * (all.length >> 1))]
        : [all, of(second)];
      if (!placebo) return pair;
      const [a, b] = pair.map((own) => own.length);
      const drawn = stream.permutation(examples);
      return [drawn.subarray(0, a), drawn.subarray(a, a! + b!)];
    });
  });
  const most = Math.max(1, ...rows.flat().map((own) => own.length));
  // Groups are of another size in every minibatch; rounded up, few graphs do for all.
  const grain = Math.max(1, Math.ceil(examples / 16));
  const size = Math.min(examples, Math.ceil(most / grain) * grain);
  const parts = 2 * blocks.length;
  const coefficients = new Float32Array(replicas * parts * parts);
  rows.forEach((own, replica) => {
    blocks.forEach(({ weight }, block) => {
      const [a, b] = [2 * block, 2 * block + 1];
      if (own[a]!.length === 0 || own[b]!.length === 0) return;
      const at = replica * parts * parts;
      coefficients[at + a * parts + b] = coefficients[at + b * parts + a] = weight / 2;
    });
  });
  return { parts: partsOf(rows, source, size), form: { kind: 'matrix', coefficients } };
}

/** `[replica][part]` positions of examples as parts of `size` places. */
function partsOf(
  rows: readonly (readonly Int32Array[])[],
  { examples: inMinibatch, shares }: PartSource,
  size: number,
): WeightedParts {
  const parts = rows[0]!.length;
  const examples = new Int32Array(rows.length * parts * size);
  const taken = new Float32Array(examples.length);
  const weights = new Float32Array(rows.length * parts);
  rows.forEach((own, replica) => {
    own.forEach((places, part) => {
      const number = replica * parts + part;
      examples.set(places, number * size);
      taken.fill(1, number * size, number * size + places.length);
      weights[number] = places.reduce((sum, i) => sum + shares[replica * inMinibatch + i]!, 0);
    });
  });
  return { parts, size, examples, taken: taken.every((own) => own === 1) ? null : taken, shares: weights };
}
