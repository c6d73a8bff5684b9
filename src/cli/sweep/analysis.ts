import type { SweepAnalysis } from '../../analysis/sweep.js';
import type { Sweep } from '../../run/sweep-config.js';

/** The analysis of a sweep's runs in a folder. */
export async function analysisOfSweep(loaded: Sweep, root: string): Promise<SweepAnalysis> {
  const { armFolders, hashOfSweep, whyOtherConfig } = await import('../../run/sweep.js');
  const { analyseSweep } = await import('../../analysis/sweep.js');
  const { nodeFileSystem } = await import('../../store/file-system.js');
  const { readSweepRecord } = await import('../../store/sweep-record.js');
  const { name, description, experiment, design, axes, arms, predictions, outcome, mediator } = loaded;
  const hash = hashOfSweep(loaded);
  return analyseSweep(
    { name, description, experiment, design, axes, predictions, hash, outcome, mediator },
    arms.map((arm) => ({
      name: arm.name,
      values: arm.values,
      seeds: arm.seeds,
      folders: armFolders(arm, root),
      whyOther: (folder) => whyOtherConfig(arm, folder),
    })),
    readSweepRecord(nodeFileSystem, root, experiment, name),
  );
}
