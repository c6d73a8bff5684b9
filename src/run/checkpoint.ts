import { createHash } from 'node:crypto';
import fs from 'node:fs';
import { z } from 'zod';
import { UserError } from '../../data/errors.js';
import { checkpointFolder, checkpointPath, parameterPrefix } from '../store/checkpoint-path.js';
import { writeAtomically } from '../store/atomic-file.js';
import { systemCode, systemMessage, type FileSystem } from '../store/file-system.js';
import { encodeSafetensors, type NamedTensor } from '../store/safetensors.js';
import { readTensorFile } from '../store/stored-tensors.js';
import type { TableOffsets } from './log/run-tables.js';
import type { StageEnd } from './stage-ends.js';
import type { StopState } from './stage-stop.js';

/** How far a run has come. */
export interface Position {
  /** Number of the stage. */
  readonly stage: number;
  /** Updates of that stage that are done. */
  readonly stageStep: number;
  /** Updates of the whole run that are done. */
  readonly step: number;
}

/**
 * All that a run needs to go on as if it had never stopped. Random numbers need no state of their own: every stream
 * is a function of seed, stage and step, which the metadata of the file hold.
 */
export interface Checkpoint {
  readonly position: Position;
  readonly seed: number;
  /** What the run trains: hash of its config, and of its data. Checkpoints of older versions do not say it. */
  readonly origin: Origin | null;
  readonly tables: TableOffsets;
  readonly parameters: readonly NamedTensor[];
  /** State of the stage's optimizer, named `slot/parameter`. */
  readonly optimizer: readonly NamedTensor[];
  /** How the stages before ended, and its own where it has; none in runs whose stages have no `stop`. */
  readonly ends: readonly StageEnd[];
  /** What the stage's `stop` needs to go on; null where it has none, or has ended. */
  readonly stop: StopState | null;
}

/** Hashes that a run's checkpoints share with its run.json. */
export interface Origin {
  readonly configHash: string;
  readonly dataHash: string;
}

const count = z.int().nonnegative();

const metadataSchema = z.object({
  /** 2 has an origin and a checksum beside it. */
  formatVersion: z.union([z.literal(1), z.literal(2)]),
  seed: z.int(),
  position: z.object({ stage: count, stageStep: count, step: count }),
  tables: z.record(z.string(), count),
  origin: z.object({ configHash: z.string(), dataHash: z.string() }).optional(),
  ends: z
    .array(
      z.object({
        steps: count,
        reason: z.enum(['epochs', 'updates', 'trainingLoss', 'distance']),
        trainingLoss: z.number().nullable(),
        distance: z.number().nullable(),
      }),
    )
    .optional(),
  stop: z.object({ losses: z.array(z.number()), examples: z.array(count) }).optional(),
  randomState: z.string(),
});

/** Entries of the file's metadata. */
const metadataKey = 'gradscope';
const checksumKey = 'gradscope.sha256';

const optimizerPrefix = 'optimizer/';
/** Parameters at the start of the stage. */
const startPrefix = 'start/';

/** Writes a checkpoint so that it is there whole or not at all, also after a power cut. Throws a UserError. */
export function writeCheckpoint(run: string, checkpoint: Checkpoint, fileSystem: FileSystem): string {
  const { position, seed, origin, tables, parameters, optimizer, ends, stop } = checkpoint;
  const file = checkpointPath(run, position.step);
  const prefixed = (prefix: string, tensors: readonly NamedTensor[]): NamedTensor[] =>
    tensors.map((tensor) => ({ ...tensor, name: prefix + tensor.name }));
  const tensors = [
    ...prefixed(parameterPrefix, parameters),
    ...prefixed(optimizerPrefix, optimizer),
    ...prefixed(startPrefix, stop?.start ?? []),
  ];
  const text = JSON.stringify({
    formatVersion: 2,
    seed,
    position,
    tables,
    ...(origin === null ? {} : { origin }),
    ...(ends.length === 0 ? {} : { ends: [...ends] }),
    ...(stop === null ? {} : { stop: { losses: [...stop.losses], examples: [...stop.examples] } }),
    randomState: 'streams are functions of seed, stage and step',
  } satisfies z.infer<typeof metadataSchema>);
  fileSystem.makeFolder(checkpointFolder(run));
  const metadata = { [metadataKey]: text, [checksumKey]: checksumOf(text, tensors) };
  writeAtomically(fileSystem, file, encodeSafetensors({ tensors, metadata }));
  return file;
}

/** SHA-256 of names, shapes and values of parameters. */
export function parametersHash(parameters: readonly NamedTensor[]): string {
  return checksumOf('parameters', parameters);
}

/** SHA-256 of all that a checkpoint says: its metadata, and names, shapes and values of its tensors. */
function checksumOf(text: string, tensors: readonly NamedTensor[]): string {
  const hash = createHash('sha256').update(text);
  for (const { name, shape, values } of tensors) {
    hash.update(`\n${JSON.stringify([name, shape])}\n`);
    hash.update(new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
  }
  return hash.digest('hex');
}

/**
 * Steps at which a run has checkpoints, in order of the steps (not of the file names). Throws a UserError when the
 * folder cannot be read: a run without checkpoints may be begun anew, so that they must not only look missing.
 */
export function checkpointSteps(run: string): number[] {
  let names: string[];
  try {
    names = fs.readdirSync(checkpointFolder(run));
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return [];
    throw new UserError(`${checkpointFolder(run)}: cannot be read (${systemMessage(error)})`, {
      cause: error,
    });
  }
  return names
    .map((name) => /^step-(\d+)\.safetensors$/.exec(name)?.[1])
    .filter((digits) => digits !== undefined)
    .map(Number)
    .toSorted((a, b) => a - b);
}

/**
 * Reads a checkpoint. Throws a UserError for one that is missing, damaged, not that of its file name, or that has
 * values which are not finite.
 */
export function readCheckpoint(run: string, step: number): Checkpoint {
  const file = checkpointPath(run, step);
  const { tensors, metadata } = readTensorFile(file);
  const text = metadata[metadataKey] ?? '';
  const { formatVersion, seed, position, tables, origin, ends, stop } = parseMetadata(file, text);
  if (formatVersion > 1 && metadata[checksumKey] !== checksumOf(text, tensors)) {
    throw new UserError(`${file}: is damaged: its checksum is not that of its content`);
  }
  if (position.step !== step)
    throw new UserError(`${file}: holds step ${position.step}, not that of its name`);
  const broken = tensors.find(({ values }) => !values.every(Number.isFinite));
  if (broken !== undefined) throw new UserError(`${file}: ${broken.name} has values that are not finite`);
  const withPrefix = (prefix: string): NamedTensor[] =>
    tensors
      .filter(({ name }) => name.startsWith(prefix))
      .map((tensor) => ({ ...tensor, name: tensor.name.slice(prefix.length) }));
  return {
    position,
    seed,
    origin: origin ?? null,
    tables,
    parameters: withPrefix(parameterPrefix),
    optimizer: withPrefix(optimizerPrefix),
    ends: ends ?? [],
    stop: stop === undefined ? null : { ...stop, start: withPrefix(startPrefix) },
  };
}

function parseMetadata(file: string, text: string): z.infer<typeof metadataSchema> {
  let content: unknown = null;
  try {
    content = JSON.parse(text);
  } catch {
    // Refused below, like any other text.
  }
  const parsed = metadataSchema.safeParse(content);
  if (!parsed.success) throw new UserError(`${file}: is no checkpoint of this version of gradscope`);
  return parsed.data;
}

/** Removes a checkpoint; a missing one is no error. */
export function removeCheckpoint(run: string, step: number, fileSystem: FileSystem): void {
  fileSystem.remove(checkpointPath(run, step));
}
