import path from 'node:path';
import fs from 'node:fs';
import { UserError } from '../../data/errors.js';
import { isHalfOf } from '../store/exchanged-half.js';
import { readRunInfo } from '../store/run-folder.js';
import { exchangedSuffix, runInfoPath, type RunInfo } from '../store/run-info.js';
import { readFittingCheckpoint } from './checkpoint-fit.js';
import type { Checkpoint } from './checkpoint.js';
import { planRuns, startStep, type RunPlan } from './plan.js';
import { neighbours } from './siblings.js';

/** Folder of the exchanged half of a run: the one beside it that says so, or where a new one is made. */
export function halfFolderOf(folder: string): string {
  const made = path.join(path.dirname(folder), `${path.basename(folder)}${exchangedSuffix}`);
  if (fs.existsSync(runInfoPath(made)) || !fs.existsSync(runInfoPath(folder))) return made;
  const info = readRunInfo(folder);
  return neighbours(fs.realpathSync(folder)).find((own) => isHalfOf(info, own.info))?.folder ?? made;
}

/** Folder of the run that an exchanged half belongs to. Throws a UserError when it is not beside it. */
function originOf(folder: string, info: RunInfo): string {
  const found = neighbours(fs.realpathSync(folder)).filter((own) => isHalfOf(own.info, info));
  const named = found.find((own) => path.basename(own.folder) === info.exchangeOf) ?? found[0];
  if (named !== undefined) return named.folder;
  throw new UserError(
    `${folder}: is to go on from a checkpoint of ${info.exchangeOf}, which is not beside it; put that run back, or ` +
      'remove this folder',
  );
}

/**
 * The checkpoints from which exchanged halves begin: of their runs, before the stage of new variables.
 *
 * @param plan of the halves
 * @param folders of the halves
 * @throws UserError when a run or its checkpoint is not there or not that of the run
 */
export function checkpointsOfOrigin(plan: RunPlan, folders: readonly string[]): Checkpoint[] {
  return checkpointsBefore(
    plan,
    folders.map((folder) => originOf(folder, readRunInfo(folder))),
  );
}

/**
 * The same, by the folders of the runs themselves.
 *
 * @param runs folders of the runs, in the order of the plan's seeds
 */
export function checkpointsBefore(plan: RunPlan, runs: readonly string[]): Checkpoint[] {
  const asAssigned = planRuns(
    plan.configs.map((config, replica) => ({ config, seed: plan.seeds[replica]! })),
  );
  return runs.map((folder, replica) => {
    const { configHash } = readRunInfo(folder);
    if (asAssigned.data[replica]!.hash === plan.data[replica]!.hash) {
      throw new UserError(
        `${folder}: experiment ${plan.config.experiment} builds the same data with exchangeTags as without, so that there is ` +
          'nothing to average over; see to it in its build, or set tagExchange to false',
      );
    }
    try {
      return readFittingCheckpoint(asAssigned, replica, folder, startStep(plan, replica), configHash);
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      throw new UserError(
        `${folder}: its half with tags exchanged has no checkpoint to begin from: ${error.message}; train the run again ` +
          'with --existing overwrite, or without tagExchange under another name',
        { cause: error },
      );
    }
  });
}
