import fs from 'node:fs';
import path from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { expect } from 'vitest';
import { readRunInfo } from '../../src/store/run-folder.js';
import { tables } from '../../src/store/tables/registry.js';
import { TableReader } from '../../src/store/table-reader.js';
import type { InterventionColumn } from '../../src/store/tables/interventions.js';
import { readTyped } from '../../src/store/typed-table.js';
import { polars } from '../store/polars.js';
import type { Engine } from '../../src/train/engine/load.js';
import { finalWeights, resumeTiny, temporaryFolder, trainTiny } from './support.js';

/** Four updates of the first stage and eight of the second of a model of a few thousand numbers. */
export const brief = [
  'model.layers=1',
  'model.width=8',
  'model.feedForward=8',
  'model.heads=2',
  'data.variables=30',
  'stages.0.batchSize=70',
  'stages.1.batchSize=8',
  'stages.0.epochs=2',
  'stages.1.epochs=2',
  'evaluation.maxExamples=4',
  'log.tier=norms',
];

/** Settings of a run beside {@link brief}. */
export interface BriefOptions {
  readonly engine: Engine;
  readonly overrides: readonly string[];
  readonly seeds?: readonly number[];
  /** Steps behind which it is stopped and resumed. */
  readonly stops?: readonly number[];
}

/** Trains brief runs to their end, with stops on the way; gives their folders. */
export async function trainBrief({
  engine,
  overrides,
  seeds = [0],
  stops = [],
}: BriefOptions): Promise<string[]> {
  const root = temporaryFolder();
  const folders = seeds.map((seed) => path.join(root, 'set-inclusion', `tiny-seed${seed}`));
  const stopAt = (last: number | undefined) => ({
    onProgress: ({ step }: { readonly step: number }, abort: () => void): void => {
      if (step === last) abort();
    },
  });
  await trainTiny({ root, engine, seeds, overrides: [...brief, ...overrides], ...stopAt(stops[0]) });
  for (const i of stops.keys()) {
    expect(readRunInfo(folders[0]!)).toMatchObject({ status: 'interrupted', stepsDone: stops[i] });
    await resumeTiny(folders[0]!, { root, engine, ...stopAt(stops[i + 1]) });
  }
  for (const folder of folders) expect(readRunInfo(folder).status).toBe('complete');
  return folders;
}

/** Columns of a run's table `steps`, NaN where they are null. */
export async function stepColumns<C extends InterventionColumn | 'grad_norm' | 'loss' | 'clip_factor'>(
  folder: string,
  names: readonly C[],
): Promise<Record<C, number[]>> {
  const reader = await TableReader.open(folder, 'steps');
  try {
    const { columns } = await readTyped<typeof tables.steps, C>(reader, tables.steps, names);
    const numbers = names.map((name) => {
      const column: unknown = columns[name];
      return [
        name,
        Array.from(column instanceof Float64Array ? column : (column as { values: Float64Array }).values),
      ];
    });
    return Object.fromEntries(numbers) as Record<C, number[]>;
  } finally {
    await reader.close();
  }
}

/** Rows of the table `steps` without times. */
export function stepRows(folder: string): unknown[] {
  const rows = polars.readIPC(fs.readFileSync(path.join(folder, 'steps.arrow'))).toRecords();
  return rows.map((row) => ({ ...row, step_ms: 0, log_ms: 0 }));
}

/** Largest difference of two runs' weights, as a share of the length of the weights. */
export function weightDifference(a: string, b: string): number {
  const others = finalWeights(b);
  let [differing, all] = [0, 0];
  for (const [name, values] of finalWeights(a)) {
    const other = others.get(name)!;
    values.forEach((value, i) => {
      differing += (value - other[i]!) ** 2;
      all += value ** 2;
    });
  }
  return Math.sqrt(differing / all);
}

/** How a run that was stopped in the middle of both stages and resumed differs from others. */
export interface Differences {
  /** From an uninterrupted one: largest difference of the weights of three replicas, and rows of `steps` that differ. */
  readonly weights: number;
  readonly rows: number;
  /** Of each replica from the run of its seed alone: the largest. */
  readonly alone: number;
}

/** What every intervention owes: that the first two are 0, and the last one rounding. */
export async function differencesOfStops(engine: Engine, overrides: readonly string[]): Promise<Differences> {
  const seeds = [0, 1, 2];
  const whole = await trainBrief({ engine, overrides, seeds });
  const resumed = await trainBrief({ engine, overrides, seeds, stops: [2, 6] });
  let [weights, rows, alone] = [0, 0, 0];
  for (const [i, folder] of whole.entries()) {
    weights = Math.max(weights, weightDifference(resumed[i]!, folder));
    const expected = stepRows(folder);
    rows += stepRows(resumed[i]!).filter((row, k) => !isDeepStrictEqual(row, expected[k])).length;
    const [single] = await trainBrief({ engine, overrides, seeds: [seeds[i]!] });
    alone = Math.max(alone, weightDifference(single!, folder));
  }
  return { weights, rows, alone };
}
