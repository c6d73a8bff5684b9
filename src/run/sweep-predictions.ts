import type { Design } from '../../data/design.js';
import { UserError } from '../../data/errors.js';
import { nearest } from '../config/suggest.js';
import { isRecord } from '../config/yaml-source.js';
import { hashConfig } from '../store/config-hash.js';
import {
  armsOfContrast,
  type SweepAxis,
  type SweepContrast,
  type SweepPrediction,
} from '../store/sweep-design.js';
import type { RunConfig } from './config.js';
import type { WrittenPrediction } from './sweep-file.js';

/** What predictions are about. */
export interface PredictedArms {
  readonly design: Design;
  readonly axes: readonly SweepAxis[];
  readonly arms: readonly {
    readonly name: string;
    readonly seeds: readonly number[];
    readonly config: RunConfig;
  }[];
}

type PredictedArm = PredictedArms['arms'][number];

/** Why a quantity cannot be one of a sweep's runs, or null. */
export type QuantityProblem = (id: string, design: Design) => string | null;

/** Fewer arms than these have an order, but no trend. */
const fewestOfTrend = 3;

/** Fewer seeds than these have no interval. */
const fewestSeeds = 2;

/**
 * The predictions of a sweep file, their arms and quantities looked up. Throws a UserError with the place for what is not
 * there, and for arms whose seeds cannot be compared.
 *
 * @param locate the place in the file of a path, for people
 */
export function resolvePredictions(
  written: readonly WrittenPrediction[],
  sweep: PredictedArms,
  quantityProblem: QuantityProblem,
  locate: (at: readonly PropertyKey[]) => string,
): SweepPrediction[] {
  const ids = written.map(({ id }) => id);
  return written.map((own, i): SweepPrediction => {
    const refuse = (key: string, why: string): UserError =>
      new UserError(`${locate(['predictions', i, key])} predictions.${i}.${key}: ${why}`);
    if (ids.indexOf(own.id) < i)
      throw refuse('id', `there is a prediction ${own.id} already; name it otherwise`);
    const problem = quantityProblem(own.quantity, sweep.design);
    if (problem !== null) throw refuse('quantity', problem);
    const contrast = own.trend === undefined ? difference(own, sweep, refuse) : trend(own, sweep, refuse);
    const key = own.trend === undefined ? 'arm' : 'trend';
    if (own.paired) requirePairs(contrast, sweep, (why) => refuse(key, why));
    const { id, quantity, paired, predicted, band = null, because } = own;
    return { id, quantity, contrast, paired, predicted, band, because };
  });
}

type Refuse = (key: string, why: string) => UserError;

function difference(
  { arm, minus }: WrittenPrediction,
  { arms }: PredictedArms,
  refuse: Refuse,
): SweepContrast {
  const names = arms.map(({ name }) => name);
  for (const [key, name] of [
    ['arm', arm!],
    ['minus', minus!],
  ] as const) {
    if (!names.includes(name)) throw refuse(key, unknownArm(name, names));
  }
  return { kind: 'difference', arm: arm!, minus: minus! };
}

function unknownArm(name: string, names: readonly string[]): string {
  const near = nearest(name, names);
  const shown = names.length > 12 ? `${names.slice(0, 12).join(', ')}, ...` : names.join(', ');
  return `there is no arm ${name}${near === null ? '' : `; did you mean ${near}?`}; the arms are ${shown}`;
}

function trend(
  { trend: key, arms: patterns, scale }: WrittenPrediction,
  { arms, axes }: PredictedArms,
  refuse: Refuse,
): SweepContrast {
  const matching = (pattern: string): PredictedArm[] => {
    const parts = pattern.split('*').map((part) => part.replaceAll(/[.\\+?^${}()|[\]]/g, '\\$&'));
    const expression = new RegExp(`^${parts.join('.*')}$`);
    return arms.filter(({ name }) => expression.test(name));
  };
  const empty = patterns.find((pattern) => matching(pattern).length === 0);
  if (empty !== undefined) {
    throw refuse(
      'arms',
      unknownArm(
        empty,
        arms.map(({ name }) => name),
      ),
    );
  }
  const chosen = arms.filter((arm) => patterns.some((pattern) => matching(pattern).includes(arm)));
  const own = scale ?? axes.find((axis) => axis.key === key)?.scale ?? 'linear';
  const places = chosen.map(({ name, config }) => {
    const at = valueAt(config, key!);
    if (typeof at !== 'number')
      throw refuse('trend', `${key} is no number in arm ${name}; give the key of one`);
    if (own === 'log' && at <= 0) {
      throw refuse(
        'trend',
        `${key} is ${at} in arm ${name}: a log scale takes values above 0; add scale: linear`,
      );
    }
    return { arm: name, at };
  });
  const different = new Set(places.map(({ at }) => at)).size;
  if (different < fewestOfTrend) {
    throw refuse(
      'trend',
      `${key} has ${different} different value${different === 1 ? '' : 's'} in these arms, and a trend needs ${fewestOfTrend}`,
    );
  }
  return { kind: 'trend', key: key!, scale: own, arms: places };
}

function valueAt(config: unknown, key: string): unknown {
  let value = config;
  for (const part of key.split('.')) {
    value = isRecord(value) || Array.isArray(value) ? Reflect.get(value, part) : undefined;
  }
  return value;
}

/** Arms are compared seed by seed: they must have seeds in common, and the same data for each. */
function requirePairs(
  contrast: SweepContrast,
  { arms }: PredictedArms,
  refuse: (why: string) => UserError,
): void {
  const names = armsOfContrast(contrast);
  const own = arms.filter(({ name }) => names.includes(name));
  const [first] = own;
  const data = ({ config }: PredictedArm): string =>
    hashConfig({ experiment: config.experiment, data: config.data });
  const other = own.find((arm) => data(arm) !== data(first!));
  if (other !== undefined) {
    throw refuse(
      `the arms ${first!.name} and ${other.name} have different data, so that a seed of one is not the same seed of the other; add paired: false, or give them the same data`,
    );
  }
  const common = first!.seeds.filter((seed) => own.every(({ seeds }) => seeds.includes(seed)));
  if (common.length < fewestSeeds) {
    throw refuse(
      `the arms ${names.join(', ')} have ${common.length === 1 ? '1 seed' : 'no seed'} in common, and an interval needs ${fewestSeeds}; give them the same seeds, or paired: false`,
    );
  }
}
