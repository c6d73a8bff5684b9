import path from 'node:path';
import { groupColumnName, type Dimensions } from '../src/store/columns.js';
import { finalizeTable } from '../src/store/finalize.js';
import { RunFolder } from '../src/store/run-folder.js';
import { totalTensor } from '../src/store/tables/common.js';
import { tables } from '../src/store/tables/registry.js';
import { TableWriter } from '../src/store/table-writer.js';

/** A run with a long log, of the shape that a run of 31 tensors and 6 groups has. */
export interface LongLog {
  readonly steps: number;
  /** Whether the Gram matrices are logged too: two thirds of such a log. */
  readonly gram: boolean;
}

const groups = ['a/definition', 'a/qa', 'b/definition', 'b/qa', 'c/definition', 'd/definition'];
const tensors = Array.from({ length: 31 }, (_, i) => `layers.${i}.weight`);
const withMinibatch = ['minibatch', ...groups];
const withTotal = [totalTensor, ...tensors];

const dimensions: Dimensions = {
  stages: ['stage1'],
  groups,
  tensors,
  testSets: ['a'],
  subsets: ['a'],
  sketchSize: 8,
};

/** Writes a run with a long log through the store; gives its folder. */
export async function writeLongRun(root: string, name: string, { steps, gram }: LongLog): Promise<string> {
  const folder = path.join(root, `${name}-seed0`);
  const run = RunFolder.create(
    folder,
    {
      experiment: 'bench',
      name,
      seed: 0,
      versions: { gradscope: 'bench' },
      engine: 'none',
      dataHash: 'none',
      parameters: tensors.map((tensor, i) => ({ tensor, shape: [8], offset: 8 * i, length: 8 })),
      groups,
      stages: [
        {
          name: 'stage1',
          trainOn: 'stage1',
          firstStep: 0,
          steps,
          stepsPerEpoch: 100,
          batchSize: 128,
          examples: 12_800,
          sampler: 'shuffle',
          optimizer: 'sgd',
          learningRate: 0.1,
        },
      ],
      siblings: [`${name}-seed0`],
      command: ['bench'],
      stepsTotal: steps,
    },
    `name: ${name}\n`,
  );
  writeSteps(folder, steps);
  writeGradients(folder, steps);
  if (gram) writeGram(folder, steps);
  for (const table of ['steps', 'gradients', ...(gram ? ['gram'] : [])]) await finalizeTable(folder, table);
  run.update({ stepsDone: steps });
  run.end('complete');
  return folder;
}

const value = (step: number, place: number): number =>
  1 + (((step * 7919 + place * 104_729) % 1000) / 1000) ** 2;

function writeSteps(folder: string, steps: number): void {
  const writer = TableWriter.create({ folder, table: tables.steps, dimensions });
  for (let step = 1; step <= steps; step++) {
    const row = writer.reserve(1);
    writer.column('stage')[row] = 0;
    writer.column('step')[row] = step;
    writer.column('stage_step')[row] = step;
    writer.column('epoch')[row] = step / 100;
    writer.column('learning_rate')[row] = 0.1;
    writer.column('batch_size')[row] = 128;
    writer.column('loss')[row] = value(step, 1);
    writer.column('grad_norm')[row] = value(step, 2);
    writer.column('clip_factor')[row] = 1;
    writer.column('update_norm')[row] = NaN;
    writer.column('step_ms')[row] = 4;
    writer.column('log_ms')[row] = 0.3;
    for (const group of groups) writer.column(groupColumnName('examples_', group))[row] = 20;
  }
  writer.close();
}

function writeGradients(folder: string, steps: number): void {
  const writer = TableWriter.create({ folder, table: tables.gradients, dimensions, batchRows: 16_384 });
  for (let step = 1; step <= steps; step++) {
    const first = writer.reserve(withMinibatch.length * withTotal.length);
    const [stage, steps_, group] = [writer.column('stage'), writer.column('step'), writer.column('group')];
    const [tensor, norm2, example] = [
      writer.column('tensor'),
      writer.column('norm2'),
      writer.column('example_norm2'),
    ];
    let row = first;
    for (let g = 0; g < withMinibatch.length; g++) {
      for (let t = 0; t < withTotal.length; t++, row++) {
        stage[row] = 0;
        steps_[row] = step;
        group[row] = g;
        tensor[row] = t;
        norm2[row] = value(step, g);
        example[row] = step % 10 === 0 ? 200 * value(step, g) : NaN;
      }
    }
  }
  writer.close();
}

function writeGram(folder: string, steps: number): void {
  const pairs = groups.length * (groups.length - 1) * 0.5;
  const writer = TableWriter.create({ folder, table: tables.gram, dimensions, batchRows: 16_384 });
  for (let step = 1; step <= steps; step++) {
    const first = writer.reserve(pairs * withTotal.length);
    const [stage, steps_, tensor] = [writer.column('stage'), writer.column('step'), writer.column('tensor')];
    const [a, b] = [writer.column('group_a'), writer.column('group_b')];
    const [inner, cosine] = [writer.column('inner'), writer.column('cosine')];
    let row = first;
    for (let t = 0; t < withTotal.length; t++) {
      for (let i = 1; i <= groups.length; i++) {
        for (let j = i + 1; j <= groups.length; j++, row++) {
          stage[row] = 0;
          steps_[row] = step;
          tensor[row] = t;
          a[row] = i;
          b[row] = j;
          inner[row] = value(step, i * j) - 1.3;
          cosine[row] = (value(step, i * j) - 1.3) / 4;
        }
      }
    }
  }
  writer.close();
}

/** Rows of `gradients` a step. */
export const gradientRows = withMinibatch.length * withTotal.length;

/** Bytes of the log a step: its two large tables. */
export const logBytes = gradientRows * 32 + 15 * withTotal.length * 36;
