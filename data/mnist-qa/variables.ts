import type { Assignment } from '../assignment.js';
import { UserError } from '../errors.js';
import { createStream, type RandomStream } from '../random/streams.js';
import { derangement } from '../splits.js';
import { subsetNames, subsets, type SubsetName } from '../subsets.js';
import type { MnistQaConfig } from './config.js';

/** Everything that is drawn for the variables of a run. */
export interface Variables {
  readonly count: number;
  readonly cells: number;
  /** `[variable]` index of its subset in `subsetNames`. */
  readonly subset: Uint8Array;
  /** `[variable, cell]` digits: the variable's name, unlike every other. */
  readonly digits: Uint8Array;
  /** `[variable, cell]` labels: the entity. */
  readonly labels: Uint8Array;
  /** `[variable, cell]` what its definition says: the labels, or in an inconsistent subset those of another variable. */
  readonly defined: Uint8Array;
  /** `[variable, cell]` another entity: what its definition would say were it wrong instead of right, or the reverse. */
  readonly otherDefined: Uint8Array;
  /** `[variable, cell]` a wrong label, which the margin compares with. */
  readonly contrast: Uint8Array;
  /** `[variable, cell]` 1 where training never asks for the cell. */
  readonly heldOut: Uint8Array;
}

/**
 * Draws grids of digits, labels, held-out cells and the exchanges of inconsistent definitions, each from a stream of its
 * own. Throws a UserError for an inconsistent subset of one variable, which has none to exchange with.
 *
 * @param classes classes of digits
 */
export function drawVariables(
  config: MnistQaConfig,
  assignment: Assignment,
  classes: number,
  seed: number,
): Variables {
  const { variables: count, labels: kinds } = config;
  const cells = config.grid ** 2;
  const stream = (name: string): RandomStream => createStream(seed, `mnist-qa/${name}`);
  const subset = new Uint8Array(count);
  for (const [name, members] of assignment)
    for (const own of members) subset[own] = subsetNames.indexOf(name);
  const digits = drawGrids(count, cells, classes, stream('grids'));
  const random = stream('labels');
  const labels = Uint8Array.from({ length: count * cells }, () => random.integer(kinds));
  const exchange = stream('exchanges');
  const others = Uint8Array.from({ length: count * cells }, () => exchange.integer(kinds));
  for (const [name, members] of assignment) {
    if (subsets[name].consistent !== false) continue;
    exchangeLabels(name, members, labels, others, cells, exchange);
  }
  const wrong = (variable: number): boolean => subsets[subsetNames[subset[variable]!]!].consistent === false;
  const perCell = (pick: (at: number, variable: number) => number): Uint8Array =>
    Uint8Array.from({ length: count * cells }, (_, at) => pick(at, Math.floor(at / cells)));
  const contrasts = stream('contrasts');
  return {
    count,
    cells,
    subset,
    digits,
    labels,
    defined: perCell((at, variable) => (wrong(variable) ? others : labels)[at]!),
    otherDefined: perCell((at, variable) => (wrong(variable) ? labels : others)[at]!),
    contrast: labels.map((label) => (label + 1 + contrasts.integer(kinds - 1)) % kinds),
    heldOut: drawHeldOut(count, cells, config.heldOutCells, stream('held-out')),
  };
}

/** Name of a variable's subset. */
export function variableSubset({ subset }: Variables, variable: number): SubsetName {
  return subsetNames[subset[variable]!]!;
}

/** `[variable, cell]` grids, all different. */
function drawGrids(count: number, cells: number, classes: number, random: RandomStream): Uint8Array {
  if (count > classes ** cells) {
    throw new UserError(
      `data.variables: ${count} pairs, but there are only ${classes ** cells} grids of ${cells} digits of ${classes} classes`,
    );
  }
  const grids = new Uint8Array(count * cells);
  const seen = new Set<string>();
  while (seen.size < count) {
    const grid = Uint8Array.from({ length: cells }, () => random.integer(classes));
    const key = grid.join();
    if (seen.has(key)) continue;
    grids.set(grid, seen.size * cells);
    seen.add(key);
  }
  return grids;
}

/** Writes into `others`, for every member, the labels of another member. */
function exchangeLabels(
  name: SubsetName,
  members: readonly number[],
  labels: Uint8Array,
  others: Uint8Array,
  cells: number,
  random: RandomStream,
): void {
  if (members.length === 1) {
    throw new UserError(
      `data.fractions: ${name} has one variable, whose definition cannot be exchanged with another's; ` +
        'raise data.variables or its share',
    );
  }
  derangement(members.length, random).forEach((other, i) => {
    const from = members[other]! * cells;
    others.set(labels.subarray(from, from + cells), members[i]! * cells);
  });
}

function drawHeldOut(count: number, cells: number, heldOut: number, random: RandomStream): Uint8Array {
  const flags = new Uint8Array(count * cells);
  for (let variable = 0; variable < count; variable++) {
    for (const cell of random.permutation(cells).subarray(0, heldOut)) flags[variable * cells + cell] = 1;
  }
  return flags;
}
