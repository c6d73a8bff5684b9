import { join } from 'node:path';
import { z } from 'zod';
import { UserError } from '../../data/errors.js';
import { printable } from '../../data/printable.js';
import { writeAtomically } from './atomic-file.js';
import { systemMessage, type FileSystem } from './file-system.js';
import { folderIn, makeFolderBelow, sweepPath } from './run-paths.js';
import { sweepVersionSchema, versionChanges, type SweepVersion } from './sweep-record.js';

/** Version of `tasks.json`. */
const taskFormatVersion = 1;

/** A job that a queue was given. */
const jobSchema = z.object({
  /** What it does. */
  does: z.enum(['train', 'probe', 'report', 'analyze']),
  /** Id of the job, or of the array. */
  id: z.string(),
  /** Tasks of the array, its first element being `first`; null for a job that is no array. */
  tasks: z.object({ first: z.int(), count: z.int() }).nullable(),
  /** Where the queue writes its log, as the queue was told (`%A` the id, `%a` the element). */
  log: z.string(),
});

export type QueuedJob = z.infer<typeof jobSchema>;

const submissionSchema = z.object({ submitted: z.iso.datetime(), jobs: z.array(jobSchema) });

const recordSchema = z.object({
  formatVersion: z.literal(taskFormatVersion),
  sweep: z.string(),
  /** The file by which the tasks were made. */
  version: sweepVersionSchema,
  /** What a queue was given, oldest first. */
  submissions: z.array(submissionSchema),
});

/** What a sweep that is cut into tasks keeps beside its runs. */
export type TaskRecord = z.infer<typeof recordSchema>;

/** Submissions that are kept. */
const mostSubmissions = 50;

const recordPath = (root: string, experiment: string, name: string): string =>
  join(sweepPath(root, experiment, name), 'tasks.json');

/** Folder of the logs that a queue writes of the tasks of a sweep. */
export const logFolder = (root: string, experiment: string, name: string): string =>
  folderIn(sweepPath(root, experiment, name), 'logs');

/** The record of a sweep's tasks; null where there are none. Throws a UserError for one that cannot be read. */
export function readTaskRecord(
  fs: FileSystem,
  root: string,
  experiment: string,
  name: string,
): TaskRecord | null {
  const path = recordPath(root, experiment, name);
  if (!fs.exists(path)) return null;
  let problem: string;
  try {
    const parsed = recordSchema.safeParse(JSON.parse(fs.readText(path)));
    if (parsed.success) return parsed.data;
    problem = printable(parsed.error.issues[0]?.path.join('.') ?? '');
  } catch (error) {
    problem = systemMessage(error);
  }
  throw new UserError(
    `${path}: no record of tasks (${problem}); gradscope sweep with --slurm or --emit writes it anew`,
  );
}

/** Keeps a record. Throws a UserError when it cannot be written. */
export function writeTaskRecord(fs: FileSystem, root: string, experiment: string, record: TaskRecord): void {
  makeFolderBelow(fs, root, sweepPath(root, experiment, record.sweep));
  const kept = { ...record, submissions: record.submissions.slice(-mostSubmissions) };
  writeAtomically(fs, recordPath(root, experiment, record.sweep), `${JSON.stringify(kept, null, 2)}\n`);
}

/** A record of tasks by the file as it is now; submissions by an earlier one are kept, since their jobs may still be queued. */
export function taskRecordOf(sweep: string, version: SweepVersion, before: TaskRecord | null): TaskRecord {
  return {
    formatVersion: taskFormatVersion,
    sweep,
    version: before?.version.hash === version.hash ? before.version : version,
    submissions: before?.submissions ?? [],
  };
}

/** Throws a UserError when tasks were made by a file that said otherwise: their numbers mean other runs now. */
export function requireSameTasks({ version }: TaskRecord, now: SweepVersion, file: string): void {
  if (version.hash === now.hash) return;
  const hashes = new Map(version.arms.map((arm) => [arm.name, arm.configHash]));
  const configs = now.arms.flatMap(({ name, configHash }) =>
    hashes.has(name) && hashes.get(name) !== configHash ? [`arm ${name}: its config is another`] : [],
  );
  const [first = 'it is another'] = [...configs, ...versionChanges(version, now)];
  throw new UserError(
    `${file}: says otherwise than when its tasks were made (${first}); restore it, or make them anew with --slurm or --emit`,
  );
}
