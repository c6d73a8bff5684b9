import { join } from 'node:path';
import { z } from 'zod';
import { UserError } from '../../data/errors.js';
import { writeAtomically } from './atomic-file.js';
import { hashConfig } from './config-hash.js';
import { systemMessage, type FileSystem } from './file-system.js';
import { makeFolderBelow, sweepPath } from './run-paths.js';
import { sweepPredictionSchema, type SweepPrediction } from './sweep-design.js';

/** Version of `record.json`. */
const recordFormatVersion = 1;

const armSchema = z.object({ name: z.string(), configHash: z.string(), seeds: z.array(z.int()) });

/** {@link SweepVersion} */
export const sweepVersionSchema = z.object({
  /** Of its arms and predictions, reasons left out: {@link sweepHash}. */
  hash: z.string(),
  /** When runs were first asked for by it, UTC, ISO 8601. */
  since: z.iso.datetime(),
  arms: z.array(armSchema),
  predictions: z.array(sweepPredictionSchema),
});

const recordSchema = z.object({
  formatVersion: z.literal(recordFormatVersion),
  sweep: z.string(),
  /** What the sweep file has said, oldest first. */
  versions: z.array(sweepVersionSchema),
  /** By arm, the version of the file by which its first run began, and when; null for a run of no sweep. */
  firstRuns: z.record(z.string(), z.object({ hash: z.string().nullable(), started: z.iso.datetime() })),
});

/** The arms and predictions of a sweep file at a time. */
export type SweepVersion = z.infer<typeof sweepVersionSchema>;

/**
 * What a sweep keeps beside its runs: every version of its file by which runs were asked for, so that predictions that were
 * made or changed after the runs are known as such.
 */
export type SweepRecord = z.infer<typeof recordSchema>;

/** What of a prediction must not change: all but the reason. */
function content({ because: _, ...others }: SweepPrediction): Omit<SweepPrediction, 'because'> {
  return others;
}

/** Hash of the arms and predictions of a sweep file, whatever its layout and its reasons. */
export function sweepHash({ arms, predictions }: Pick<SweepVersion, 'arms' | 'predictions'>): string {
  return hashConfig({ arms, predictions: predictions.map(content) });
}

/** Name of the file in the folder of the sweep's results. */
const recordFile = 'record.json';

const recordPath = (root: string, experiment: string, name: string): string =>
  join(sweepPath(root, experiment, name), recordFile);

/** The record of a sweep by which no run was asked for. */
export function emptySweepRecord(sweep: string): SweepRecord {
  return { formatVersion: recordFormatVersion, sweep, versions: [], firstRuns: {} };
}

/** The record of a sweep; an empty one where there is none yet. Throws a UserError for one that cannot be read. */
export function readSweepRecord(fs: FileSystem, root: string, experiment: string, name: string): SweepRecord {
  const path = recordPath(root, experiment, name);
  if (!fs.exists(path)) return emptySweepRecord(name);
  const parsed = recordSchema.safeParse(parse(path, fs.readText(path)));
  if (parsed.success) return parsed.data;
  throw new UserError(
    `${path}: ${parsed.error.issues[0]?.path.join('.')}: no record of a sweep; restore the file, or remove it: predictions count then as made after the runs`,
  );
}

/** Keeps a record. Throws a UserError when it cannot be written. */
export function writeSweepRecord(
  fs: FileSystem,
  root: string,
  experiment: string,
  record: SweepRecord,
): void {
  makeFolderBelow(fs, root, sweepPath(root, experiment, record.sweep));
  writeAtomically(fs, recordPath(root, experiment, record.sweep), `${JSON.stringify(record, null, 2)}\n`);
}

function parse(path: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new UserError(`${path}: not JSON (${systemMessage(error)}); restore the file or remove it`, {
      cause: error,
    });
  }
}

/**
 * Whether a prediction was made before the runs that it is about.
 *
 * - `registered`: it stood in the file by which the first of them began
 * - `changed`: it said something else then
 * - `added`: it did not stand there
 * - `unknown`: the runs began by a file that the record does not have
 * - `open`: there is no run yet
 */
export type Registration = 'registered' | 'changed' | 'added' | 'unknown' | 'open';

/** What is said beside a prediction that was not made before its runs; null where there is nothing to say. */
export const registrationMarks: Readonly<Record<Registration, string | null>> = {
  registered: null,
  open: null,
  changed: 'changed after first run',
  added: 'added after first run',
  unknown: 'not known to be older than its runs',
};

/** A run, and the version of a sweep file by which it began; null for a run of no sweep, or an older one. */
export interface BegunRun {
  readonly started: string;
  readonly hash: string | null;
}

/**
 * The {@link Registration} of a prediction.
 *
 * @param arms names of the arms that it compares
 * @param begun their runs
 */
export function registrationOf(
  prediction: SweepPrediction,
  { versions, firstRuns }: SweepRecord,
  arms: readonly string[],
  begun: readonly BegunRun[],
): Registration {
  // A run that was trained again is younger than the first one of its arm, which the record keeps.
  const first = [...begun, ...arms.flatMap((arm) => firstRuns[arm] ?? [])].toSorted((a, b) =>
    a.started < b.started ? -1 : 1,
  )[0];
  if (first === undefined) return 'open';
  const version = versions.find(({ hash }) => hash === first.hash);
  if (version === undefined) return first.hash === null ? 'added' : 'unknown';
  const before = version.predictions.find(({ id }) => id === prediction.id);
  if (before === undefined) return 'added';
  return hashConfig(content(before)) === hashConfig(content(prediction)) ? 'registered' : 'changed';
}

/** What a new version of a sweep file says otherwise than the one before of anything but configs, a line each. */
export function versionChanges(before: SweepVersion, now: Omit<SweepVersion, 'hash' | 'since'>): string[] {
  const lines: string[] = [];
  const [oldArms, newArms] = [before.arms, now.arms].map(
    (arms) => new Map(arms.map((arm) => [arm.name, arm])),
  );
  for (const [name, arm] of newArms!) {
    const old = oldArms!.get(name);
    if (old === undefined) lines.push(`arm ${name}: new`);
    else if (old.seeds.join() !== arm.seeds.join()) {
      lines.push(`arm ${name}: seeds ${arm.seeds.join(',')} instead of ${old.seeds.join(',')}`);
    }
  }
  for (const name of oldArms!.keys()) {
    if (!newArms!.has(name)) lines.push(`arm ${name}: gone; its runs stay, and take no part`);
  }
  const old = new Map(before.predictions.map((own) => [own.id, hashConfig(content(own))]));
  for (const own of now.predictions) {
    const hash = old.get(own.id);
    if (hash === undefined) lines.push(`prediction ${own.id}: new`);
    else if (hash !== hashConfig(content(own))) lines.push(`prediction ${own.id}: changed`);
    old.delete(own.id);
  }
  for (const id of old.keys()) lines.push(`prediction ${id}: gone`);
  return lines;
}
