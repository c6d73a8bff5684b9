import { UserError } from '../../data/errors.js';
import { stageRoles } from '../../data/stage-roles.js';
import type { RunInfo } from '../store/run-info.js';

type Stages = Pick<RunInfo, 'seed' | 'stages' | 'design'>;

/** The stage at whose end X1 counts as learnt, see `stageRoles`. Throws a UserError where no stage trains questions. */
export function questionStage(info: Stages): RunInfo['stages'][number] {
  const { questions } = stageRoles(info);
  if (questions === null) throw new UserError(`run of seed ${info.seed}: no stage trains questions`);
  return info.stages[questions]!;
}

/** Updates of the run when the stage with questions ends. */
export function endOfQuestions(info: Stages): number {
  const { firstStep, steps } = questionStage(info);
  return firstStep + steps;
}

/** Whether new variables have been trained on when the stage with questions ends: joint training, above all. */
export function newAreTrained(info: Pick<RunInfo, 'stages' | 'design'>): boolean {
  return stageRoles(info).joint;
}
