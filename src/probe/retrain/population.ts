import { parseGroupName } from '../../../data/design.js';
import { UserError } from '../../../data/errors.js';
import type { ExampleSet } from '../../../data/experiment.js';
import type { RandomStream } from '../../../data/random/streams.js';
import { rolesOf, type RunPlan } from '../../run/plan.js';

/** The definition of a variable that a stage trains on. */
export interface StageDefinition {
  readonly subset: string;
  readonly variable: number;
  /** Rows of the stage's training set that state it. */
  readonly rows: Int32Array;
}

/** A variable that questions are asked about. */
export interface AskedVariable {
  readonly subset: string;
  readonly variable: number;
  /** Number of the test set. */
  readonly set: number;
  /** `[question]` rows of that test set; as many for every variable. */
  readonly rows: Int32Array;
}

/** What is retrained, and what it is asked. */
export interface RetrainPopulation {
  /** Number of the stage that is trained again. */
  readonly stage: number;
  /** Every definition of a new variable in it. */
  readonly definitions: readonly StageDefinition[];
  /** Variables chosen of each subset: their definitions are dropped one by one, and questions are about them. */
  readonly asked: readonly AskedVariable[];
  /** Questions about each. */
  readonly questions: number;
}

/**
 * Finds the definitions of new variables of a run of one seed and chooses variables to ask about.
 *
 * @param most variables of each subset
 * @param mostQuestions questions about each variable
 * @param random for the choice
 * @throws UserError for a run that has no stage of new variables of its own, or no questions about them
 */
export function retrainPopulation(
  plan: RunPlan,
  most: number,
  mostQuestions: number,
  random: RandomStream,
): RetrainPopulation {
  const { newDefinitions: stage, joint } = rolesOf(plan);
  if (stage === null || joint) {
    throw new UserError(
      stage === null
        ? 'no stage trains definitions of new variables, so that there is nothing to train again'
        : `stage ${plan.stages[stage]!.config.name} trains new variables together with the questions, or before them: there is ` +
            'no checkpoint to train them again from',
    );
  }
  const data = plan.data[0]!;
  const definitions = definitionsOf(plan.stages[stage]!.sets[0]!, data.groups);
  const chosen: AskedVariable[] = [];
  for (const subset of new Set(definitions.map((own) => own.subset))) {
    const set = data.tests.findIndex((test) => test.name === subset);
    if (set < 0) continue;
    const rows = rowsByVariable(data.tests[set]!.examples);
    const variables = definitions.flatMap((own) =>
      own.subset === subset && rows.has(own.variable) ? [own.variable] : [],
    );
    const order = Array.from(random.permutation(variables.length).subarray(0, most));
    for (const variable of order.map((i) => variables[i]!).toSorted((a, b) => a - b)) {
      const own = rows.get(variable)!;
      const shuffled = Int32Array.from(random.permutation(own.length), (i) => own[i]!);
      chosen.push({ subset, variable, set, rows: shuffled });
    }
  }
  const questions = Math.min(mostQuestions, ...chosen.map(({ rows }) => rows.length));
  if (chosen.length === 0 || questions === 0) {
    throw new UserError('there are no held-out questions about the variables of the stage');
  }
  return {
    stage,
    definitions,
    asked: chosen.map((own) => ({ ...own, rows: own.rows.subarray(0, questions) })),
    questions,
  };
}

function definitionsOf({ size, group, variable }: ExampleSet, groups: readonly string[]): StageDefinition[] {
  const found = new Map<number, { subset: string; rows: number[] }>();
  for (let row = 0; row < size; row++) {
    const { subset, kind } = parseGroupName(groups[group[row]!]!);
    if (kind !== 'definition') continue;
    const own = found.get(variable[row]!);
    if (own === undefined) found.set(variable[row]!, { subset, rows: [row] });
    else own.rows.push(row);
  }
  return Array.from(found, ([own, { subset, rows }]) => ({
    subset,
    variable: own,
    rows: Int32Array.from(rows),
  })).toSorted((a, b) => a.variable - b.variable);
}

function rowsByVariable({ size, variable }: ExampleSet): Map<number, number[]> {
  const rows = new Map<number, number[]>();
  for (let row = 0; row < size; row++) rows.set(variable[row]!, [...(rows.get(variable[row]!) ?? []), row]);
  return rows;
}
