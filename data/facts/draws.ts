import { UserError } from '../errors.js';
import { randomNames } from '../names.js';
import { PythonRandom } from '../random/python-random.js';
import { derangement } from '../splits.js';
import { splitStage1, splitStage2, type FactAssignment } from './assignment.js';
import { compareCodePoints } from './code-points.js';
import type { FactConfig } from './config.js';
import type { FactEntity } from './fact-set.js';
import { factSubsets, type FactSubsetName } from './fact-subsets.js';
import { drawHeldOut } from './question-split.js';

/** A variable and everything that is drawn for it. */
export interface FactVariable {
  /** As it is written: `<|lczgk|>`. */
  readonly name: string;
  /** Number of the entity that it stands for. */
  readonly entity: number;
  readonly subset: FactSubsetName;
  /** Number of the entity that its definition names; null for one without a definition. */
  readonly definedAs: number | null;
  /** Text of the tag of `qd4consis` definitions, each another; null for all others. */
  readonly randomTag: string | null;
  /** Places of the held-out questions among those of its entity; null where none is trained on and all are asked. */
  readonly heldOut: ReadonlySet<number> | null;
}

/** What is drawn for a seed, before any text is written. */
export interface FactDraws {
  /** In the order of their names; a variable's number is its place here. */
  readonly variables: readonly FactVariable[];
  /** `[entity]` numbers of the variables in the order in which their entities were shuffled. */
  readonly shuffled: readonly number[];
  /** Texts of the tags 1, 2 and 3. */
  readonly tags: readonly [string, string, string];
  /** Continues behind all draws: the published generator shuffles the training texts with it. */
  readonly random: PythonRandom;
}

interface Drawn {
  readonly name: string;
  readonly entity: number;
}

/** Letters of random names. */
export const variableLetters = 5;
export const tagLetters = 6;

/**
 * Draws names, subsets, tags, wrong definitions and held-out questions in the order of the published generator, from one
 * Python generator; what divides the stage-2 group has one of its own, seeded by `seedStage2`.
 *
 * Entities are shuffled and variables named; the list is cut into subsets; three tags are drawn (a configured text replaces
 * its draw, and moves no other); the entities of `qd2incons`, then of `qd1incons`, are deranged; each definition of
 * `qd4consis` gets its tag; then, subset by subset, questions are held out (the published generator leaves that to a
 * library).
 *
 * @param entities in the order of their names
 * @throws UserError for a subset that should have entities and gets none, or too few to be deranged
 */
export function drawFacts(entities: readonly FactEntity[], config: FactConfig, seed: number): FactDraws {
  const random = new PythonRandom(seed);
  const { brackets } = config;
  const order = entities.map((_, entity) => entity);
  random.shuffle(order);
  const names = randomNames(entities.length, variableLetters, random, { brackets });
  const drawn = order.map((entity, i): Drawn => ({ entity, name: names[i]! }));

  const { subsets: trained, stage2 } = splitStage1(drawn, config);
  const group = stage2.toSorted((a, b) => a.entity - b.entity);
  new PythonRandom(config.seedStage2).shuffle(group);
  const assignment: FactAssignment<Drawn> = new Map([
    ...trained,
    ...splitStage2(group, config, entities.length),
  ]);
  const members = (subset: FactSubsetName): readonly Drawn[] => assignment.get(subset) ?? [];

  const drawTag = (): string => randomNames(1, tagLetters, random, { brackets })[0]!;
  const tags = [drawTag(), drawTag(), drawTag()] as const;
  const wrong = new Map<Drawn, number>();
  for (const subset of ['qd2incons', 'qd1incons'] as const) {
    for (const [own, entity] of derangedEntities(subset, members(subset), random)) wrong.set(own, entity);
  }
  const randomTags = new Map(members('qd4consis').map((own) => [own, drawTag()]));
  const heldOut = new Map<Drawn, ReadonlySet<number>>();
  for (const [subset, own] of trained) {
    if (!factSubsets[subset].trainsQuestions) continue;
    const ordered = own.toSorted(byName);
    const counts = ordered.map(({ entity }) => entities[entity]!.facts.length);
    drawHeldOut(counts, config.testShare, random).forEach((places, i) => heldOut.set(ordered[i]!, places));
  }

  const subsetOf = new Map(
    [...assignment].flatMap(([subset, own]) => own.map((one) => [one, subset] as const)),
  );
  const ordered = drawn.filter((own) => subsetOf.has(own)).sort(byName);
  const numberOf = new Map(ordered.map((own, number) => [own, number]));
  return {
    variables: ordered.map((own) => {
      const subset = subsetOf.get(own)!;
      return {
        ...own,
        subset,
        definedAs: factSubsets[subset].tag === null ? null : (wrong.get(own) ?? own.entity),
        randomTag: randomTags.get(own) ?? null,
        heldOut: heldOut.get(own) ?? null,
      };
    }),
    shuffled: drawn.flatMap((own) => numberOf.get(own) ?? []),
    tags: [config.tags.reliable ?? tags[0], config.tags.unreliable ?? tags[1], config.tags.new ?? tags[2]],
    random,
  };
}

/** Exchanges the tags of d1consis and d2consis, and with them the names of the subsets; everything else stays. */
export function exchangeFactTags(draws: FactDraws): FactDraws {
  const other: Partial<Record<FactSubsetName, FactSubsetName>> = {
    d1consis: 'd2consis',
    d2consis: 'd1consis',
  };
  for (const subset of ['d1consis', 'd2consis'] as const) {
    if (draws.variables.every((own) => own.subset !== subset)) {
      throw new UserError(`tagExchange: ${subset} has no entities (data.fractions)`);
    }
  }
  return {
    ...draws,
    variables: draws.variables.map((own) => ({ ...own, subset: other[own.subset] ?? own.subset })),
  };
}

/** Why the tags of the two sets of new variables cannot be exchanged, or null. */
export function factExchangeProblem({ fractions, definitions }: FactConfig): string | null {
  if (definitions === 'inContext') return 'definitions in context are not trained on (data.definitions)';
  const missing = (['d1consis', 'd2consis'] as const).filter((subset) => fractions[subset] === 0);
  return missing.length === 0
    ? null
    : `${missing.join(' and ')} ${missing.length === 1 ? 'has' : 'have'} no entities (data.fractions)`;
}

/** Each variable with the entity of another one; every one is used once. */
function derangedEntities(
  subset: FactSubsetName,
  members: readonly Drawn[],
  random: PythonRandom,
): [Drawn, number][] {
  if (members.length === 1) {
    throw new UserError(
      `${subset} has a single entity, and its definition must name another one of the subset: raise data.entities or ` +
        'its share, or make the share 0',
    );
  }
  const shuffled = members.toSorted((a, b) => a.entity - b.entity);
  random.shuffle(shuffled);
  const to = derangement(shuffled.length, random);
  return shuffled.map((own, i) => [own, shuffled[to[i]!]!.entity]);
}

function byName(a: Drawn, b: Drawn): number {
  return compareCodePoints(a.name, b.name);
}
