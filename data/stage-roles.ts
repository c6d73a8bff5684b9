import { subsetOf, type Design } from './design.js';
import { UserError } from './errors.js';
import { designOf } from './internalization-design.js';
import { selectsRows } from './train-subsets.js';

/** What is known of a stage of training, from a config or from `run.json`. */
export interface StageContent {
  /** A {@link TrainSubset}. */
  readonly trainOn: string;
  /** Examples of each group in its training set; without it, what `trainOn` names is taken. */
  readonly groups?: readonly { readonly group: string; readonly examples: number }[] | undefined;
}

/** Which stages train what, as indices into the list of stages. */
export interface StageRoles {
  /**
   * The stage at whose end X1 counts as learnt: the last one with questions before the stage with definitions of new
   * variables, or the last one with questions where there is none before; null where no stage trains questions.
   */
  readonly questions: number | null;
  /** The first stage with definitions of new variables (X2); null where no stage has any. */
  readonly newDefinitions: number | null;
  /**
   * Whether new variables are trained on when the stage with questions ends: in it (joint training) or before it. What
   * is measured there of "new" variables is then no measurement before their training.
   */
  readonly joint: boolean;
}

/** The stages of a run in their order, and its design: a plan, or what `run.json` says. */
export interface StagedRun {
  readonly stages: readonly StageContent[];
  readonly design?: Design | undefined;
}

/** The roles of the stages of a run. */
export function stageRoles(run: StagedRun): StageRoles {
  const { stages } = run;
  const design = designOf(run);
  const asking = stages.flatMap((stage, i) => (holds(stage, design, 'X1', 'qa') ? [i] : []));
  const defining = stages.flatMap((stage, i) => (holds(stage, design, 'X2', 'definition') ? [i] : []));
  const newDefinitions = defining[0] ?? null;
  const before = asking.filter((i) => newDefinitions === null || i < newDefinitions);
  const questions = before.at(-1) ?? asking.at(-1) ?? null;
  return {
    questions,
    newDefinitions,
    joint: questions !== null && newDefinitions !== null && newDefinitions <= questions,
  };
}

/** The stage at whose end X1 counts as learnt, see {@link StageRoles}. Throws a UserError where no stage trains questions. */
export function questionStage<Stage extends StageContent>(run: {
  readonly seed: number;
  readonly stages: readonly Stage[];
  readonly design?: Design | undefined;
}): Stage {
  const { questions } = stageRoles(run);
  if (questions === null) throw new UserError(`run of seed ${run.seed}: no stage trains questions`);
  return run.stages[questions]!;
}

/** Updates of the run when that stage ends. Throws as {@link questionStage}. */
export function endOfQuestions(
  run: Parameters<
    typeof questionStage<StageContent & { readonly firstStep: number; readonly steps: number }>
  >[0],
): number {
  const { firstStep, steps } = questionStage(run);
  return firstStep + steps;
}

/** Whether a stage trains rows of a part and kind: questions about X1, or definitions of X2. */
function holds(
  { trainOn, groups }: StageContent,
  design: Design,
  part: 'X1' | 'X2',
  kind: 'qa' | 'definition',
): boolean {
  if (groups === undefined) return selectsRows(trainOn, part, kind);
  return groups.some(({ group, examples }) => {
    const [subset = '', own] = group.split('/');
    return examples > 0 && own === kind && subsetOf(design, subset)?.part === part;
  });
}
