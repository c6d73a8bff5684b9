import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll } from 'vitest';
import { loadConfig } from '../../src/config/load.js';
import { runSchema } from '../../src/run/config.js';
import { resumeRuns, startRuns, type RunRequest, type RunsEnd } from '../../src/run/run.js';
import type { TrainingProgress } from '../../src/run/session.js';
import { checkpointSteps, readCheckpoint } from '../../src/run/checkpoint.js';
import type { Engine } from '../../src/train/engine/load.js';

/** The smoke preset shrunk to a few dozen updates. */
export const tiny = [
  'name=tiny',
  'data.variables=40',
  'model.width=16',
  'model.feedForward=32',
  'stages.0.epochs=3',
  'stages.0.batchSize=64',
  'stages.1.epochs=4',
  'evaluation.everyEpochs=1',
  'evaluation.maxExamples=20',
  'log.sketchSize=32',
  'log.sketch={ every: 5 }',
  'log.vectors={ every: 10 }',
  'log.exampleNorms={ every: 4 }',
  'tagExchange=false',
];

/** A temporary folder that is removed when the file's tests are done. */
export function temporaryFolder(): string {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'gradscope-run-'));
  temporary.push(folder);
  return folder;
}

const temporary: string[] = [];
// Not at the exit of the process: test workers are killed.
afterAll(() => {
  for (const folder of temporary) fs.rmSync(folder, { recursive: true, force: true });
});

export interface TinyOptions {
  readonly root: string;
  readonly engine: Engine;
  readonly seeds?: readonly number[];
  readonly overrides?: readonly string[];
  readonly onProgress?: (progress: TrainingProgress, abort: () => void) => void;
  readonly request?: Partial<RunRequest>;
}

/** A request that tells nobody anything and is not aborted. */
export function quietRequest(root: string, engine: Engine): RunRequest {
  return {
    root,
    engine,
    command: ['test'],
    signal: new AbortController().signal,
    onProgress: () => {},
    onMessage: () => {},
    existing: 'refuse',
    versions: {},
  };
}

function requestOf({ root, engine, onProgress, request }: TinyOptions): RunRequest {
  const abort = new AbortController();
  return {
    ...quietRequest(root, engine),
    signal: abort.signal,
    onProgress: (progress) => onProgress?.(progress, () => abort.abort()),
    ...request,
  };
}

/** Trains tiny runs. */
export function trainTiny(options: TinyOptions): Promise<RunsEnd> {
  const { config, resolved } = loadConfig('configs/set-inclusion-smoke.yaml', runSchema, [
    ...tiny,
    ...(options.overrides ?? []),
  ]);
  return startRuns(config, resolved, options.seeds ?? [0], requestOf(options));
}

export function resumeTiny(folder: string, options: TinyOptions): Promise<RunsEnd> {
  return resumeRuns(folder, requestOf(options));
}

/** Parameters of a run's last checkpoint, by name. */
export function finalWeights(folder: string): Map<string, Float32Array> {
  const last = checkpointSteps(folder).at(-1)!;
  return new Map(readCheckpoint(folder, last).parameters.map(({ name, values }) => [name, values]));
}
