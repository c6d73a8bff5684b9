import { join } from 'node:path';
import { analysisFile } from '../store/list-runs.js';
import type { ArmAnalysis } from './analyse-arm.js';

/** Version of `analysis.json`. */
export const analysisFormatVersion = 1;

/** How an analysis came about. */
export interface AnalysisOrigin {
  readonly command: readonly string[];
  readonly versions: Readonly<Record<string, string>>;
}

/** Content of `analysis.json`: every number of the report, with the values of each seed behind it. */
export interface AnalysisDocument extends AnalysisOrigin, ArmAnalysis {
  readonly formatVersion: typeof analysisFormatVersion;
}

export function analysisDocument(analysis: ArmAnalysis, origin: AnalysisOrigin): AnalysisDocument {
  return { formatVersion: analysisFormatVersion, ...origin, ...analysis };
}

/** Where the analysis of an arm is kept: `<folder of its runs>/analysis/<name>/analysis.json`. */
export function analysisPath(analysis: ArmAnalysis): string {
  return join(analysis.folders[0]!, '..', 'analysis', analysis.name, analysisFile);
}
