import fs from 'node:fs';
import path from 'node:path';
import { z } from 'zod';
import { UserError } from '../../data/errors.js';
import { writeAtomically } from '../store/atomic-file.js';
import type { FileSystem } from '../store/file-system.js';
import { decodeSafetensors, encodeSafetensors, type NamedTensor } from '../store/safetensors.js';
import type { TableOffsets } from './log/run-tables.js';

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
  readonly tables: TableOffsets;
  readonly parameters: readonly NamedTensor[];
  /** State of the stage's optimizer, named `slot/parameter`. */
  readonly optimizer: readonly NamedTensor[];
}

const metadataSchema = z.object({
  formatVersion: z.literal(1),
  seed: z.int(),
  position: z.object({ stage: z.int(), stageStep: z.int(), step: z.int() }),
  tables: z.record(z.string(), z.int()),
  randomState: z.string(),
});

const parameterPrefix = 'parameter/';
const optimizerPrefix = 'optimizer/';

/** Folder of a run's checkpoints. */
export function checkpointFolder(run: string): string {
  return path.join(run, 'checkpoints');
}

function checkpointPath(run: string, step: number): string {
  return path.join(checkpointFolder(run), `step-${String(step).padStart(8, '0')}.safetensors`);
}

/** Writes a checkpoint so that it is there whole or not at all, also after a power cut. Throws a UserError. */
export function writeCheckpoint(run: string, checkpoint: Checkpoint, fileSystem: FileSystem): string {
  const { position, seed, tables, parameters, optimizer } = checkpoint;
  const file = checkpointPath(run, position.step);
  const prefixed = (prefix: string, tensors: readonly NamedTensor[]): NamedTensor[] =>
    tensors.map((tensor) => ({ ...tensor, name: prefix + tensor.name }));
  fileSystem.makeFolder(checkpointFolder(run));
  writeAtomically(
    fileSystem,
    file,
    encodeSafetensors({
      tensors: [...prefixed(parameterPrefix, parameters), ...prefixed(optimizerPrefix, optimizer)],
      metadata: {
        gradscope: JSON.stringify({
          formatVersion: 1,
          seed,
          position,
          tables,
          randomState: 'streams are functions of seed, stage and step',
        } satisfies z.infer<typeof metadataSchema>),
      },
    }),
  );
  return file;
}

/** Steps at which a run has checkpoints, in order of the steps (not of the file names). */
export function checkpointSteps(run: string): number[] {
  let names: string[];
  try {
    names = fs.readdirSync(checkpointFolder(run));
  } catch {
    return [];
  }
  return names
    .map((name) => /^step-(\d+)\.safetensors$/.exec(name)?.[1])
    .filter((digits) => digits !== undefined)
    .map(Number)
    .toSorted((a, b) => a - b);
}

/** Reads a checkpoint. Throws a UserError for a missing or damaged one. */
export function readCheckpoint(run: string, step: number): Checkpoint {
  const file = checkpointPath(run, step);
  let bytes: Uint8Array;
  try {
    bytes = fs.readFileSync(file);
  } catch (error) {
    throw new UserError(`${file}: cannot be read (${(error as Error).message})`, { cause: error });
  }
  const { tensors, metadata } = decodeSafetensors(file, bytes);
  const parsed = metadataSchema.safeParse(JSON.parse(metadata['gradscope'] ?? 'null'));
  if (!parsed.success) throw new UserError(`${file}: is no checkpoint of this version of gradscope`);
  const withPrefix = (prefix: string): NamedTensor[] =>
    tensors
      .filter(({ name }) => name.startsWith(prefix))
      .map((tensor) => ({ ...tensor, name: tensor.name.slice(prefix.length) }));
  return {
    position: parsed.data.position,
    seed: parsed.data.seed,
    tables: parsed.data.tables,
    parameters: withPrefix(parameterPrefix),
    optimizer: withPrefix(optimizerPrefix),
  };
}

/** Removes a checkpoint; a missing one is no error. */
export function removeCheckpoint(run: string, step: number, fileSystem: FileSystem): void {
  fileSystem.remove(checkpointPath(run, step));
}
