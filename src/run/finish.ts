import { nodeEnvironment } from '../store/environment.js';
import { finalizeTable } from '../store/finalize.js';
import { cutStream, endOfWholeMessages } from '../store/resume-stream.js';
import type { RunFolder } from '../store/run-folder.js';
import { tables as definitions } from '../store/tables/registry.js';
import { filePath, streamPath } from '../store/table-paths.js';
import { TableWriter } from '../store/table-writer.js';
import type { Checkpoint } from './checkpoint.js';
import { dimensionsOf, metadataOf } from './description.js';
import { appendEvent, finalOrder, lastFinalized, type RunTables } from './log/run-tables.js';
import type { RunPlan } from './plan.js';
import type { RunRequest } from './request.js';

/** Brings a run whose last update is done to its end: tables as files, status complete. */
export async function finishRun(
  folder: RunFolder,
  tables: RunTables,
  steps: number,
  time: number,
): Promise<void> {
  tables.event(steps, 'end', 'all stages are done', time);
  tables.close();
  await tables.finalize();
  folder.update({ stepsDone: steps });
  folder.end('complete');
}

/**
 * Does what is left of {@link finishRun} after it was stopped anywhere: tables that are files stay as they are, streams
 * become files, and a stream whose file is there goes. Calling it again does nothing more.
 *
 * @param checkpoint of the last update
 * @throws UserError when the device does not take a table; the run can be finished again then
 */
export async function finishTrained(
  plan: RunPlan,
  replica: number,
  folder: RunFolder,
  checkpoint: Checkpoint,
  request: Pick<RunRequest, 'engine' | 'environment'>,
): Promise<void> {
  const { now } = request.environment ?? nodeEnvironment;
  const { fs } = folder;
  const isStream = (name: string): boolean =>
    fs.exists(streamPath(folder.path, name)) && !fs.exists(filePath(folder.path, name));
  const { step } = checkpoint.position;
  if (isStream(lastFinalized)) {
    const writer = TableWriter.resume({
      folder: folder.path,
      table: definitions.events,
      dimensions: dimensionsOf(plan),
      metadata: metadataOf(plan, replica, request),
      byteOffset: endOfWholeMessages(fs, streamPath(folder.path, lastFinalized)),
      fs,
    });
    try {
      appendEvent(writer, step, 'resume', 'went on behind the last step', now().getTime());
      appendEvent(writer, step, 'end', 'all stages are done', now().getTime());
    } finally {
      writer.close();
    }
  }
  for (const [name, length] of finalOrder(Object.entries(checkpoint.tables), ([own]) => own)) {
    // Behind the last update nothing is written but events; the rest is what a kill left of a batch.
    if (name !== lastFinalized && isStream(name)) cutStream(fs, streamPath(folder.path, name), length);
    await finalizeTable(folder.path, name, { fs });
  }
  folder.update({ stepsDone: step });
  folder.end('complete');
}
