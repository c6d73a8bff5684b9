import type { Design, SubsetPair } from '../../../../data/design.js';
import { UserError } from '../../../../data/errors.js';
import { designOf } from '../../../../data/internalization-design.js';
import { gapOf, readMetrics, type GapKind } from './metrics.js';
import { openRun } from '../../run-data.js';

/**
 * The gaps of runs of one config in lines for people, before any analysis of them:
 * `weak gap (<reliable> - <unreliable>, accuracy): .123 over 8 seeds, .081 to .160`, with the subsets of their design.
 * A gap that no run has is left out; of runs with exchanged halves the strong gap is the mean over both.
 */
export async function gapSummary(folders: readonly string[]): Promise<string[]> {
  const values: Record<GapKind, number[]> = { weak: [], strong: [] };
  let halves = 0;
  let design: Design | null = null;
  for (const folder of folders) {
    try {
      const run = await openRun(folder);
      const metrics = await readMetrics(run);
      design ??= designOf(run.info);
      if (metrics.exchanged) halves++;
      for (const kind of ['weak', 'strong'] as const) {
        const gap = gapOf(run, metrics, kind, 'accuracy');
        if (typeof gap === 'number') values[kind].push(gap);
      }
    } catch (error) {
      // A run that cannot be read is not what this is about; analyze says why.
      if (!(error instanceof UserError)) throw error;
    }
  }
  if (design === null) return [];
  const { weak, strong } = design;
  return [...describe('weak', weak, values.weak, 0), ...describe('strong', strong, values.strong, halves)];
}

function describe(kind: GapKind, subsets: SubsetPair, values: readonly number[], halves: number): string[] {
  if (values.length === 0) return [];
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const tags = halves === 0 ? '' : ', mean over tags as assigned and exchanged';
  const name = `${kind} gap (${subsets.join(' - ')}, accuracy${tags})`;
  if (values.length === 1) return [`${name}: ${format(mean)}`];
  const range = `${format(Math.min(...values))} to ${format(Math.max(...values))}`;
  return [`${name}: ${format(mean)} over ${values.length} seeds, ${range}`];
}

/** `.123`, `-.020`. */
function format(value: number): string {
  return value.toFixed(3).replace(/^(-?)0\./, '$1.');
}
