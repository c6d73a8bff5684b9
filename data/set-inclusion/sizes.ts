import { assignSubsets } from '../assignment.js';
import { UserError } from '../errors.js';
import type { DataSizes } from '../experiment.js';
import { fieldSize } from '../fields.js';
import type { LossConfig } from '../loss.js';
import { groupName, type GroupName } from '../design.js';
import { subsetNames, subsets } from '../subsets.js';
import { questionFields, textLayout, trainingFields } from '../text/layout.js';
import { groupsOf } from '../train-subsets.js';
import { setInclusionProblems } from './config-problems.js';
import type { SetInclusionConfig } from './config.js';
import { questionsPerPart } from './points.js';
import { vocabularySizes } from './vocabulary.js';

/** Bytes of a row beside its fields, while the data are built: its object, its list of tokens, group and variable. */
const bytesPerRow = 300;

/** Sizes of the data of a config. Throws a UserError for a config of which no data can be built. */
export function setInclusionSizes(config: SetInclusionConfig, loss: LossConfig): DataSizes {
  const [problem] = setInclusionProblems(config);
  if (problem) throw new UserError(`data.${problem.path}: ${problem.message}`);
  const groups: GroupName[] = [];
  const rows: number[] = [];
  let testRows = 0;
  let largestTest = 0;
  const assignment = assignSubsets(config);
  for (const subset of subsetNames) {
    const variables = assignment.get(subset)?.length;
    if (variables === undefined) continue;
    const add = (kind: 'definition' | 'qa', size: number): void => {
      groups.push(groupName(subset, kind));
      rows.push(size);
    };
    if (subsets[subset].tag !== null) add('definition', variables);
    if (subsets[subset].trainsQuestions) add('qa', variables * questionsPerPart);
    testRows += variables * questionsPerPart;
    largestTest = Math.max(largestTest, variables * questionsPerPart);
  }
  const vocabulary = vocabularySizes(config);
  const layout = textLayout({
    // A question: variable, list and answer, and two separators in format paper. No definition is longer.
    longestText: config.listLength + (config.format === 'paper' ? 4 : 2),
    blockSize: config.blockSize,
    padToken: vocabulary.padToken,
    outputSize: vocabulary.outputSize,
    loss,
  });
  const total = rows.reduce((sum, size) => sum + size, testRows);
  const numbers = [trainingFields(layout), questionFields(layout)]
    .flatMap((fields) => Object.values(fields))
    .reduce((sum, field) => sum + fieldSize(field), 0);
  return {
    groups,
    training: (subset) => ({
      rows: groupsOf(subset, groups).reduce((sum, i) => sum + rows[i]!, 0),
      mixtureEpoch: null,
    }),
    // Training rows are tested, too: their loss is taken.
    testRows: total,
    largestTest: Math.max(largestTest, ...rows),
    heldOut: questionsPerPart,
    shape: {
      modality: 'text',
      vocabularySize: vocabulary.size,
      variables: vocabulary.variables,
      outputSize: vocabulary.outputSize,
      blockSize: layout.blockSize,
      queries: layout.queries,
      padToken: layout.padToken,
    },
    bytes: total * (4 * numbers + bytesPerRow + 8 * config.listLength),
  };
}
