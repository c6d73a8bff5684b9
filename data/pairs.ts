import { parseGroupName } from './design.js';
import { UserError } from './errors.js';
import type { ExampleSet } from './experiment.js';
import type { RandomStream } from './random/streams.js';

/**
 * Definition-question pairs of a training set: matched where both are about one variable, mismatched otherwise. Two rows of a
 * pair meet where they share a minibatch.
 */

type Rows = Pick<ExampleSet, 'group' | 'variable'>;

/** Definitions and questions among some rows, and the pairs of them. */
export interface PairCounts {
  readonly definitions: number;
  readonly questions: number;
  /** Pairs of a definition and a question about its variable; all others of `definitions * questions` are mismatched. */
  readonly matched: number;
}

/**
 * Counts the definitions, questions and matched pairs among rows of a training set.
 *
 * @param groups names of the groups, in the order of `set.group`
 */
export function pairCounter(
  { group, variable }: Rows,
  groups: readonly string[],
): (rows: Iterable<number>) => PairCounts {
  const isQuestion = groups.map((name) => parseGroupName(name).kind === 'qa');
  return (rows) => {
    const definitionsOf = new Map<number, number>();
    const asked: number[] = [];
    let definitions = 0;
    for (const row of rows) {
      const own = variable[row]!;
      if (isQuestion[group[row]!]) asked.push(own);
      else {
        definitions++;
        definitionsOf.set(own, (definitionsOf.get(own) ?? 0) + 1);
      }
    }
    const matched = asked.reduce((sum, own) => sum + (definitionsOf.get(own) ?? 0), 0);
    return { definitions, questions: asked.length, matched };
  };
}

/** A definition and questions, rows of a training set. */
export interface PairUnit {
  readonly definition: number;
  readonly questions: readonly number[];
}

/**
 * The variables of a training set that have a definition and questions, each with its rows, in the order of their
 * definitions. Throws a UserError, one line, where there is none, and where they do not have one definition and as many
 * questions each: the law of a composition takes that.
 *
 * @param groups names of the groups, in the order of `set.group`
 */
export function pairUnits({ group, variable }: Rows, groups: readonly string[]): PairUnit[] {
  const kinds = groups.map((name) => parseGroupName(name).kind);
  const byVariable = new Map<number, { definitions: number[]; questions: number[] }>();
  variable.forEach((own, row) => {
    const unit = byVariable.get(own) ?? { definitions: [], questions: [] };
    byVariable.set(own, unit);
    unit[kinds[group[row]!] === 'qa' ? 'questions' : 'definitions'].push(row);
  });
  const paired = [...byVariable.values()].filter(
    ({ definitions, questions }) => definitions.length > 0 && questions.length > 0,
  );
  const [first] = paired;
  if (first === undefined) throw new UserError('none of its variables has both a definition and a question');
  const differing = paired.find(
    ({ definitions, questions }) => definitions.length !== 1 || questions.length !== first.questions.length,
  );
  if (differing !== undefined) {
    throw new UserError(
      `a variable has ${differing.definitions.length} definitions and ${differing.questions.length} questions, and the ` +
        `first one 1 and ${first.questions.length}: every one must have one definition and as many questions`,
    );
  }
  return paired
    .map(({ definitions, questions }) => ({ definition: definitions[0]!, questions }))
    .sort((a, b) => a.definition - b.definition);
}

/**
 * The units with the questions of other variables: a derangement among those whose definitions are of one group, and whose
 * questions are, every one equally likely. Throws a UserError where a group has a single variable.
 *
 * @param groups names of the groups, in the order of `set.group`
 */
export function mismatchedUnits(
  units: readonly PairUnit[],
  { group }: Pick<Rows, 'group'>,
  groups: readonly string[],
  random: RandomStream,
): PairUnit[] {
  const strata = new Map<string, PairUnit[]>();
  for (const unit of units) {
    const key = `${groups[group[unit.definition]!]} ${groups[group[unit.questions[0]!]!]}`;
    strata.set(key, [...(strata.get(key) ?? []), unit]);
  }
  const partner = new Map<PairUnit, PairUnit>();
  for (const [key, own] of strata) {
    if (own.length === 1) {
      throw new UserError(`mismatched pairs need a second variable in every subset (${key} have one)`);
    }
    let order = random.permutation(own.length);
    while (order.some((to, from) => to === from)) order = random.permutation(own.length);
    own.forEach((unit, i) => partner.set(unit, own[order[i]!]!));
  }
  return units.map((unit) => ({
    definition: unit.definition,
    questions: partner.get(unit)!.questions,
  }));
}

/**
 * `[row]` number of the unit that a row is in; below 0, each another number, for rows that are in none. As the variables of a
 * set, they make {@link pairCounter} count the pairs that units assign.
 */
export function unitOfRows(units: readonly PairUnit[], size: number): Int32Array {
  const unitOf = Int32Array.from({ length: size }, (_, row) => -1 - row);
  units.forEach(({ definition, questions }, unit) => {
    for (const row of [definition, ...questions]) unitOf[row] = unit;
  });
  return unitOf;
}
