import { UserError } from '../../data/errors.js';

/** Width of the widest model of some runs; a run whose config cannot be read says why when its turn comes. */
export async function widestModel(folders: readonly string[]): Promise<number> {
  const { loadRunConfig } = await import('../run/experiment-module.js');
  const { modelWidth } = await import('../train/models/registry.js');
  const { configPath } = await import('../store/run-folder.js');
  const widths = [0];
  for (const folder of folders) {
    try {
      const { config } = await loadRunConfig(configPath(folder));
      widths.push(modelWidth(config.model));
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
    }
  }
  return Math.max(...widths);
}
