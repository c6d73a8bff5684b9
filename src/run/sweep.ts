import fs from 'node:fs';
import path from 'node:path';
import { hashConfig } from '../store/config-hash.js';
import { configPath } from '../store/run-folder.js';
import { sweepHash, versionChanges, type SweepRecord, type SweepVersion } from '../store/sweep-record.js';
import { loadKnownConfig } from './experiment-module.js';
import { runFolderOf, runId } from './request.js';
import type { Sweep, SweepArm } from './sweep-config.js';
import type { SweepPack } from './sweep-tasks.js';

/** Folders of the runs of an arm, in the order of its seeds. */
export function armFolders(arm: SweepArm, root: string): string[] {
  return foldersOfPack({ arm, seeds: arm.seeds }, root);
}

/** Folders of the runs of a pack. */
export function foldersOfPack({ arm, seeds }: SweepPack, root: string): string[] {
  return seeds.map((seed) => runFolderOf(root, arm.config, seed));
}

/** Seeds of an arm that have a run in a folder, ascending; none where the folder is not there. */
export function seedsInFolder({ config }: SweepArm, root: string): number[] {
  const folder = path.join(root, config.experiment);
  if (!fs.existsSync(folder)) return [];
  return fs
    .readdirSync(folder)
    .flatMap((name) => {
      const seed = Number(/-seed(\d+)$/.exec(name)?.[1] ?? NaN);
      return name === runId(config.name, seed) ? [seed] : [];
    })
    .toSorted((a, b) => a - b);
}

/** Why the run in a folder is not one of an arm: its config, with every default written out, is another; or null. */
export function whyOtherConfig({ resolved }: Pick<SweepArm, 'resolved'>, folder: string): string | null {
  const own = loadKnownConfig(configPath(folder)).resolved;
  if (own === resolved) return null;
  const [lines, wanted] = [own.split('\n'), resolved.split('\n')];
  const at = lines.findIndex((line, i) => line !== wanted[i]);
  return `it has "${(lines[at] ?? '').trim()}" where this sweep has "${(wanted[at] ?? '').trim()}"`;
}

/** The arms and predictions of a sweep as its record keeps them. */
function versionOf({ arms, predictions }: Sweep): Omit<SweepVersion, 'hash' | 'since'> {
  return {
    arms: arms.map(({ name, seeds, config }) => ({
      name,
      configHash: hashConfig(config),
      seeds: [...seeds],
    })),
    predictions: [...predictions],
  };
}

/** The hash that runs and results of a sweep carry: of its arms and predictions. */
export const hashOfSweep = (sweep: Sweep): string => sweepHash(versionOf(sweep));

/** What the file of a sweep says now, for its records. */
export const versionOfSweep = (sweep: Sweep, now: Date): SweepVersion => ({
  hash: hashOfSweep(sweep),
  since: now.toISOString(),
  ...versionOf(sweep),
});

/**
 * What the sweep says otherwise than when runs were last asked for by it, and which runs that affects; empty where it is
 * the same, or new.
 */
export function sweepChanges(sweep: Sweep, record: SweepRecord, root: string): string[] {
  const last = record.versions.at(-1);
  if (last === undefined || last.hash === hashOfSweep(sweep)) return [];
  const configs = sweep.arms.flatMap((arm) => {
    const affected = armFolders(arm, root).flatMap((folder) => {
      if (!fs.existsSync(configPath(folder))) return [];
      const why = whyOtherConfig(arm, folder);
      return why === null ? [] : [`affected: ${folder}: ${why}`];
    });
    // Hashes also differ between versions of the program, which read the same of a run's config.
    return affected.length === 0 ? [] : [`arm ${arm.name}: its config is another`, ...affected];
  });
  return [...configs, ...versionChanges(last, versionOf(sweep))];
}
