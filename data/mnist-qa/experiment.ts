import { createHash } from 'node:crypto';
import { assignSubsets, exchangeProblem, exchangeTags, type Assignment } from '../assignment.js';
import { UserError } from '../errors.js';
import type { BuildOptions, Experiment, ExperimentData, ImageShape } from '../experiment.js';
import { loadDigits } from '../images/digits.js';
import { poolImages, type PooledImages } from '../images/pool.js';
import { internalizationDesign } from '../internalization-design.js';
import type { LossConfig } from '../loss.js';
import { createStream } from '../random/streams.js';
import { subsetNames } from '../subsets.js';
import { mnistQaProblems } from './config-problems.js';
import { mnistQaSchema, type MnistQaConfig } from './config.js';
import { gridCounterfactuals } from './counterfactuals.js';
import { drawTestImages, testExamples, trainingExamples } from './examples.js';
import { imageLayout } from './layout.js';
import { gridRowGroups, type GridRowGroup } from './rows.js';
import { imageShape, mnistQaSizes } from './sizes.js';
import { drawTags } from './tags.js';
import { drawVariables, type Variables } from './variables.js';
import { checkLoss, type WriterOptions } from './writer.js';

/** The data of an MNIST question-answering run, with what only this experiment has. */
export interface MnistQaData extends ExperimentData {
  readonly shape: ImageShape;
  readonly variables: Variables;
  readonly assignment: Assignment;
  readonly writer: WriterOptions;
}

/**
 * Builds the data of `seed`, which must be a safe integer. Training rows show digits of the training images, test rows
 * and counterfactuals digits of the test images.
 * Throws a UserError that names the key for values that are impossible together, and the file for digits that cannot be
 * read.
 */
export function buildMnistQa(
  config: MnistQaConfig,
  loss: LossConfig,
  seed: number,
  options: BuildOptions = {},
): MnistQaData {
  const [problem] = mnistQaProblems(config);
  if (problem) throw new UserError(`data.${problem.path}: ${problem.message}`);
  checkLoss(loss);
  const { train, test, hash: digitsHash } = pooledDigits(config);
  const classes = Math.min(train.byClass.length, test.byClass.length);
  const layout = imageLayout(config);
  const assigned = assignSubsets(config);
  const assignment = options.exchangeTags === true ? exchangeTags(assigned) : assigned;
  const variables = drawVariables(config, assignment, classes, seed);
  const tags = drawTags(layout.tagBlocks, config.image, createStream(seed, 'mnist-qa/tags'));
  const writer: WriterOptions = { layout, variables, tags, labels: config.labels, loss };
  const all = gridRowGroups(assignment, variables);
  const images = drawTestImages(
    gridRowGroups(assigned, variables),
    config,
    writer,
    test,
    createStream(seed, 'mnist-qa/test-images'),
  );
  const tests = testExamples(all, config, writer, test, images);
  return {
    ...trainingExamples(all, config, writer, train),
    tests: tests.tests,
    counterfactuals: gridCounterfactuals(writer, test, tests),
    shape: imageShape(config),
    hash: hashOf([JSON.stringify([config, loss, digitsHash]), variables, tags, all, tests.images]),
    summary: summarise(config, assignment, all),
    variables,
    assignment,
    writer,
  };
}

interface Digits {
  readonly train: PooledImages;
  readonly test: PooledImages;
  readonly hash: string;
}

const pooled = new Map<string, Digits>();

/** Digit images of a config, pooled once a process: the seeds of a run share them. */
function pooledDigits({ digits, image: { crop, pooling } }: MnistQaConfig): Digits {
  const key = JSON.stringify([digits, crop, pooling]);
  let own = pooled.get(key);
  if (own === undefined) {
    const { train, test, hash } = loadDigits(digits);
    if (crop > Math.min(train.rows, train.columns)) {
      throw new UserError(
        `data.image.crop: ${crop} pixels, but the images of ${digits} have ${train.rows} x ${train.columns}; lower it`,
      );
    }
    own = { train: poolImages(train, crop, pooling), test: poolImages(test, crop, pooling), hash };
    const classes = Math.max(own.train.byClass.length, own.test.byClass.length);
    for (let digit = 0; digit < classes; digit++) {
      if ((own.train.byClass[digit]?.length ?? 0) * (own.test.byClass[digit]?.length ?? 0) > 0) continue;
      throw new UserError(
        `data.digits: ${digits} has no images of class ${digit} for training or for tests; give a folder with every class in both`,
      );
    }
    pooled.set(key, own);
  }
  return own;
}

function hashOf(
  parts: readonly [string, Variables, readonly Uint8Array[], readonly GridRowGroup[], readonly Int32Array[]],
): string {
  const [text, variables, tags, all, images] = parts;
  const hash = createHash('sha256').update(text);
  for (const values of Object.values(variables)) if (values instanceof Uint8Array) hash.update(values);
  for (const tag of tags) hash.update(tag);
  for (const { subset, kind, group, rows } of all) {
    hash.update(JSON.stringify([subset, kind, group, rows.map(({ variable, cell }) => [variable, cell])]));
  }
  for (const shown of images) hash.update(shown);
  return hash.digest('hex');
}

function summarise(
  config: MnistQaConfig,
  assignment: Assignment,
  all: readonly GridRowGroup[],
): ExperimentData['summary'] {
  return [
    { name: 'variables', value: config.variables },
    ...subsetNames.flatMap((subset) => {
      const members = assignment.get(subset);
      return members === undefined ? [] : [{ name: `variables of ${subset}`, value: members.length }];
    }),
    ...all.map(({ subset, group, rows }) => ({
      name: group === null ? `test questions of ${subset}` : `rows of ${group}`,
      value: rows.length,
    })),
    { name: 'images of every test question', value: config.testImages },
  ];
}

/**
 * MNIST question answering: which label does the framed cell of this grid of digits have? (Krasheninnikov et al.,
 * section 3.2.)
 */
export const mnistQa: Experiment<MnistQaConfig> = {
  name: 'mnist-qa',
  design: internalizationDesign,
  schema: mnistQaSchema,
  exchangeProblem,
  sizes: mnistQaSizes,
  build: buildMnistQa,
};
