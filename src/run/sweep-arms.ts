import { UserError } from '../../data/errors.js';
import type { AxisValue, SweepAxis } from '../store/sweep-design.js';
import { writtenOverrides, type SweepFile, type WrittenOverride } from './sweep-file.js';

/** An arm before its config is made. */
export interface PlannedArm {
  /** Unique in the sweep; runs are named `<sweep>-<arm>`. */
  readonly name: string;
  /** `[axis]` its value on each axis of the sweep. */
  readonly values: readonly AxisValue[];
  readonly seeds: readonly number[];
  /** In the order in which they are applied. */
  readonly overrides: readonly WrittenOverride[];
  /** Path in the file of what makes it an arm. */
  readonly at: readonly PropertyKey[];
}

/** More arms than these are a slip in the grid. */
const mostArms = 1000;

/** The axes of a sweep file, whichever way they are written. */
export function axesOf({ axis, axes }: Pick<SweepFile, 'axis' | 'axes'>): SweepAxis[] {
  if (axis !== undefined) return [axis];
  return axes.map(({ key, label = key, scale }) => ({ key, label, scale }));
}

/**
 * The arms of a sweep file: a point each, or every combination of a named arm and of a value of each axis. An arm is named
 * by the point's value, or by the arm's name and the values, joined by hyphens.
 *
 * @param locate the place in the file of a path, for people
 * @throws UserError with the place for two arms of one name, seeds that are missing and a grid that is too large
 */
export function plannedArms(file: SweepFile, locate: (at: readonly PropertyKey[]) => string): PlannedArm[] {
  const arms = file.points === undefined ? gridArms(file, locate) : pointArms(file);
  const seen = new Map<string, PlannedArm>();
  for (const arm of arms) {
    const twin = seen.get(arm.name);
    if (twin !== undefined) {
      throw new UserError(
        `${locate(arm.at)} makes a second arm ${arm.name} beside that of ${locate(twin.at)}; give each its own ${file.points === undefined ? 'name or values' : 'value'}`,
      );
    }
    seen.set(arm.name, arm);
  }
  return arms;
}

function pointArms({ axis, points = [] }: SweepFile): PlannedArm[] {
  return points.map(({ value, seeds, set }, i) => ({
    name: String(value),
    values: [value],
    seeds,
    overrides: [
      ...writtenOverrides(set, ['points', i, 'set']),
      { text: `${axis!.key}=${value}`, at: ['points', i, 'value'] },
    ],
    at: ['points', i],
  }));
}

function gridArms(
  { arms, axes, seeds }: SweepFile,
  locate: (at: readonly PropertyKey[]) => string,
): PlannedArm[] {
  const size = axes.reduce((product, { values }) => product * values.length, Math.max(1, arms.length));
  if (size > mostArms) {
    throw new UserError(`${locate(['axes'])} the grid has ${size} arms, and ${mostArms} are the most`);
  }
  const named = arms.map((arm, i) => ({
    parts: [arm.name],
    seeds: arm.seeds ?? seeds,
    overrides: writtenOverrides(arm.set, ['arms', i, 'set']),
    at: ['arms', i] as PropertyKey[],
  }));
  const bases = named.length > 0 ? named : [{ parts: [], seeds, overrides: [], at: [] as PropertyKey[] }];
  return bases.flatMap((base): PlannedArm[] => {
    if (base.seeds === undefined) {
      throw new UserError(
        `${locate(base.at.length === 0 ? ['sweep'] : base.at)} has no seeds; add seeds: 0..7 to the file, or to the arm`,
      );
    }
    const own = base.seeds;
    return combinations(axes.map(({ values }) => values)).map((places) => {
      const values = places.map((place, axis) => axes[axis]!.values[place]!);
      return {
        name: [...base.parts, ...values.map(valueName)].join('-'),
        values,
        seeds: own,
        overrides: [
          ...base.overrides,
          ...values.map((value, axis) => ({
            text: `${axes[axis]!.key}=${JSON.stringify(value)}`,
            at: ['axes', axis, 'values', places[axis]!],
          })),
        ],
        at: base.at.length > 0 ? base.at : ['axes', 0, 'values', places[0]!],
      };
    });
  });
}

/** Every choice of one place in each list, the last list fastest; one empty choice of no lists. */
function combinations(lists: readonly (readonly unknown[])[]): number[][] {
  return lists.reduce<number[][]>(
    (all, list) => all.flatMap((before) => list.map((_, place) => [...before, place])),
    [[]],
  );
}

/** A value as part of the name of a folder: lower case, without what a name cannot have. */
function valueName(value: AxisValue): string {
  return String(value)
    .toLowerCase()
    .replaceAll(/[^a-z0-9.-]+/g, '-');
}
