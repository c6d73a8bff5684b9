import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { z } from 'zod';
import type { ModuleFile } from '../../data/module-file.js';
import { analysisFile } from '../store/list-runs.js';
import { runInfoPath } from '../store/run-info.js';
import { analysisPath, folderIn } from '../store/run-paths.js';
import type { ArmAnalysis } from './analyse-arm.js';

/** Version of `analysis.json`. */
export const analysisFormatVersion = 3;

/** How an analysis came about. */
export interface AnalysisOrigin {
  readonly command: readonly string[];
  readonly versions: Readonly<Record<string, string>>;
  /** Modules of the studies from outside; absent without any. */
  readonly studies?: readonly ModuleFile[];
}

/** Content of `analysis.json`: every number of the report, with the values of each seed behind it. */
export interface AnalysisDocument extends AnalysisOrigin, ArmAnalysis {
  readonly formatVersion: typeof analysisFormatVersion;
}

export function analysisDocument(analysis: ArmAnalysis, origin: AnalysisOrigin): AnalysisDocument {
  return { formatVersion: analysisFormatVersion, ...origin, ...analysis };
}

/** Where the analysis of all runs of an arm is kept, `analysis.json` and tables: `<folder of its runs>/analysis/<name>`. */
export function analysisFolder(analysis: Pick<ArmAnalysis, 'folders' | 'name'>): string {
  return analysisPath(dirname(resolve(analysis.folders[0]!)), analysis.name);
}

/**
 * Where an analysis is written: {@link analysisFolder}, unless an analysis of further runs, which are still there, is kept
 * there: one of some of the seeds never replaces that of more. It then has a folder of its own, such as
 * `analysis/<name>+seed0`; `+` is no part of a name.
 *
 * @param out folder that was asked for: the analysis of an arm is then `<out>/<name>`
 */
export function outputFolder(
  analysis: Pick<ArmAnalysis, 'folders' | 'name' | 'seeds'>,
  out: string | null,
): string {
  if (out !== null) return folderIn(out, analysis.name);
  const folder = analysisFolder(analysis);
  const own = new Set(analysis.folders.map((path) => resolve(path)));
  const others = keptFolders(folder).filter(
    (path) => !own.has(resolve(path)) && existsSync(runInfoPath(path)),
  );
  return others.length === 0 ? folder : `${folder}+${seedsText(analysis.seeds)}`;
}

const keptSchema = z.looseObject({ folders: z.array(z.string()) });

/** Run folders of the analysis in a folder; none where there is no analysis that can be read. */
function keptFolders(folder: string): readonly string[] {
  try {
    return keptSchema.parse(JSON.parse(readFileSync(join(folder, analysisFile), 'utf8'))).folders;
  } catch {
    return [];
  }
}

/** `seed3`, `seeds0-2`, `seeds0,2,5`; of many that are no range a hash. */
function seedsText(seeds: readonly number[]): string {
  const sorted = [...seeds].toSorted((a, b) => a - b);
  const [first, last] = [sorted[0]!, sorted.at(-1)!];
  if (sorted.length === 1) return `seed${first}`;
  if (last - first === sorted.length - 1) return `seeds${first}-${last}`;
  const text = `seeds${sorted.join()}`;
  return text.length <= 60
    ? text
    : `${sorted.length}seeds-${createHash('sha256').update(text).digest('hex').slice(0, 12)}`;
}
