import { assignSubsets } from '../assignment.js';
import { UserError } from '../errors.js';
import type { DataSizes, ImageShape } from '../experiment.js';
import type { LossConfig } from '../loss.js';
import { groupName, type GroupName } from '../design.js';
import { subsetNames, subsets } from '../subsets.js';
import { groupsOf } from '../train-subsets.js';
import { mnistQaProblems } from './config-problems.js';
import type { MnistQaConfig } from './config.js';
import { imageLayout } from './layout.js';
import { checkLoss } from './writer.js';

/** Bytes of a row beside its images: its object, its place among the rows of its section, group and variable. */
const bytesPerRow = 100;

/** Sizes of the data of a config. Throws a UserError for a config of which no data can be built. */
export function mnistQaSizes(config: MnistQaConfig, loss: LossConfig): DataSizes {
  const [problem] = mnistQaProblems(config);
  if (problem) throw new UserError(`data.${problem.path}: ${problem.message}`);
  checkLoss(loss);
  const cells = config.grid ** 2;
  const heldOut = Math.min(config.heldOutCells, cells);
  const groups: GroupName[] = [];
  const rows: number[] = [];
  const tests: number[] = [];
  let heldOutPerVariable = 0;
  const assignment = assignSubsets(config);
  for (const subset of subsetNames) {
    const variables = assignment.get(subset)?.length;
    if (variables === undefined) continue;
    const { tag, trainsQuestions } = subsets[subset];
    const add = (kind: 'definition' | 'qa', size: number): void => {
      groups.push(groupName(subset, kind));
      rows.push(size);
      tests.push(size * config.testImages);
    };
    if (tag !== null) add('definition', variables);
    if (trainsQuestions) add('qa', variables * (cells - heldOut));
    const questions = (trainsQuestions ? heldOut : cells) * config.testImages;
    heldOutPerVariable = Math.max(heldOutPerVariable, questions);
    tests.push(variables * questions);
  }
  const testRows = tests.reduce((sum, size) => sum + size, 0);
  return {
    groups,
    training: (subset) => ({
      rows: groupsOf(subset, groups).reduce((sum, i) => sum + rows[i]!, 0),
      mixtureEpoch: config.epochExamples,
    }),
    testRows,
    largestTest: Math.max(...tests),
    heldOut: heldOutPerVariable,
    shape: imageShape(config),
    // The images of test rows are kept as numbers of digit images, one per cell.
    bytes: testRows * (4 * cells + bytesPerRow),
  };
}

/** What a model must know of the images of a config. */
export function imageShape(config: Pick<MnistQaConfig, 'grid' | 'image' | 'labels'>): ImageShape {
  const layout = imageLayout(config);
  return {
    modality: 'image',
    height: layout.height,
    width: layout.width,
    channels: 1,
    outputSize: config.labels + 1,
    queries: layout.cells,
    answers: [...answerNames(config.labels), '_'],
    queryColumns: layout.grid,
  };
}

/** A, B, ... for up to 26 labels, otherwise numbers. */
function answerNames(labels: number): string[] {
  return Array.from({ length: labels }, (_, label) =>
    labels <= 26 ? String.fromCodePoint(65 + label) : String(label),
  );
}
