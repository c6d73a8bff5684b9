import type { RunSource } from '../data/run-source.js';

/** Runs of one config, one per seed. */
export interface ShownArm {
  readonly name: string;
  readonly runs: readonly RunSource[];
}

/** Sorts runs into arms by config; runs of one name and different configs are told apart by a number. */
export async function armsOf(runs: readonly RunSource[]): Promise<ShownArm[]> {
  const arms = new Map<string, RunSource[]>();
  for (const run of runs) {
    const { configHash } = await run.data();
    const key = `${run.info.experiment}\n${run.info.name}\n${configHash}`;
    arms.set(key, [...(arms.get(key) ?? []), run]);
  }
  const names = new Map<string, number>();
  return Array.from(arms.values(), (own): ShownArm => {
    const { name } = own[0]!.info;
    const count = (names.get(name) ?? 0) + 1;
    names.set(name, count);
    return { name: count === 1 ? name : `${name} (${count})`, runs: own };
  });
}

/** Where stages after the first begin, as marks on an axis of steps. */
export const stageMarkers = (run: RunSource) =>
  run.info.stages.slice(1).map(({ firstStep, name }) => ({ x: firstStep, label: name }));

/** Names what is computed from runs. */
export const pathsOf = (runs: readonly RunSource[]): string => runs.map(({ entry }) => entry.path).join('\n');

/** Changes when what is computed from runs can change. */
export const versionsOf = (runs: readonly RunSource[]): string =>
  runs.map(({ tables, info }) => `${tables.version} ${info.status} ${info.stepsDone}`).join('\n');
