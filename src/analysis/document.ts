import { join } from 'node:path';
import type { ArmAnalysis } from './analyse-arm.js';

/** Version of `analysis.json`. */
export const analysisFormatVersion = 3;

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

/** Where the analysis of an arm is kept, `analysis.json` and tables: `<folder of its runs>/analysis/<name>`. */
export function analysisFolder(analysis: ArmAnalysis): string {
  return join(analysis.folders[0]!, '..', 'analysis', analysis.name);
}
