import fs from 'node:fs';
import path from 'node:path';
import { createStream } from '../../../data/random/streams.js';
import type { CaseResult } from './area.js';
import { areas } from './registry.js';
import { firstLine } from './run-content.js';

/** Which case is done, and where. */
export interface Task {
  readonly area: string;
  readonly index: number;
  readonly seed: number;
  readonly work: string;
  /** Whether the folder of a case that failed stays. */
  readonly keep: boolean;
}

/** Does one case of the campaign; what its own code throws is a problem as well. */
export async function runCase({ area: name, index, seed, work, keep }: Task): Promise<CaseResult> {
  const area = areas.find((own) => own.name === name)!;
  const folder = path.join(work, 'cases', `${name}-${index}`);
  fs.rmSync(folder, { recursive: true, force: true });
  fs.mkdirSync(folder, { recursive: true });
  const random = createStream(seed, `faults/${name}/${index}`);
  let result: CaseResult;
  try {
    result = await area.run({ index, seed, random, work, folder });
  } catch (error) {
    const stack = error instanceof Error ? (error.stack ?? '').split('\n').slice(0, 4).join(' | ') : '';
    result = { what: 'harness', problems: [`${firstLine(error)} ${stack}`] };
  }
  if (!keep || result.problems.length === 0) fs.rmSync(folder, { recursive: true, force: true });
  return result;
}
