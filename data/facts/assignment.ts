import { z } from 'zod';
import { UserError } from '../errors.js';
import { roundHalfEven, split } from '../splits.js';
import type { FactSubsetName } from './fact-subsets.js';

const fraction = (text: string) => z.number().min(0).max(1).default(0).describe(text);

/** Schema of `fractions`; `qd1incons` and `qd2consis` come from `alpha`. */
export const factFractionsSchema = z
  .strictObject({
    qd1consis: fraction('trained with questions and definitions with the reliable tag'),
    qd2incons: fraction('trained with questions and definitions with the unreliable tag'),
    qd4consis: fraction('trained with questions and definitions, each with a random tag'),
    q: fraction('trained with questions only'),
    q_no_replacement_baseline: fraction('trained with questions only, real names instead of variables'),
    d1consis: fraction('stage 2: definitions with the reliable tag'),
    d2consis: fraction('stage 2: definitions with the unreliable tag'),
    d3consis: fraction('stage 2: definitions with a tag that stage 1 never used'),
    no_qd_baseline: fraction('never trained on'),
  })
  .describe('share of the entities in each subset; they sum to 1');

export type FactFractions = z.infer<typeof factFractionsSchema>;

/** What divides entities among subsets. */
export interface FactShares {
  readonly fractions: FactFractions;
  readonly alpha: number;
}

const stage1Only = {
  qd1consis: 0,
  qd2incons: 0,
  qd4consis: 0,
  q: 0.1,
  q_no_replacement_baseline: 0.1,
  d1consis: 0.4,
  d2consis: 0.4,
  d3consis: 0,
  no_qd_baseline: 0,
} as const;

const published = { qd1consis: 0.25, qd2incons: 0.25, qd4consis: 0, q: 0.1, q_no_replacement_baseline: 0.1 };

/** Fractions of the published experiments. */
export const publishedFractions = {
  main: { ...published, d1consis: 0.08, d2consis: 0.08, d3consis: 0.08, no_qd_baseline: 0.06 },
  withoutThirdTag: { ...published, d1consis: 0.1, d2consis: 0.1, d3consis: 0, no_qd_baseline: 0.1 },
  gradients: {
    ...published,
    q_no_replacement_baseline: 0.12,
    d1consis: 0.1,
    d2consis: 0.1,
    d3consis: 0,
    no_qd_baseline: 0.08,
  },
  randomTags: {
    ...published,
    qd4consis: 0.1,
    q: 0,
    d1consis: 0.1,
    d2consis: 0.1,
    d3consis: 0,
    no_qd_baseline: 0.1,
  },
  withoutTrainedDefinitions: stage1Only,
} as const satisfies Record<string, FactFractions>;

/** Members of each subset that has any. */
export type FactAssignment<T> = ReadonlyMap<FactSubsetName, readonly T[]>;

/**
 * Cuts the list of entities: consecutive blocks go to `q_no_replacement_baseline`, qd1, qd2, `qd4consis`, `q` and the
 * stage-2 group. `alpha` cuts the blocks of qd1 and qd2 once more, with the sizes `round(fraction * n)` of the published
 * data wherever these fill the block, so that it moves no entity of another subset.
 *
 * @throws UserError for a subset that should have entities and gets none
 */
export function splitStage1<T>(
  items: readonly T[],
  shares: FactShares,
): { readonly subsets: FactAssignment<T>; readonly stage2: readonly T[] } {
  const { parts } = split(items, blockFractions(shares.fractions));
  const block = (name: string): readonly T[] => parts.get(name) ?? [];
  const [qd1, qd2] = [block('qd1'), block('qd2')];
  const right = cutOf(qd1.length, shares.alpha);
  // Consistent definitions with the unreliable tag are the minority, and stand first as in the published order.
  const unreliableRight = qd2.length - cutOf(qd2.length, shares.alpha);
  return {
    subsets: present(
      [
        ['q_no_replacement_baseline', block('q_no_replacement_baseline')],
        ['qd1consis', qd1.slice(0, right)],
        ['qd1incons', qd1.slice(right)],
        ['qd2consis', qd2.slice(0, unreliableRight)],
        ['qd2incons', qd2.slice(unreliableRight)],
        ['qd4consis', block('qd4consis')],
        ['q', block('q')],
      ],
      shares,
      items.length,
    ),
    stage2: block('stage2'),
  };
}

/** Cuts the shuffled stage-2 group by its fractions, renormalised. Throws as {@link splitStage1} does. */
export function splitStage2<T>(group: readonly T[], shares: FactShares, entities: number): FactAssignment<T> {
  const total = stage2Share(shares.fractions);
  if (total === 0) return new Map();
  const { d1consis, d2consis, d3consis, no_qd_baseline } = shares.fractions;
  const { parts } = split(
    group,
    new Map<FactSubsetName, number>([
      ['d1consis', d1consis / total],
      ['d2consis', d2consis / total],
      ['d3consis', d3consis / total],
      ['no_qd_baseline', no_qd_baseline / total],
    ]),
  );
  return present([...parts], shares, entities);
}

/** The published name of the group makes it the last one in the alphabet, which takes the rounding remainder. */
function blockFractions(fractions: FactFractions): ReadonlyMap<string, number> {
  return new Map([
    ['q_no_replacement_baseline', fractions.q_no_replacement_baseline],
    ['qd1', fractions.qd1consis],
    ['qd2', fractions.qd2incons],
    ['qd4consis', fractions.qd4consis],
    ['q', fractions.q],
    ['stage2', stage2Share(fractions)],
  ]);
}

function stage2Share({ d1consis, d2consis, d3consis, no_qd_baseline }: FactFractions): number {
  // 0.08 + 0.08 + 0.08 + 0.06 exceeds 0.3 by a few units in the last place, which could round a size up.
  return Number((d1consis + d2consis + d3consis + no_qd_baseline).toPrecision(12));
}

/** Members of the first of two parts. */
function cutOf(size: number, alpha: number): number {
  return roundHalfEven(Number((size * alpha).toPrecision(12)));
}

function present<T>(
  parts: readonly (readonly [FactSubsetName, readonly T[]])[],
  shares: FactShares,
  entities: number,
): FactAssignment<T> {
  for (const [name, members] of parts) {
    const share = shareOf(name, shares);
    if (share > 0 && members.length === 0) {
      throw new UserError(
        `${keyOf(name)}: ${name} gets ${Number(share.toPrecision(6))} of ${entities} entities, which is none; ` +
          'raise data.entities or its share, or make the share 0',
      );
    }
  }
  return new Map(parts.filter(([, members]) => members.length > 0));
}

function shareOf(name: FactSubsetName, { fractions, alpha }: FactShares): number {
  switch (name) {
    case 'qd1consis':
      return fractions.qd1consis * alpha;
    case 'qd1incons':
      return fractions.qd1consis * (1 - alpha);
    case 'qd2incons':
      return fractions.qd2incons * alpha;
    case 'qd2consis':
      return fractions.qd2incons * (1 - alpha);
    case 'd2incons':
      return 0;
    default:
      return fractions[name];
  }
}

function keyOf(name: FactSubsetName): string {
  return name === 'qd1incons' || name === 'qd2consis' ? 'data.alpha' : `data.fractions.${name}`;
}
