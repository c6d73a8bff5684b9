import fs from 'node:fs';
import { UserError } from '../../data/errors.js';
import { streamPath } from '../store/table-paths.js';
import { readFittingCheckpoint } from './checkpoint-fit.js';
import { checkpointPath } from '../store/checkpoint-path.js';
import { checkpointSteps, type Checkpoint } from './checkpoint.js';
import type { RunPlan } from './plan.js';
import type { SiblingRun } from './siblings.js';

/** Where runs that train together go on. */
export interface CommonCheckpoint {
  readonly step: number;
  /** Of each run. */
  readonly checkpoints: readonly Checkpoint[];
  /** Why later checkpoints are not used. */
  readonly problems: readonly string[];
}

/**
 * The last checkpoint that all runs have, that can be read and whose tables are there: they may have died while writing
 * theirs one after the other, and a file may have been damaged since.
 *
 * @param members in the order of the plan's seeds
 * @throws UserError that names what is wrong with the last one when there is none
 */
export function lastCommonCheckpoint(plan: RunPlan, members: readonly SiblingRun[]): CommonCheckpoint {
  const steps = members.map(({ folder }) => new Set(checkpointSteps(folder)));
  const common = [...steps[0]!].filter((step) => steps.every((own) => own.has(step)));
  const problems: string[] = [];
  for (const step of common.reverse()) {
    try {
      const checkpoints = members.map((member, replica) => {
        const checkpoint = readFittingCheckpoint(plan, replica, member.folder, step, member.info.configHash);
        requireTables(member.folder, checkpoint);
        return checkpoint;
      });
      return { step, checkpoints, problems };
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

function requireTables(folder: string, checkpoint: Checkpoint): void {
  for (const [name, length] of Object.entries(checkpoint.tables)) {
    const path = streamPath(folder, name);
    const size = fs.statSync(path, { throwIfNoEntry: false })?.size ?? 0;
    if (size >= length) continue;
    const file = checkpointPath(folder, checkpoint.position.step);
    throw new UserError(`${file}: needs ${length} bytes of ${path}, which has ${size}`);
  }
}
