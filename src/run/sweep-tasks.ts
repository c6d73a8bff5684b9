import { UserError } from '../../data/errors.js';
import { mostTogether, replicaLimit } from './memory.js';
import { plannedCost } from './planned-cost.js';
import type { SweepArm } from './sweep-config.js';

/** Seeds of an arm that one process trains together. */
export interface SweepPack {
  readonly arm: SweepArm;
  readonly seeds: readonly number[];
}

/** One of the tasks that a sweep is cut into. */
export interface TaskShare {
  /** From 0. */
  readonly index: number;
  readonly count: number;
}

/** How the seeds of an arm are cut into packs. */
export interface PackRequest {
  /** Most seeds of a pack; `auto`: as many as the memory holds. */
  readonly seeds?: number | 'auto' | undefined;
  /** Memory that a task asks its queue for, bytes. */
  readonly memory?: number | undefined;
  /** Tasks that the packs are for; without `seeds` there is at least a pack for each, where there are seeds enough. */
  readonly tasks?: number | undefined;
}

/**
 * The packs of a sweep in the order of its file, the seeds of an arm in packs of nearly one size. It follows from the
 * arguments alone, so that every machine finds the same list.
 */
export function packsOf(arms: readonly SweepArm[], { seeds, memory, tasks }: PackRequest): SweepPack[] {
  if (typeof seeds === 'number') return cut(arms, () => seeds);
  if (seeds === undefined && tasks !== undefined) {
    const sizes = Array.from({ length: mostTogether }, (_, i) => mostTogether - i);
    const size = sizes.find((own) => cut(arms, () => own).length >= tasks) ?? 1;
    return cut(arms, () => size);
  }
  if (memory === undefined) return cut(arms, () => mostTogether);
  return cut(arms, ({ config }) => replicaLimit(plannedCost(config), memory).replicas);
}

function cut(arms: readonly SweepArm[], sizeOf: (arm: SweepArm) => number): SweepPack[] {
  return arms.flatMap((arm) => {
    const { seeds } = arm;
    const packs = Math.ceil(seeds.length / sizeOf(arm));
    return Array.from({ length: packs }, (_, i) => ({ arm, seeds: partOf(seeds, i, packs) }));
  });
}

/** The packs that a task is responsible for: neighbours in the list, as many as other tasks have, or one more. */
export function packsOfTask(packs: readonly SweepPack[], { index, count }: TaskShare): readonly SweepPack[] {
  return partOf(packs, index, count);
}

/** The `index`-th of `count` contiguous parts of a list. */
function partOf<T>(list: readonly T[], index: number, count: number): T[] {
  const place = (i: number): number => Math.floor((i * list.length) / count);
  return list.slice(place(index), place(index + 1));
}

/**
 * The list from behind a task's own part to its end and on from its start, so that tasks which help others begin at
 * different places.
 */
export function packsOfOthers(packs: readonly SweepPack[], share: TaskShare): readonly SweepPack[] {
  const own = packsOfTask(packs, share);
  const behind = Math.floor(((share.index + 1) * packs.length) / share.count);
  return [...packs.slice(behind), ...packs.slice(0, behind - own.length)];
}

/** `3/57` as a share; `3` without a count. Throws a UserError for anything else. */
export function parseTask(text: string): { readonly index: number; readonly count: number | null } {
  const match = /^(\d{1,9})(?:\/(\d{1,9}))?$/.exec(text);
  const index = Number(match?.[1] ?? NaN);
  const count = match?.[2] === undefined ? null : Number(match[2]);
  if (match === null || (count !== null && index >= count))
    throw new UserError(`--task ${text}: expected I/N, the I-th of N tasks from 0, such as 0/57`);
  return { index, count };
}

/** The share that a parsed `--task` names; without a count there are as many tasks as packs. */
export function shareOf(
  { index, count }: ReturnType<typeof parseTask>,
  packs: readonly SweepPack[],
): TaskShare {
  const share = { index, count: count ?? packs.length };
  if (index < share.count) return share;
  throw new UserError(`--task ${index}: the sweep has ${share.count} tasks, numbered from 0`);
}
