import { BusyError, UserError } from '../../../data/errors.js';
import type { Sweep } from '../../run/sweep-config.js';
import type { TaskWork } from '../../run/train-sweep.js';
import { exitCodes } from '../exit-codes.js';
import { print, tell } from '../output.js';
import { formatDuration } from '../progress.js';
import type { SweepFlags } from './flags.js';

/** Names of the probes that a command line asks for, or those whose tables predictions and figures are made of. */
export async function probesOf(
  { predictions, outcome, mediator }: Sweep,
  named?: SweepFlags['probe'],
): Promise<string[]> {
  if (typeof named === 'string') {
    const { probes } = await import('../../probe/registry.js');
    const { namesOfProbes } = await import('../probe.js');
    return namesOfProbes(named === 'all' ? undefined : named, probes) ?? probes.map(({ name }) => name);
  }
  const { sectionOfQuantity } = await import('../../analysis/known-quantities.js');
  const asked = [
    outcome,
    ...(mediator === null ? [] : [mediator]),
    ...predictions.map((own) => own.quantity),
  ];
  return [...new Set(asked.flatMap((id) => sectionOfQuantity(id)?.probe ?? []))];
}

/** Probes the complete runs of a sweep for what predictions and figures are about, where they lack it. */
export async function probeForReport(sweep: Sweep, flags: SweepFlags): Promise<void> {
  const { armFolders } = await import('../../run/sweep.js');
  const only = await probesOf(sweep);
  if (only.length === 0) return;
  const folders = sweep.arms.flatMap((arm) => armFolders(arm, flags.out));
  await probeFolders(folders.filter(await isComplete()), only, flags);
}

/**
 * Probes the runs of a sweep, or of a task of it, and trains nothing. Returns the exit code: 75 where other processes hold some
 * that are to be probed, or where some are to be complete and are not.
 */
export async function probeSweep(sweep: Sweep, flags: SweepFlags, task?: TaskWork): Promise<number> {
  const { isProbed } = await import('../../probe/prober.js');
  const { probeDefaults } = await import('../../probe/probe.js');
  const { foldersOfPack } = await import('../../run/sweep.js');
  const { shareWork } = await import('../../run/share-work.js');
  const { lockPath } = await import('../../store/lock.js');
  const { nodeFileSystem } = await import('../../store/file-system.js');
  const only = await probesOf(sweep, flags.probe);
  if (only.length === 0) {
    print('predictions and figures need no probe; --probe all or --probe alignment,transfer names some');
    return exitCodes.done;
  }
  const complete = await isComplete();
  const whole = sweep.arms.map((arm) => ({ arm, seeds: arm.seeds }));
  const [own, others] = [task?.own ?? whole, task?.others ?? []].map((packs) =>
    packs.map((pack) => foldersOfPack(pack, flags.out)),
  );
  const failed: string[] = [];
  const lacking = (folders: readonly string[]): string[] =>
    folders.filter(
      (folder) =>
        complete(folder) && !failed.includes(folder) && !isProbed(folder, { ...probeDefaults, only }),
    );
  let probed = 0;
  const end = await shareWork({
    own: own!,
    others: others!,
    look: (folders) => {
      const left = lacking(folders);
      if (left.length === 0) return 'through';
      return left.every((folder) => nodeFileSystem.exists(lockPath(folder))) ? 'held' : 'open';
    },
    attempt: async (folders) => {
      const wanted = lacking(folders);
      if (wanted.length === 0) return 'through';
      const ended = await probeFolders(wanted, only, flags);
      probed += ended.probed;
      if (ended.busy > 0) return 'held';
      failed.push(...lacking(wanted));
      return 'through';
    },
  });
  const missing = own!.flat().filter((folder) => !complete(folder)).length;
  print(`probed ${probed} runs (${only.join(', ')})`);
  if (missing > 0)
    tell(`gradscope: ${missing} of ${own!.flat().length} runs are not complete, and not probed`);
  if (failed.length > 0) return exitCodes.failed;
  const isLeft = end === 'held' || (flags.requireComplete === true && missing > 0);
  return isLeft ? exitCodes.again : exitCodes.done;
}

async function isComplete(): Promise<(folder: string) => boolean> {
  const { readRunInfo } = await import('../../store/run-folder.js');
  return (folder) => {
    try {
      return readRunInfo(folder).status === 'complete';
    } catch {
      return false;
    }
  };
}

async function probeFolders(
  folders: readonly string[],
  names: readonly string[],
  { engine, threads }: SweepFlags,
): Promise<{ readonly probed: number; readonly busy: number }> {
  if (folders.length === 0) return { probed: 0, busy: 0 };
  const { probeFlags, probeRuns } = await import('../probe.js');
  const only = names.join(',');
  try {
    const ended = await probeRuns(folders, {
      ...probeFlags,
      only,
      missing: true,
      engine,
      ...(threads === undefined ? {} : { threads }),
    });
    if (ended.probed > 0) tell(`probed ${ended.probed} runs (${only}) in ${formatDuration(ended.seconds)}`);
    return ended;
  } catch (error) {
    // A single run that cannot be probed.
    if (!(error instanceof UserError)) throw error;
    tell(`gradscope: left out: ${error.message}`);
    return { probed: 0, busy: error instanceof BusyError ? folders.length : 0 };
  }
}
