import type { TrainSubset } from './experiment.js';
import { groupName, isSubsetName, subsets } from './subsets.js';
import { trainsOn } from './train-subsets.js';

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

/** The roles of the stages of a run. */
export function stageRoles(stages: readonly StageContent[]): StageRoles {
  const asking = stages.flatMap((stage, i) => (trainsQuestions(stage) ? [i] : []));
  const defining = stages.flatMap((stage, i) => (trainsNewDefinitions(stage) ? [i] : []));
  const newDefinitions = defining[0] ?? null;
  const before = asking.filter((i) => newDefinitions === null || i < newDefinitions);
  const questions = before.at(-1) ?? asking.at(-1) ?? null;
  return {
    questions,
    newDefinitions,
    joint: questions !== null && newDefinitions !== null && newDefinitions <= questions,
  };
}

/** Whether a stage trains questions about variables of X1. */
export function trainsQuestions(stage: StageContent): boolean {
  return holds(stage, 'X1', 'qa');
}

/** Whether a stage trains definitions of variables of X2, which have no trained question. */
export function trainsNewDefinitions(stage: StageContent): boolean {
  return holds(stage, 'X2', 'definition');
}

function holds({ trainOn, groups }: StageContent, part: 'X1' | 'X2', kind: 'qa' | 'definition'): boolean {
  if (groups !== undefined) {
    return groups.some(({ group, examples }) => {
      const [subset, own] = group.split('/');
      return examples > 0 && own === kind && isSubsetName(subset) && subsets[subset].part === part;
    });
  }
  return (
    isTrainSubset(trainOn) && trainsOn(trainOn, groupName(part === 'X1' ? 'qd1consis' : 'd1consis', kind))
  );
}

const trainSubsets: Readonly<Record<TrainSubset, true>> = {
  stage1: true,
  stage2: true,
  full: true,
  stage1_only_defns: true,
  stage1_only_qa: true,
  all_defns: true,
};

function isTrainSubset(text: string): text is TrainSubset {
  return Object.hasOwn(trainSubsets, text);
}
