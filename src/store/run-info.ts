import { join } from 'node:path';
import { z } from 'zod';
import { designSchema } from '../../data/design.js';
import { UserError } from '../../data/errors.js';
import { printable } from '../../data/printable.js';
import { systemMessage } from './file-system.js';
import { processSchema } from './process-record.js';
import { folderName } from './run-paths.js';

/** Version of `run.json`. A newer one is refused. */
export const runFormatVersion = 1;

const time = z.iso.datetime();
const count = z.int().nonnegative();
/** Names of groups: `qd1consis/definition`. */
const groupName = z
  .string()
  .regex(/^[\w.-]+(?:\/[\w.-]+)*$/, 'expected letters, digits, _, dots, hyphens and /');

const parameterSchema = z.object({
  tensor: z.string(),
  shape: z.array(count),
  /** Place of the tensor's first value in the flattened parameters. */
  offset: count,
  /** Number of its values. */
  length: count,
});

const stageSchema = z.object({
  name: z.string(),
  /** Which rows it trains on: stage1 (X1), stage2 (X2), full (both), ... */
  trainOn: z.string(),
  /** Updates of the run before this stage. */
  firstStep: count,
  /** Those that it had, or, of a stage that has not ended, that it may have. */
  steps: count,
  /** Updates that a stage with a `stop` may have, by which its schedule goes; absent in stages without one. */
  plannedSteps: count.optional(),
  /** How a stage of a run with a `stop` ended, see `StageEnd`; absent before, and in other runs. */
  end: z
    .object({
      reason: z.enum(['epochs', 'updates', 'trainingLoss', 'distance']),
      /** Mean loss of the last epoch's minibatches, nats; null within the first epoch. */
      trainingLoss: z.number().nullable(),
      /** Distance of the parameters from the start of the stage; null where it is not asked for. */
      distance: z.number().nullable(),
    })
    .optional(),
  stepsPerEpoch: count,
  /** As configured; all rows where that is `full`. */
  batchSize: z.int().positive(),
  /** Examples of a whole minibatch: not more than a pass over the rows has. Absent in runs before it was recorded. */
  effectiveBatchSize: z.int().positive().optional(),
  /** Rows of the training set. */
  examples: count,
  sampler: z.string(),
  /** Definition-question pairs of the rows: all, matched. Absent in runs before it was recorded. */
  pairs: z.object({ definitions: count, questions: count, matched: count }).optional(),
  /**
   * Which rows share a minibatch, as configured, with the variables that have a definition and questions; null without a
   * composition that places any. Absent in runs before there were any.
   */
  composition: z
    .object({
      pairs: z.enum(['matched', 'mismatched']),
      share: z.number(),
      place: z.enum(['together', 'apart']),
      variables: count,
      questionsPerVariable: count,
    })
    .nullable()
    .optional(),
  /** Rows from `first` on, of which an epoch meets `perEpoch`; absent in stages that replay none. */
  replay: z.object({ first: count, perEpoch: count }).optional(),
  /**
   * Rows that would make draws as varied if all were equally likely, `1 / sum p^2`: as many as there are rows unless the
   * sampler takes the data's probabilities. Absent in runs before it was recorded.
   */
  effectiveExamples: z.number().optional(),
  /** Whether a row gives another gradient at every sight (noise of the model, fresh images). Absent as the above. */
  freshNoise: z.boolean().optional(),
  optimizer: z.string(),
  /** Full learning rate of the stage, before the schedule. */
  learningRate: z.number(),
  /** The same of each parameter by name: parameter groups have their own. Absent in runs before it was recorded. */
  learningRates: z.record(z.string(), z.number()).optional(),
  /** Largest norm of the whole gradient, null without clipping. Absent as the above. */
  clipNorm: z.number().nullable().optional(),
  /** Examples of each group in the training set; runs of older versions have none, see `stageRoles`. */
  groups: z.array(z.object({ group: groupName, examples: count })).optional(),
});

const runInfoSchema = z.object({
  formatVersion: z.literal(runFormatVersion),
  status: z.enum(['running', 'complete', 'failed', 'interrupted']),
  experiment: folderName,
  name: folderName,
  seed: count,
  /** UTC times, ISO 8601. */
  started: time,
  updated: time,
  ended: time.nullable(),
  /** Versions of gradscope and of what it runs on, by name. */
  versions: z.record(z.string(), z.string()),
  engine: z.string(),
  dataHash: z.string(),
  /** The sections `model` and `loss` of the resolved config, for readers without YAML; absent in older runs. */
  model: z.record(z.string(), z.unknown()).optional(),
  loss: z.record(z.string(), z.unknown()).optional(),
  /** The folder that the model was read from, and the SHA-256 of its config and weights; absent where it was drawn. */
  modelFolder: z.object({ path: z.string(), sha256: z.string() }).optional(),
  parameters: z.array(parameterSchema),
  groups: z.array(groupName),
  /** Subsets, tags and roles as the experiment declares them; absent in runs before it was recorded, see `designOf`. */
  design: designSchema.optional(),
  stages: z.array(stageSchema),
  /** Names of the run folders of the replicas that train in the same process, this one included. */
  siblings: z.array(folderName),
  /**
   * Random text that the runs which started together share, and copies of them: a folder beside this one is a sibling
   * when it has the same. Runs of older versions have none; they are known by {@link siblings} alone.
   */
  group: z.string().optional(),
  /** SHA-256 of the values of config.yaml ({@link hashConfig}). Runs of older versions have none. */
  configHash: z.string().optional(),
  /** Name of the run that this one takes up at its stage of new variables, with their tags exchanged; absent in others. */
  exchangeOf: folderName.optional(),
  /** The run beside it whose parameters it started with, and their SHA-256; absent in runs from initial parameters. */
  pretrained: z.object({ folder: folderName, sha256: z.string() }).optional(),
  /** The sweep that began the run, and the hash of its arms and predictions then; absent in runs of no sweep. */
  sweep: z.object({ name: folderName, hash: z.string() }).optional(),
  command: z.array(z.string()),
  stepsDone: count,
  stepsTotal: count,
  /** Why the run failed, null when it did not. */
  failure: z.string().nullable(),
  /** The process that writes, or wrote last. */
  process: processSchema,
});

/** Content of `run.json`. */
export type RunInfo = z.infer<typeof runInfoSchema>;

/** What a caller says about a new run; the run folder adds the rest. */
export type NewRun = Omit<
  RunInfo,
  'formatVersion' | 'status' | 'started' | 'updated' | 'ended' | 'failure' | 'process' | 'stepsDone'
>;

/** End of the name of a folder that holds the exchanged half of a run; what stands before it is the run's name. */
export const exchangedSuffix = '-exchanged';

/** Path of a run's description. */
export function runInfoPath(folder: string): string {
  return join(folder, 'run.json');
}

/**
 * Read the text of a `run.json`. Throws a UserError naming the file when it is no JSON, of a newer version, or misses
 * an entry. Entries of the run that are not known are kept.
 */
export function parseRunInfo(path: string, text: string): RunInfo {
  const content = parseJson(path, text);
  const version = z.looseObject({ formatVersion: z.number() }).safeParse(content).data?.formatVersion;
  if (version !== undefined && version > runFormatVersion) {
    throw new UserError(
      `${path}: format version ${version} is newer than ${runFormatVersion}, the newest that this gradscope reads; update gradscope`,
    );
  }
  const parsed = runInfoSchema.loose().safeParse(content);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new UserError(
    `${path}: ${printable(issue?.path.join('.') ?? '') || 'the content'}: ${printable(issue?.message ?? 'not a run')}; restore the file or remove the run folder`,
  );
}

/** Text of a `run.json`. */
export function formatRunInfo(info: RunInfo): string {
  return `${JSON.stringify(info, null, 2)}\n`;
}

function parseJson(path: string, text: string): unknown {
  try {
    // Editors of other systems put a byte order mark before a text.
    return JSON.parse(text.startsWith('\ufeff') ? text.slice(1) : text);
  } catch (error) {
    throw new UserError(
      `${path}: not JSON (${printable(systemMessage(error))}); restore the file or remove the run folder`,
      { cause: error },
    );
  }
}
