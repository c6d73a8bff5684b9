// Process that does one case of the campaign after the other, as it is told.
import fs from 'node:fs';
import path from 'node:path';
import { createStream } from '../../../data/random/streams.js';
import { areas } from './registry.js';
import { firstLine } from './run-content.js';

/** What the campaign asks of a worker. */
export interface Task {
  readonly area: string;
  readonly index: number;
  readonly seed: number;
  readonly work: string;
  /** Whether the folder of a case that failed stays. */
  readonly keep: boolean;
}

async function work({ area: name, index, seed, work: root, keep }: Task): Promise<void> {
  const area = areas.find((own) => own.name === name)!;
  const folder = path.join(root, 'cases', `${name}-${index}`);
  fs.rmSync(folder, { recursive: true, force: true });
  fs.mkdirSync(folder, { recursive: true });
  const random = createStream(seed, `faults/${name}/${index}`);
  let result;
  try {
    result = await area.run({ index, seed, random, work: root, folder });
  } catch (error) {
    const stack =
      error instanceof Error ? (error.stack ?? '').split('\n').slice(0, 4).join(' | ') : String(error);
    result = { what: 'harness', problems: [`${firstLine(error)}: ${stack}`] };
  }
  if (!keep || result.problems.length === 0) fs.rmSync(folder, { recursive: true, force: true });
  process.send!(result);
}

process.on('message', (task: Task) => void work(task));
// A worker whose campaign is gone has nobody to tell.
process.on('disconnect', () => process.exit());
