import { columnsOf } from '../../report/terminal.js';
import type { Sweep } from '../../run/sweep-config.js';
import { print, tell } from '../output.js';
import { analysisOfSweep } from './analysis.js';

/** What the predictions need, by the runs in a folder. */
export async function showPower(loaded: Sweep, pilot: string): Promise<number> {
  const { plannedPower } = await import('../../analysis/sweep/power-plan.js');
  const { powerReport } = await import('../../report/text/power-report.js');
  const { seedsInFolder } = await import('../../run/sweep.js');
  // A pilot has other seeds than the sweep: what was looked at before is no test of a prediction.
  const arms = loaded.arms.map((arm) => ({ ...arm, seeds: seedsInFolder(arm, pilot) }));
  const { verdicts, arms: analysed } = await analysisOfSweep({ ...loaded, arms }, pilot);
  for (const { name, quantities } of analysed) {
    const left = quantities[0]!.seeds.flatMap(({ reason }) => reason ?? []);
    if (left.length > 0) tell(`gradscope: arm ${name}: ${left.length} runs left out, the first: ${left[0]}`);
  }
  const plan = plannedPower(verdicts, (arm) => loaded.arms.find(({ name }) => name === arm)?.seeds ?? []);
  for (const line of powerReport(plan, columnsOf(process.stdout))) print(line);
  return 0;
}
