import { Command } from 'commander';
import { UserError } from '../../data/errors.js';
import { nodeFileSystem } from '../store/file-system.js';
import type { ListedRun } from '../store/list-runs.js';
import type { RecoveredTable } from '../store/recover.js';
import { print, tell } from './output.js';

export function recoverCommand(): Command {
  return new Command('recover')
    .description(
      'convert the streams of a crashed run to Arrow files (do not recover a run that you want to resume)',
    )
    .argument('<folder...>', 'run folders, or folders that hold runs')
    .option(
      '--unlock',
      'only remove the lock of run folders whose process cannot be checked (another machine or container) or whose lock is damaged; use it only when no process writes them any more',
    )
    .addHelpText(
      'after',
      `
Examples:
  gradscope recover runs/set-inclusion/small-seed3            one run
  gradscope recover runs/set-inclusion                        every run in a folder
  gradscope recover --unlock runs/set-inclusion/small-seed3   the node it ran on was lost; then resume it`,
    )
    .action(async (folders: string[], flags: { readonly unlock?: boolean }) => {
      const work = flags.unlock === true ? unlock : recover;
      for (const folder of folders) await inEach(folder, work);
    });
}

/**
 * Does something to a run, or to every run in a folder: there one that fails, or that a living process writes, keeps
 * no other from its turn. `work` gives whether there was something to do.
 */
async function inEach(folder: string, work: (run: string) => Promise<boolean>): Promise<void> {
  const { listRuns } = await import('../store/list-runs.js');
  const listed = await listRuns(folder);
  const runs = listed.length === 0 ? [folder] : await asyncFilter(listed, isFolderOfRun);
  const isOne = runs.length === 1 && runs[0] === folder;
  let anything = false;
  for (const run of runs) {
    try {
      anything = (await work(run)) || anything;
    } catch (error) {
      if (isOne || !(error instanceof UserError)) throw error;
      anything = true;
      tell(error.message);
      process.exitCode = 1;
    }
  }
  if (!anything) print(`${folder}: nothing to recover`);
}

/** Folders that are listed only because they were not looked at are said, and left alone. */
async function isFolderOfRun({ path, error }: ListedRun): Promise<boolean> {
  if (error === null) return true;
  const { lockPath } = await import('../store/lock.js');
  const { listTables } = await import('../store/table-reader.js');
  const isRun = nodeFileSystem.exists(lockPath(path)) || (await listTables(path)).length > 0;
  if (!isRun) {
    tell(error.message);
    process.exitCode = 1;
  }
  return isRun;
}

async function asyncFilter(
  listed: readonly ListedRun[],
  keep: (run: ListedRun) => Promise<boolean>,
): Promise<string[]> {
  const paths: string[] = [];
  for (const run of listed) if (await keep(run)) paths.push(run.path);
  return paths;
}

async function recover(folder: string): Promise<boolean> {
  const { recoverRun } = await import('../store/recover.js');
  const recovered = await recoverRun(folder);
  for (const table of recovered) {
    if (table.error === null) print(`${folder}: ${table.table}: ${outcome(table)}`);
    else {
      tell(`${folder}: ${table.table}: ${table.error.message}`);
      process.exitCode = 1;
    }
  }
  return recovered.length > 0;
}

function outcome({ rows, bytesDropped, reason, backup }: RecoveredTable): string {
  const dropped = bytesDropped === 0 ? '' : `${bytesDropped} bytes dropped: `;
  const lost = reason === null ? 'nothing lost' : `${dropped}${reason}`;
  return `${rows} rows, ${lost}${backup === null ? '' : `, stream kept in ${backup}`}`;
}

async function unlock(folder: string): Promise<boolean> {
  const { unlockRun } = await import('../store/recover.js');
  const freed = unlockRun(folder);
  if (freed) print(`${folder}: free; it counts as interrupted and can be resumed`);
  return freed;
}
