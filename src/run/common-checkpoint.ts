import fs from 'node:fs';
import { UserError } from '../../data/errors.js';
import { streamPath } from '../store/table-paths.js';
import { readFittingCheckpoint } from './checkpoint-fit.js';
import { checkpointPath } from '../store/checkpoint-path.js';
import { checkpointSteps, readCheckpoint, type Checkpoint } from './checkpoint.js';
import { endsAt } from './places.js';
import type { RunPlan } from './plan.js';
import type { SiblingRun } from './siblings.js';

/** Where runs that train together go on. */
export interface CommonCheckpoint {
  /** Of each run. */
  readonly checkpoints: readonly Checkpoint[];
  /** Why later checkpoints are not used. */
  readonly problems: readonly string[];
}

/** Steps of the checkpoints, one of each run, from which the runs can go on in step. */
type Moment = readonly number[];

/**
 * The last checkpoint that all runs have, that can be read and whose tables are there: they may have died while writing
 * theirs one after the other, and a file may have been damaged since. Where stages may end early, what they have in common is
 * the update of a stage, or, of runs that had ended the stage by then, its end.
 *
 * @param members in the order of the plan's seeds
 * @throws UserError that names what is wrong with the last one when there is none
 */
export function lastCommonCheckpoint(plan: RunPlan, members: readonly SiblingRun[]): CommonCheckpoint {
  const isStopping = plan.stages.some(({ config }) => config.stop !== null);
  const problems: string[] = [];
  const moments = isStopping ? momentsOfStages(plan, members, problems) : momentsOfSteps(members);
  for (const steps of moments) {
    try {
      const checkpoints = members.map((member, replica) => {
        const { folder, info } = member;
        const checkpoint = readFittingCheckpoint(plan, replica, folder, steps[replica]!, info.configHash);
        requireTables(folder, checkpoint);
        return checkpoint;
      });
      return { checkpoints, problems };
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      problems.push(error.message);
    }
  }
  const names = members.map(({ folder }) => folder).join(', ');
  throw new UserError(
    problems[0] === undefined
      ? `${names}: there is no checkpoint that these runs have in common`
      : `${problems[0]}; no checkpoint before it can be used; begin anew with --existing overwrite`,
  );
}

/** Steps that all runs have a checkpoint of, the last one first. */
function momentsOfSteps(members: readonly SiblingRun[]): Moment[] {
  const steps = members.map(({ folder }) => new Set(checkpointSteps(folder)));
  const common = [...steps[0]!].filter((step) => steps.every((own) => own.has(step)));
  return common.reverse().map((step) => members.map(() => step));
}

/**
 * Updates of stages that all runs have a checkpoint of, or are past with one of the stage's end, the last one first.
 *
 * @param problems that reading them meets are added
 */
function momentsOfStages(plan: RunPlan, members: readonly SiblingRun[], problems: string[]): Moment[] {
  const all = members.map(({ folder }) =>
    checkpointSteps(folder).flatMap((step) => {
      try {
        const { position, ends } = readCheckpoint(folder, step);
        return [{ ...position, ended: endsAt(position, plan.stages, ends).length }];
      } catch (error) {
        if (!(error instanceof UserError)) throw error;
        problems.push(error.message);
        return [];
      }
    }),
  );
  const places = all.flat().toSorted((a, b) => b.stage - a.stage || b.stageStep - a.stageStep);
  return places.flatMap(({ stage, stageStep }): Moment[] => {
    const steps = all.map((own) => {
      const isHere = own.find((other) => other.stage === stage && other.stageStep === stageStep);
      const hasEnded = own.find(
        (other) =>
          other.ended === other.stage + 1 &&
          // The end of the stage before is the start of this one.
          (stageStep === 0
            ? other.stage === stage - 1
            : other.stage === stage && other.stageStep <= stageStep),
      );
      return (isHere ?? hasEnded)?.step;
    });
    return steps.every((step) => step !== undefined) ? [steps] : [];
  });
}

function requireTables(folder: string, checkpoint: Checkpoint): void {
  for (const [name, length] of Object.entries(checkpoint.tables)) {
    const path = streamPath(folder, name);
    const size = fs.statSync(path, { throwIfNoEntry: false })?.size ?? 0;
    if (size >= length) continue;
    const file = checkpointPath(folder, checkpoint.position.step);
    throw new UserError(`${file}: needs ${length} bytes of ${path}, which has ${size}`);
  }
}
