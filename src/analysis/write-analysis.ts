import { dirname, join } from 'node:path';
import { UserError } from '../../data/errors.js';
import { writeAtomically } from '../store/atomic-file.js';
import { nodeFileSystem } from '../store/file-system.js';
import { analysisFile } from '../store/list-runs.js';
import { makeFolderBelow } from '../store/run-paths.js';
import type { ArmAnalysis } from './analyse-arm.js';
import { writeAnalysisTables } from './analysis-tables.js';
import { analysisFolder, type AnalysisDocument } from './document.js';

/** Writes an analysis into a folder, in place of an earlier one. Throws a UserError when it cannot be written. */
export async function writeAnalysis(
  folder: string,
  analysis: ArmAnalysis,
  document: AnalysisDocument,
): Promise<void> {
  const usual = dirname(analysisFolder(analysis));
  makeFolder(dirname(folder) === usual ? dirname(usual) : dirname(folder), folder);
  writeAtomically(nodeFileSystem, join(folder, analysisFile), `${JSON.stringify(document, null, 2)}\n`);
  await writeAnalysisTables(folder, analysis);
}

/** Makes a folder below one that was given; throws a UserError when that fails, or leads through a link. */
export function makeFolder(given: string, folder: string): void {
  try {
    makeFolderBelow(nodeFileSystem, given, folder);
  } catch (cause) {
    if (cause instanceof UserError) throw cause;
    throw cause instanceof UserError
      ? new UserError(`${cause.message}; or give another place with --out`, { cause })
      : cause;
  }
}
