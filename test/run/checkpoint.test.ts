import { checkpointPath } from '../../src/store/checkpoint-path.js';
import fs from 'node:fs';
import path from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { loadConfig } from '../../src/config/load.js';
import { readFittingCheckpoint } from '../../src/run/checkpoint-fit.js';
import {
  checkpointSteps,
  readCheckpoint,
  writeCheckpoint,
  type Checkpoint,
} from '../../src/run/checkpoint.js';
import { runSchema } from '../../src/run/config.js';
import { type RunPlan } from '../../src/run/plan.js';
import { planRun } from '../support/plan-run.js';
import { nodeFileSystem } from '../../src/store/file-system.js';
import { decodeSafetensors, encodeSafetensors, type TensorFile } from '../../src/store/safetensors.js';
import { Learner } from '../../src/train/learner.js';
import { createStream } from '../../data/random/streams.js';
import { learningRates } from '../../src/run/learning-rates.js';
import { useTestEngine } from '../train/support/engine.js';
import { temporaryFolder, tiny } from './support.js';

const step = 3;
let plan: RunPlan;
let checkpoint: Checkpoint;
let folder: string;

function planOf(...overrides: readonly string[]): RunPlan {
  const { config } = loadConfig('configs/set-inclusion-smoke.yaml', runSchema, [
    ...tiny,
    'model.layers=1',
    ...overrides,
  ]);
  return planRun(config, [0]);
}

/** A checkpoint of the first stage as a session writes it. */
function checkpointOf(own: RunPlan): Checkpoint {
  const learner = new Learner(own.model, 1, own.config.loss.normalisation);
  learner.initialise([createStream(0, 'initialisation')]);
  const { config } = own.stages[0]!;
  learner.beginStage({ optimizer: config.optimizer, learningRate: learningRates(config) });
  const parameters = learner.parameterValues(0);
  const optimizer = learner.optimizerValues(0);
  learner.dispose();
  return {
    position: { stage: 0, stageStep: step, step },
    seed: 0,
    origin: { configHash: 'config', dataHash: own.data[0]!.hash },
    tables: { steps: 10 },
    parameters,
    optimizer,
    ends: [],
    stop: null,
  };
}

beforeAll(async () => {
  await useTestEngine();
  plan = planOf();
  checkpoint = checkpointOf(plan);
  folder = temporaryFolder();
  writeCheckpoint(folder, checkpoint, nodeFileSystem);
});

const file = (): string => checkpointPath(folder, step);
const read = (own: string, of = plan): Checkpoint => readFittingCheckpoint(of, 0, own, step, 'config');

/** A folder with the checkpoint after a change to what its file says, under the old checksum or as version 1 without one. */
function changed(change: (content: TensorFile) => TensorFile, version: 1 | 2): string {
  const own = temporaryFolder();
  writeCheckpoint(own, checkpoint, nodeFileSystem);
  const content = change(decodeSafetensors(file(), fs.readFileSync(file())));
  const { gradscope = '' } = content.metadata;
  const metadata =
    version === 2
      ? content.metadata
      : { gradscope: gradscope.replace('"formatVersion":2', '"formatVersion":1') };
  fs.writeFileSync(
    checkpointPath(own, step),
    Buffer.concat(encodeSafetensors({ tensors: content.tensors, metadata })),
  );
  return own;
}

test('comes back as it was written, with every optimizer', () => {
  expect(read(folder)).toEqual(checkpoint);
  for (const optimizer of [
    '{ kind: adafactor, learningRate: 0.001 }',
    '{ kind: sgd, learningRate: 0.1, momentum: 0.9 }',
    '{ kind: sgd, learningRate: 0.1 }',
  ]) {
    const own = planOf(`stages.0.optimizer=${optimizer}`);
    const place = temporaryFolder();
    writeCheckpoint(place, checkpointOf(own), nodeFileSystem);
    expect(read(place, own).parameters.length).toBe(own.model.parameters.length);
  }
});

test('one of a version without checksums is read, too', () => {
  expect(read(changed((content) => content, 1)).parameters).toEqual(checkpoint.parameters);
});

/** What a file may say instead of what was written; each is refused with and without a checksum. */
const damages: readonly (readonly [string, (content: TensorFile) => TensorFile, RegExp])[] = [
  [
    'metadata that are no JSON',
    ({ tensors, metadata }) => ({ tensors, metadata: { ...metadata, gradscope: '{' } }),
    /is no checkpoint of this version/,
  ],
  [
    'a tensor that is missing',
    ({ tensors, metadata }) => ({ tensors: tensors.slice(1), metadata }),
    /the parameter \S+ is missing/,
  ],
  [
    'a tensor of another name',
    ({ tensors, metadata }) => ({
      tensors: tensors.map((own, i) => (i === 0 ? { ...own, name: 'parameter/x' } : own)),
      metadata,
    }),
    /the parameter \S+ is missing/,
  ],
  [
    'a tensor more',
    ({ tensors, metadata }) => ({
      tensors: [...tensors, { name: 'parameter/x', shape: [1], values: new Float32Array(1) }],
      metadata,
    }),
    /the model has no parameter x/,
  ],
  [
    'a transposed shape',
    ({ tensors, metadata }) => ({
      tensors: tensors.map((own) => ({ ...own, shape: own.shape.toReversed() })),
      metadata,
    }),
    /the parameter \S+ is \[\d+,\d+\], not \[\d+,\d+\]/,
  ],
  [
    'a flattened shape',
    ({ tensors, metadata }) => ({
      tensors: tensors.map((own) => ({ ...own, shape: [own.values.length] })),
      metadata,
    }),
    /the parameter \S+ is \[\d+\], not \[/,
  ],
  [
    'a value that is no number',
    ({ tensors, metadata }) => ({
      tensors: tensors.map((own, i) => (i === 0 ? { ...own, values: own.values.map(() => NaN) } : own)),
      metadata,
    }),
    /parameter\/\S+ has values that are not finite/,
  ],
  [
    'an infinite value in the optimizer state',
    ({ tensors, metadata }) => ({
      tensors: tensors.map((own, i) =>
        i === tensors.length - 1 ? { ...own, values: own.values.map(() => Infinity) } : own,
      ),
      metadata,
    }),
    /optimizer\/\S+ has values that are not finite/,
  ],
  [
    'optimizer state of another size',
    ({ tensors, metadata }) => ({
      tensors: tensors.map((own, i) =>
        i === tensors.length - 1 ? { ...own, shape: [2], values: new Float32Array(2) } : own,
      ),
      metadata,
    }),
    /the optimizer state \S+ is 2 numbers, not \d+ numbers/,
  ],
  ['a stage that the config does not have', said('"stage":0', '"stage":7'), /it is of stage 8 of 2/],
  [
    'a step that is not the one of its stage',
    said('"stageStep":3', '"stageStep":2'),
    /step 2 of stage stage1 is not step 3 of the run/,
  ],
  ['another seed', said('"seed":0', '"seed":4'), /it is of seed 4, the run of seed 0/],
  ['a table of negative length', said('"steps":10', '"steps":-1'), /is no checkpoint of this version/],
  ['another step than its name', said('"step":3', '"step":4'), /holds step 4, not that of its name/],
];

/** Replaces a piece of the metadata. */
function said(from: string, to: string): (content: TensorFile) => TensorFile {
  return ({ tensors, metadata }) => ({
    tensors,
    metadata: { ...metadata, gradscope: metadata['gradscope']!.replace(from, to) },
  });
}

test('a folder of checkpoints that cannot be read is not one without any', () => {
  const own = temporaryFolder();
  expect(checkpointSteps(own)).toEqual([]);
  fs.writeFileSync(path.join(own, 'checkpoints'), '');
  expect(() => checkpointSteps(own)).toThrow(/checkpoints: cannot be read \(ENOTDIR/);
});

describe('is refused in one line that names the file', () => {
  test.each(damages)('%s', (_, change, reason) => {
    for (const version of [1, 2] as const) {
      const own = changed(change, version);
      const error = ((): unknown => {
        try {
          return read(own);
        } catch (caught) {
          return caught;
        }
      })();
      expect(error).toMatchObject({ name: 'UserError' });
      const { message } = error as Error;
      expect(message.startsWith(`${checkpointPath(own, step)}: `), message).toBe(true);
      expect(message).not.toContain('\n');
      if (version === 1) expect(message).toMatch(reason);
    }
  });

  test('one bit of a weight', () => {
    const own = temporaryFolder();
    writeCheckpoint(own, checkpoint, nodeFileSystem);
    const bytes = fs.readFileSync(checkpointPath(own, step));
    bytes[bytes.length - 400]! ^= 1;
    fs.writeFileSync(checkpointPath(own, step), bytes);
    expect(() => read(own)).toThrow(/is damaged: its checksum is not that of its content/);
  });

  test('another config, other data', () => {
    expect(() => readFittingCheckpoint(plan, 0, folder, step, 'other')).toThrow(
      /the hash of the config in it/,
    );
    const { data } = plan;
    const other = { ...plan, data: data.map((own) => ({ ...own, hash: 'other' })) };
    expect(() => read(folder, other)).toThrow(/it was trained on other data/);
  });

  test('one that is not there', () => {
    expect(() => readCheckpoint(folder, 99)).toThrow(/step-00000099\.safetensors: cannot be read \(ENOENT/);
  });
});
