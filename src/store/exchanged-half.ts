import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { UserError } from '../../data/errors.js';
import { readRunInfo } from './run-folder.js';
import { exchangedSuffix, type RunInfo } from './run-info.js';

/** A run folder with what its run.json says. */
export interface ExchangedHalf {
  readonly folder: string;
  readonly info: RunInfo;
}

/** Whether `half` is the exchanged half of a run. */
export function isHalfOf(run: RunInfo, half: RunInfo): boolean {
  return (
    run.exchangeOf === undefined &&
    half.exchangeOf !== undefined &&
    half.experiment === run.experiment &&
    half.name === run.name &&
    half.seed === run.seed
  );
}

/**
 * The exchanged half of a run: a folder beside it whose name ends in `-exchanged`, above all the run's own name with
 * that ending. Null where there is none.
 */
export async function findExchangedHalf(folder: string, run: RunInfo): Promise<ExchangedHalf | null> {
  if (run.exchangeOf !== undefined) return null;
  const expected = `${path.resolve(folder)}${exchangedSuffix}`;
  const found = halfAt(expected, run);
  if (found !== null) return found;
  const parent = path.dirname(expected);
  // Folders may have been renamed.
  const names = await readdir(parent).catch((): string[] => []);
  for (const name of names.filter((own) => own.endsWith(exchangedSuffix))) {
    const half = halfAt(path.join(parent, name), run);
    if (half !== null) return half;
  }
  return null;
}

function halfAt(folder: string, run: RunInfo): ExchangedHalf | null {
  try {
    const info = readRunInfo(folder);
    return isHalfOf(run, info) ? { folder, info } : null;
  } catch (error) {
    if (error instanceof UserError) return null;
    throw error;
  }
}
