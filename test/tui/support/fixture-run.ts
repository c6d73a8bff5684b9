import fs from 'node:fs';
import path from 'node:path';
import type { Dimensions } from '../../../src/store/columns.js';
import { groupColumnName } from '../../../src/store/columns.js';
import type { Environment } from '../../../src/store/environment.js';
import { nodeEnvironment } from '../../../src/store/environment.js';
import { finalizeTable } from '../../../src/store/finalize.js';
import { pairings } from '../../../src/store/tables/alignment.js';
import { RunFolder } from '../../../src/store/run-folder.js';
import { totalTensor, withoutEmbeddings } from '../../../src/store/tables/common.js';
import type { ForceName } from '../../../src/store/tables/forces.js';
import { tables, type TableName } from '../../../src/store/tables/registry.js';
import { TableWriter } from '../../../src/store/table-writer.js';

/**
 * Run folders of a made-up experiment, written through the store: every value is a formula of its place, so that tests
 * know what must be on screen.
 */
export const groups = ['qd1consis/definition', 'qd1consis/qa', 'qd2incons/definition', 'qd2incons/qa'];
export const tensors = ['embed_in.weight', 'layers.0.mlp.weight'];
export const subsets = ['qd1consis', 'qd2incons', 'd1consis', 'd2consis'];
const sketchSize = 64;

export const dimensions: Dimensions = {
  stages: ['stage1', 'stage2'],
  groups,
  tensors,
  testSets: [...subsets.map((own) => `train_${own}`), ...subsets],
  subsets,
  sketchSize,
};

export interface FixtureOptions {
  /** Steps of stage 1; stage 2 has a quarter of them. */
  readonly steps?: number;
  readonly name?: string;
  /** Leaves the run going, with streams up to the middle of stage 1. */
  readonly running?: boolean;
  /** Leaves the tables of the probe away. */
  readonly unprobed?: boolean;
  readonly environment?: Environment;
  /** Other words for stages, test sets and subsets in the tables. */
  readonly rename?: (word: string) => string;
}

/** Deterministic noise in [-1, 1]: golden-ratio multiples, so that no two values are the same. */
export const wobble = (seed: number, place: number): number =>
  2 * (((seed + 1) * (place + 1) * 0.6180339887498949) % 1) - 1;

/** Accuracy of a test set at a step, rising with training; `d1consis` above `d2consis`. */
export function accuracyOf(set: string, step: number, seed: number): number {
  const base =
    { qd1consis: 0.9, qd2incons: 0.8, d1consis: 0.75, d2consis: 0.5 }[set.replace('train_', '')] ?? 0.5;
  return Math.min(
    1,
    base * Math.min(1, 0.5 + step / 100) + 0.01 * wobble(seed, step + 11 * dimensions.testSets.indexOf(set)),
  );
}

export const lossOf = (step: number, seed: number): number => 2 / Math.sqrt(step) + 0.05 * wobble(seed, step);
export const gradNormOf = (step: number, seed: number): number =>
  step === 7 ? 50 : 1 + 0.2 * wobble(seed, 3 * step);

/** Cosine of a pairing of an entity: the reliable tag is aligned, the other is not. */
export function cosineOf(
  subset: string,
  pairing: string,
  variable: number,
  tensor: string,
  step: number,
  seed: number,
): number {
  const scale = step === 0 ? 0 : tensor === withoutEmbeddings ? 0.1 : 1;
  const noise = 0.02 * wobble(seed, 7 * variable + pairing.length);
  const reliable = subset === 'qd1consis' || subset === 'd1consis';
  if (pairing === 'matched') return scale * (reliable ? 0.4 : -0.1) + noise;
  if (pairing === 'tag_swap') return scale * (reliable ? -0.1 : 0.4) + noise;
  // The tag does a little to any questions: the null is not 0.
  return noise / 10 + (pairing === 'mismatched' && reliable ? 0.003 * scale : 0);
}

/** Writes a run; gives its folder. */
export async function writeRun(root: string, seed: number, options: FixtureOptions = {}): Promise<string> {
  const {
    steps = 40,
    name = 'tiny',
    running = false,
    unprobed = false,
    environment = nodeEnvironment,
    rename = (own) => own,
  } = options;
  word = rename;
  written = {
    ...dimensions,
    stages: dimensions.stages.map(rename),
    testSets: dimensions.testSets.map(rename),
    subsets: dimensions.subsets.map(rename),
  };
  const second = Math.floor(steps / 4);
  const total = steps + second;
  const done = running ? Math.floor(steps / 2) : total;
  const folder = path.join(root, `${name}-seed${seed}`);
  const run = RunFolder.create(
    folder,
    newRun(seed, name, steps, second),
    `name: ${name}\ndata: { alpha: 1 }\n`,
    environment,
  );
  const stageOf = (step: number): number => (step > steps ? 1 : 0);
  writeSteps(folder, seed, done, stageOf, steps);
  writeLog(folder, seed, done, stageOf);
  writeMetrics(folder, seed, done, stageOf);
  writeEvents(folder, seed);
  run.update({ stepsDone: done });
  if (running) return folder;
  if (!unprobed) {
    writeAlignment(folder, seed, [0, steps, total], stageOf);
    writeTokens(folder);
    writePenalty(folder, seed, steps);
    writeTransfer(folder, seed, steps);
    writePath(folder, seed, steps, total);
    writeLandscape(folder, [0, steps, total], stageOf);
    writeDrift(folder, seed, [0, steps, total], stageOf);
    writeForces(folder, [0, steps / 4, steps / 2]);
  }
  for (const table of Object.keys(tables)) {
    if (fs.existsSync(path.join(folder, `${table}.arrows`))) await finalizeTable(folder, table);
  }
  run.end('complete');
  return folder;
}

/** What a run of these tests says about itself. */
export function newRun(seed: number, name: string, steps: number, second: number) {
  const stage = (own: string, trainOn: string, firstStep: number, count: number) => ({
    name: own,
    trainOn,
    firstStep,
    steps: count,
    stepsPerEpoch: 10,
    batchSize: 16,
    examples: 160,
    sampler: 'shuffle',
    optimizer: 'sgd',
    learningRate: 0.1,
  });
  return {
    experiment: 'set-inclusion',
    name,
    seed,
    versions: { gradscope: '0.1.0', node: '20.20.2' },
    engine: 'native',
    dataHash: 'sha256:00',
    parameters: tensors.map((tensor, i) => ({ tensor, shape: [4], offset: 4 * i, length: 4 })),
    groups,
    stages: [stage('stage1', 'stage1', 0, steps), stage('stage2', 'stage2', steps, second)],
    siblings: [`${name}-seed${seed}`],
    command: ['gradscope', 'run', 'configs/tiny.yaml', '--seed', String(seed)],
    stepsTotal: steps + second,
  };
}

/** Words of the dictionaries of the run that is being written, and what makes them of ours. */
let written = dimensions;
let word = (own: string): string => own;

/** A writer of a table, which `fill` gives its rows; the stream is closed when it returns. */
function table<N extends TableName>(
  folder: string,
  name: N,
  fill: (writer: TableWriter<(typeof tables)[N]>) => void,
): void {
  const writer = TableWriter.create({ folder, table: tables[name], dimensions: written, batchRows: 256 });
  try {
    fill(writer);
  } finally {
    writer.close();
  }
}

type StageOf = (step: number) => number;

/** Appends steps to the table `steps` of a run that is going. */
export function writeSteps(
  folder: string,
  seed: number,
  last: number,
  stageOf: StageOf,
  stageSteps: number,
): void {
  table(folder, 'steps', (writer) => {
    for (let step = 1; step <= last; step++) {
      const row = writer.reserve(1);
      writer.column('stage')[row] = stageOf(step);
      writer.column('step')[row] = step;
      writer.column('stage_step')[row] = step > stageSteps ? step - stageSteps : step;
      writer.column('epoch')[row] = step / 10;
      writer.column('learning_rate')[row] = 0.1;
      writer.column('batch_size')[row] = 16;
      writer.column('loss')[row] = lossOf(step, seed);
      writer.column('grad_norm')[row] = gradNormOf(step, seed);
      writer.column('clip_factor')[row] = 1;
      writer.column('update_norm')[row] = step % 10 === 1 ? 0.1 : NaN;
      writer.column('step_ms')[row] = 4;
      writer.column('log_ms')[row] = 0.2;
      for (const group of groups) writer.column(groupColumnName('examples_', group))[row] = 4;
    }
  });
}

/** Gradient of a group at a step in a plane: norm 1, at an angle; all of a tag's groups lie near each other. */
function angleOf(group: string, step: number, seed: number): number {
  const base =
    { 'qd1consis/definition': 0.2, 'qd1consis/qa': 0.9, 'qd2incons/definition': 1.7, 'qd2incons/qa': 1.3 }[
      group
    ] ?? 0;
  return base + 0.1 * wobble(seed, step);
}

/** Cosine of two groups at a step. */
export const cosineOfGroups = (a: string, b: string, step: number, seed: number): number =>
  Math.cos(angleOf(a, step, seed) - angleOf(b, step, seed));

function writeLog(folder: string, seed: number, last: number, stageOf: StageOf): void {
  const withTotal = [totalTensor, ...tensors];
  // The plane's gradients are split over the tensors: half of each squared norm.
  const share = (tensor: string): number => (tensor === totalTensor ? 1 : 0.5);
  table(folder, 'gradients', (writer) => {
    for (let step = 1; step <= last; step++) {
      for (const group of ['minibatch', ...groups]) {
        for (const tensor of withTotal) {
          const row = writer.reserve(1);
          writer.column('stage')[row] = stageOf(step);
          writer.column('step')[row] = step;
          writer.column('group')[row] = writer.indexOf('group', group);
          writer.column('tensor')[row] = writer.indexOf('tensor', tensor);
          writer.column('norm2')[row] =
            share(tensor) * (group === 'minibatch' ? gradNormOf(step, seed) ** 2 : 1);
          writer.column('example_norm2')[row] =
            step % 5 === 0 && tensor === totalTensor
              ? group === 'minibatch'
                ? 16 * (20 + wobble(seed, step))
                : 4 * 20
              : NaN;
        }
      }
    }
  });
  table(folder, 'gram', (writer) => {
    for (let step = 1; step <= last; step++) {
      for (const tensor of withTotal) {
        groups.forEach((a, i) =>
          groups.slice(i + 1).forEach((b) => {
            const row = writer.reserve(1);
            const cosine = cosineOfGroups(a, b, step, seed);
            writer.column('stage')[row] = stageOf(step);
            writer.column('step')[row] = step;
            writer.column('tensor')[row] = writer.indexOf('tensor', tensor);
            writer.column('group_a')[row] = writer.indexOf('group_a', a);
            writer.column('group_b')[row] = writer.indexOf('group_b', b);
            writer.column('inner')[row] = share(tensor) * cosine;
            writer.column('cosine')[row] = cosine;
          }),
        );
      }
    }
  });
  table(folder, 'sketches', (writer) => {
    for (let step = 5; step <= last; step += 5) {
      for (const group of groups) {
        const row = writer.reserve(1);
        writer.column('stage')[row] = stageOf(step);
        writer.column('step')[row] = step;
        writer.column('group')[row] = writer.indexOf('group', group);
        writer.column('tensor')[row] = writer.indexOf('tensor', totalTensor);
        const angle = angleOf(group, step, seed);
        const sketch = writer.column('sketch');
        sketch.fill(0, row * sketchSize, (row + 1) * sketchSize);
        sketch[row * sketchSize + 3] = Math.cos(angle);
        sketch[row * sketchSize + 9] = Math.sin(angle);
      }
    }
  });
}

function writeMetrics(folder: string, seed: number, last: number, stageOf: StageOf): void {
  table(folder, 'metrics', (writer) => {
    for (let step = 0; step <= last; step += 10) {
      for (const set of dimensions.testSets) {
        for (const metric of ['accuracy', 'margin']) {
          const row = writer.reserve(1);
          const accuracy = accuracyOf(set, step, seed);
          writer.column('stage')[row] = stageOf(step);
          writer.column('step')[row] = step;
          writer.column('epoch')[row] = step / 10;
          writer.column('set')[row] = writer.indexOf('set', word(set));
          writer.column('subset')[row] = writer.indexOf('subset', word(set.replace('train_', '')));
          writer.column('metric')[row] = writer.indexOf('metric', metric);
          writer.column('value')[row] = metric === 'accuracy' ? accuracy : 4 * accuracy - 2;
          writer.column('n')[row] = 120;
          writer.column('standard_error')[row] = 0.02;
        }
      }
    }
  });
}

function writeEvents(folder: string, seed: number): void {
  table(folder, 'events', (writer) => {
    const row = writer.reserve(1);
    writer.column('step')[row] = 0;
    writer.column('time')[row] = Date.UTC(2026, 0, 2);
    writer.column('kind')[row] = writer.indexOf('kind', 'start');
    writer.column('message')[row] = `seed ${seed} starts`;
  });
}

/** Variables of each subset in the panel. */
export const variables = 5;

function writeAlignment(folder: string, seed: number, steps: readonly number[], stageOf: StageOf): void {
  table(folder, 'alignment', (writer) => {
    for (const step of steps) {
      subsets.forEach((subset, s) => {
        for (let i = 0; i < variables; i++) {
          for (const tensor of [totalTensor, withoutEmbeddings, ...tensors]) {
            for (const pairing of pairings) {
              const row = writer.reserve(1);
              const variable = 10 * s + i;
              const cosine = cosineOf(subset, pairing, variable, tensor, step, seed);
              writer.column('stage')[row] = stageOf(step);
              writer.column('step')[row] = step;
              writer.column('subset')[row] = s;
              writer.column('variable')[row] = variable;
              writer.column('questions')[row] = writer.indexOf('questions', s < 2 ? 'trained' : 'heldout');
              writer.column('pairing')[row] = writer.indexOf('pairing', pairing);
              writer.column('definitions')[row] = 1;
              writer.column('tensor')[row] = writer.indexOf('tensor', tensor);
              // Of several definitions the mean of cosines is not the mean inner product over the mean norms.
              writer.column('inner')[row] = 6 * cosine + (pairing.endsWith('mismatched') ? 0.5 : 0);
              writer.column('norm_definition')[row] = 2;
              writer.column('norm_questions')[row] = 3;
              writer.column('cosine')[row] = cosine;
              writer.column('pairwise_cosine')[row] = cosine;
            }
          }
        }
      });
    }
  });
}

/** Words of the tokens of these tests. */
const wordOf = (token: number): string => ['.', 'no', 'yes', 'define1', 'define2'][token] ?? `w${token}`;

/** What the definition of a variable and the question about it say: token and kind of each piece, the last one asked. */
export const tokensSaid = (subset: string, variable: number): readonly (readonly [number, string])[][] => [
  [
    [subset.includes('d1') ? 3 : 4, 'tag'],
    [100 + variable, 'variable'],
    [50, 'entity'],
  ],
  [
    [100 + variable, 'variable'],
    [51, 'other'],
    [52, 'other'],
    [2, 'answer'],
  ],
];

function writeTokens(folder: string): void {
  table(folder, 'panel_tokens', (writer) => {
    subsets.forEach((subset, s) => {
      for (let i = 0; i < variables; i++) {
        tokensSaid(subset, 10 * s + i).forEach((pieces, question) => {
          pieces.forEach(([token, kind], place) => {
            writer.append({
              example: 2 * (variables * s + i) + question,
              subset: s,
              variable: 10 * s + i,
              role: question === 0 ? 'definition' : s < 2 ? 'trained' : 'heldout',
              place,
              kind,
              text: wordOf(token),
              token,
              position: place < pieces.length - 1 ? place : null,
              asked: place === pieces.length - 1,
            });
          });
        });
      }
    });
  });
}

/** Mean squared norm of minibatches of a size, 2 % above the law with Gamma 8 and |G|^2 2 of 160 examples. */
export const measuredNorm2 = (size: number): number => 1.02 * (2 + ((160 - size) / 159) * (8 / size));

function writePenalty(folder: string, _seed: number, step: number): void {
  table(folder, 'penalty', (writer) => {
    for (const size of [8, 16, 32, 64, 160]) {
      const row = writer.reserve(1);
      writer.column('stage')[row] = 0;
      writer.column('step')[row] = step;
      writer.column('sampler')[row] = 0;
      writer.column('draw')[row] = 0;
      writer.column('batch_size')[row] = size;
      writer.column('minibatches')[row] = Math.floor(160 / size);
      writer.column('norm2')[row] = measuredNorm2(size);
      writer.column('example_norm2')[row] = 10;
      writer.column('full_norm2')[row] = 2;
      writer.column('examples')[row] = 160;
      // One learning rate of 0.1 for all parameters.
      writer.column('rated_norm2')[row] = 0.01 * measuredNorm2(size);
      writer.column('rated_example_norm2')[row] = 0.1;
      writer.column('rated_full_norm2')[row] = 0.02;
    }
  });
}

function writeTransfer(folder: string, seed: number, step: number): void {
  table(folder, 'transfer', (writer) => {
    subsets.forEach((subset, s) => {
      for (let i = 0; i < variables; i++) {
        for (const definition of ['definition', 'tag_swap'] as const) {
          for (const size of [1e-4, 1e-3]) {
            const row = writer.reserve(1);
            const cosine = cosineOf(
              subset,
              definition === 'definition' ? 'matched' : 'tag_swap',
              10 * s + i,
              totalTensor,
              step,
              seed,
            );
            const predicted = -size * 6 * cosine;
            writer.column('stage')[row] = 0;
            writer.column('step')[row] = step;
            writer.column('subset')[row] = s;
            writer.column('variable')[row] = 10 * s + i;
            writer.column('asked')[row] = 10 * s + i;
            writer.column('definition')[row] = writer.indexOf('definition', definition);
            writer.column('step_size')[row] = size;
            writer.column('update')[row] = writer.indexOf('update', 'sgd');
            writer.column('predicted')[row] = predicted;
            writer.column('curvature')[row] = 0;
            writer.column('norm_update')[row] = size;
            writer.column('norm_questions')[row] = 3;
            writer.column('cosine')[row] = cosine;
            writer.column('preconditioned_cosine')[row] = NaN;
            // Curvature: a larger step explains less.
            writer.column('actual')[row] = predicted / (1 + 100 * size);
            writer.column('loss')[row] = 0.7;
          }
        }
      }
    });
  });
}

/** Fall of the loss of a subset's questions by an update of stage 2: 0.1 or 0.02 nats, predicted 10 % too large. */
export const fallOf = (subset: string): number => (subset === 'd1consis' ? 0.1 : 0.02);

function writePath(folder: string, seed: number, first: number, total: number): void {
  table(folder, 'transfer_path', (writer) => {
    for (let step = first + 1; step <= total; step++) {
      for (const subset of ['d1consis', 'd2consis']) {
        for (let variable = 0; variable < variables; variable++) {
          const row = writer.reserve(1);
          writer.column('stage')[row] = 1;
          writer.column('step')[row] = step;
          writer.column('subset')[row] = writer.indexOf('subset', word(subset));
          writer.column('variable')[row] = variable;
          writer.column('seen')[row] = 1;
          writer.column('predicted')[row] = -1.1 * fallOf(subset);
          writer.column('midpoint')[row] = -fallOf(subset);
          writer.column('own')[row] = -fallOf(subset);
          writer.column('same_tag')[row] = 0;
          writer.column('other_tag')[row] = 0;
          writer.column('loss')[row] = 2 + 0.01 * wobble(seed, variable) - (step - first) * fallOf(subset);
          writer.column('start_loss')[row] = 2 + 0.01 * wobble(seed, variable);
        }
      }
    }
  });
}

function writeLandscape(folder: string, steps: readonly number[], stageOf: StageOf): void {
  table(folder, 'landscape', (writer) => {
    for (const step of steps) {
      const row = writer.reserve(1);
      writer.column('stage')[row] = stageOf(step);
      writer.column('step')[row] = step;
      writer.column('examples')[row] = 160;
      writer.column('loss')[row] = 2 - step / 100;
      writer.column('loss_gradient_norm')[row] = 1.5;
      writer.column('gamma')[row] = 8;
      writer.column('variance_gradient_norm')[row] = 3;
      writer.column('variance_loss_cosine')[row] = 0.25;
      writer.column('gsnr')[row] = 0.02;
      writer.column('lambda_max')[row] = 7;
      writer.column('lambda_change')[row] = 0;
      writer.column('lambda_examples')[row] = 160;
      // In the coordinates theta / sqrt(0.1).
      writer.column('rated_loss_gradient_norm')[row] = 1.5 * Math.sqrt(0.1);
      writer.column('rated_gamma')[row] = 0.8;
      writer.column('rated_variance_gradient_norm')[row] = 3 * 0.1 ** 1.5;
      writer.column('rated_lambda_max')[row] = 0.7;
    }
  });
}

/** Drift along its prediction, as a share of it: a little less, more so with the larger rate. */
export const driftOf = (seed: number, rate: number): number => 1 - 20 * rate - 0.01 * wobble(seed, 5);

/** Learning rates of the short epochs. */
export const driftRates = [2.5e-4, 1e-3] as const;

function writeDrift(folder: string, seed: number, steps: readonly number[], stageOf: StageOf): void {
  table(folder, 'epoch_drift', (writer) => {
    for (const step of steps) {
      for (const rate of driftRates) {
        const row = writer.reserve(1);
        writer.column('stage')[row] = stageOf(step);
        writer.column('step')[row] = step;
        writer.column('learning_rate')[row] = rate;
        writer.column('minibatches')[row] = 4;
        writer.column('batch_size')[row] = 8;
        writer.column('measured_norm')[row] = 2e-6 * Math.hypot(driftOf(seed, rate), 0.2);
        writer.column('predicted_norm')[row] = 2e-6;
        writer.column('projection')[row] = driftOf(seed, rate);
        writer.column('cosine')[row] = driftOf(seed, rate) / Math.hypot(driftOf(seed, rate), 0.2);
      }
    }
  });
}

/** Change of the mean inner product by a force in one update: of the loss the largest, of matched pairs ten times others'. */
export function forceOf(force: ForceName, subset: string, pairing: string, step: number): number {
  const size = { task: -1, norm: -0.1, alignment: 0.01 }[force];
  const of = { qd1consis: 1, qd2incons: 0.5, d1consis: 2, d2consis: 1 }[subset] ?? 0;
  return (
    size * of * (1 + step / 100) * (pairing.endsWith('mismatched') ? 0.1 : pairing === 'matched' ? 1 : 0.5)
  );
}

function writeForces(folder: string, steps: readonly number[]): void {
  table(folder, 'forces', (writer) => {
    for (const step of steps)
      for (const force of ['task', 'norm', 'alignment'] as const)
        for (const subset of ['qd1consis', 'qd2incons', 'd1consis', 'd2consis'])
          for (const pairing of ['matched', 'mismatched', 'tag_swap', 'tag_swap_mismatched'])
            for (const tensor of [totalTensor, tensors[0]!]) {
              const row = writer.reserve(1);
              const rate = forceOf(force, subset, pairing, step) * (tensor === totalTensor ? 1 : 0.25);
              writer.column('stage')[row] = 0;
              writer.column('step')[row] = step;
              writer.column('force')[row] = writer.indexOf('force', force);
              writer.column('subset')[row] = writer.indexOf('subset', word(subset));
              writer.column('questions')[row] = writer.indexOf(
                'questions',
                subset.startsWith('q') ? 'trained' : 'heldout',
              );
              writer.column('pairing')[row] = writer.indexOf('pairing', pairing);
              writer.column('tensor')[row] = writer.indexOf('tensor', tensor);
              writer.column('pairs')[row] = variables;
              writer.column('inner')[row] = 1;
              writer.column('cosine')[row] = 0.1;
              writer.column('inner_rate')[row] = rate;
              writer.column('cosine_rate')[row] = rate / 10;
            }
  });
}
