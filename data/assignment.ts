import { z } from 'zod';
import { UserError } from './errors.js';
import { PythonRandom } from './random/python-random.js';
import { roundHalfEven, split } from './splits.js';
import type { SubsetName } from './subsets.js';

/** Subsets whose share of the variables is configured; `qd1incons` and `qd2consis` come from `alpha`. */
const fractionKeys = [
  'qd1consis',
  'qd2incons',
  'q',
  'd1consis',
  'd2consis',
  'd3consis',
  'no_qd_baseline',
] as const;

export type FractionKey = (typeof fractionKeys)[number];

/** What divides the variables of an experiment among the subsets. */
export interface AssignmentConfig {
  readonly variables: number;
  readonly fractions: Readonly<Record<FractionKey, number>>;
  readonly alpha: number;
  readonly seedStage2: number;
}

const fraction = (text: string) => z.number().min(0).max(1).default(0).describe(text);

/** Schema of `fractions`. */
export const fractionsSchema = z
  .strictObject({
    qd1consis: fraction('trained with questions and definitions with the reliable tag'),
    qd2incons: fraction('trained with questions and definitions with the unreliable tag'),
    q: fraction('trained with questions only'),
    d1consis: fraction('stage 2: definitions with the reliable tag'),
    d2consis: fraction('stage 2: definitions with the unreliable tag'),
    d3consis: fraction('stage 2: definitions with a tag that stage 1 never used'),
    no_qd_baseline: fraction('never trained on'),
  })
  .describe('share of the variables in each subset; they sum to 1');

/** Schema of `alpha`. */
export const alphaSchema = z
  .number()
  .min(0)
  .max(1)
  .default(1)
  .describe(
    'correlation of tag and consistency: the share alpha of the reliable-tag definitions in stage 1 is right ' +
      '(the others form qd1incons) and the share alpha of the unreliable-tag ones is wrong (the others: qd2consis)',
  );

/** Schema of `seedStage2`. */
export const seedStage2Schema = z
  .int()
  .min(0)
  .default(0)
  .describe('seed that divides the stage-2 variables among d1consis, d2consis and d3consis');

/** Variables of each subset that has any, in increasing order. */
export type Assignment = ReadonlyMap<SubsetName, readonly number[]>;

/**
 * Divides the variables 0 .. variables-1 among the subsets. Consecutive blocks go to qd1, qd2, `q`, the stage-2 group
 * and `no_qd_baseline`; the group is shuffled with a generator of its own, seeded by `seedStage2`, and divided into
 * d1consis, d2consis and d3consis. `alpha` divides the blocks of qd1 and qd2 and leaves all others alone, so that runs
 * of different alpha and the same seed have the same stage 2.
 *
 * Throws a UserError for a subset that should have variables and gets none.
 */
export function assignSubsets(config: AssignmentConfig): Assignment {
  const { variables, fractions, alpha, seedStage2 } = config;
  const stage2Fraction = fractions.d1consis + fractions.d2consis + fractions.d3consis;
  const all = Array.from({ length: variables }, (_, i) => i);
  const { parts: blocks } = split(
    all,
    new Map([
      ['qd1', fractions.qd1consis],
      ['qd2', fractions.qd2incons],
      ['q', fractions.q],
      ['stage2', stage2Fraction],
      ['no_qd_baseline', fractions.no_qd_baseline],
    ]),
  );
  const block = (name: string) => blocks.get(name) ?? [];
  const [qd1consis, qd1incons] = cut(block('qd1'), alpha);
  const [qd2incons, qd2consis] = cut(block('qd2'), alpha);
  const stage2 = splitStage2(block('stage2'), config, stage2Fraction, seedStage2);

  const wanted: readonly [SubsetName, number, readonly number[]][] = [
    ['qd1consis', fractions.qd1consis * alpha, qd1consis],
    ['qd2incons', fractions.qd2incons * alpha, qd2incons],
    ['qd1incons', fractions.qd1consis * (1 - alpha), qd1incons],
    ['qd2consis', fractions.qd2incons * (1 - alpha), qd2consis],
    ['q', fractions.q, block('q')],
    ['d1consis', fractions.d1consis, stage2('d1consis')],
    ['d2consis', fractions.d2consis, stage2('d2consis')],
    ['d3consis', fractions.d3consis, stage2('d3consis')],
    ['no_qd_baseline', fractions.no_qd_baseline, block('no_qd_baseline')],
  ];
  for (const [name, share, members] of wanted) {
    if (share > 0 && members.length === 0) {
      const key = name === 'qd1incons' || name === 'qd2consis' ? 'data.alpha' : `data.fractions.${name}`;
      throw new UserError(
        `${key}: ${name} gets ${Number(share.toPrecision(6))} of ${variables} variables, which is none; ` +
          'raise data.variables or its share, or make the share 0',
      );
    }
  }
  return new Map(wanted.flatMap(([name, , members]) => (members.length > 0 ? [[name, members]] : [])));
}

/** The two subsets of new variables whose tags are exchanged. */
const exchanged = ['d1consis', 'd2consis'] as const satisfies readonly FractionKey[];

/** Why the tags of the two sets of new variables cannot be exchanged, or null. */
export function exchangeProblem({ fractions }: Pick<AssignmentConfig, 'fractions'>): string | null {
  const missing = exchanged.filter((subset) => fractions[subset] === 0);
  return missing.length === 0
    ? null
    : `${missing.join(' and ')} ${missing.length === 1 ? 'has' : 'have'} no variables (data.fractions)`;
}

/**
 * The assignment with d1consis and d2consis exchanged: their variables keep everything but the tag of their
 * definitions. Averaged over both, a difference between the tags holds no difference between the two sets of variables.
 *
 * @throws UserError when one of the two has no variables
 */
export function exchangeTags(assignment: Assignment): Assignment {
  const [first, second] = exchanged.map((subset) => assignment.get(subset));
  if (first === undefined || second === undefined)
    throw new UserError(`tagExchange: ${exchanged.join(' and ')} must both have variables`);
  return new Map(
    Array.from(assignment, ([subset, members]) => {
      if (subset === exchanged[0]) return [subset, second];
      return [subset, subset === exchanged[1] ? first : members];
    }),
  );
}

function cut(block: readonly number[], share: number): [readonly number[], readonly number[]] {
  const size = roundHalfEven(block.length * share);
  return [block.slice(0, size), block.slice(size)];
}

function splitStage2(
  group: readonly number[],
  { fractions }: AssignmentConfig,
  total: number,
  seed: number,
): (name: SubsetName) => readonly number[] {
  if (total === 0) return () => [];
  const shuffled = group.slice();
  new PythonRandom(seed).shuffle(shuffled);
  const { parts } = split(
    shuffled,
    new Map<SubsetName, number>([
      ['d1consis', fractions.d1consis / total],
      ['d2consis', fractions.d2consis / total],
      ['d3consis', fractions.d3consis / total],
    ]),
  );
  return (name) => (parts.get(name) ?? []).toSorted((a, b) => a - b);
}
