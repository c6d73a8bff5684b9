import { join } from 'node:path';
import { UserError } from '../../data/errors.js';
import { writeAtomically } from '../store/atomic-file.js';
import { nodeFileSystem, systemMessage } from '../store/file-system.js';
import { analysisFile } from '../store/list-runs.js';
import type { ArmAnalysis } from './analyse-arm.js';
import { writeAnalysisTables } from './analysis-tables.js';
import type { AnalysisDocument } from './document.js';

/** Writes an analysis into a folder, in place of an earlier one. Throws a UserError when it cannot be written. */
export async function writeAnalysis(
  folder: string,
  analysis: ArmAnalysis,
  document: AnalysisDocument,
): Promise<void> {
  makeFolder(folder);
  writeAtomically(nodeFileSystem, join(folder, analysisFile), `${JSON.stringify(document, null, 2)}\n`);
  await writeAnalysisTables(folder, analysis);
}

/** Throws a UserError when a folder is not there and cannot be made. */
export function makeFolder(folder: string): void {
  try {
    nodeFileSystem.makeFolder(folder);
  } catch (cause) {
    throw new UserError(
      `${folder}: the folder cannot be made (${systemMessage(cause)}); give another place with --out`,
      { cause },
    );
  }
}
