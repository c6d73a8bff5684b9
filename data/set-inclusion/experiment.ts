import { subsetOf } from '../design.js';
import { UserError } from '../errors.js';
import type { BuildOptions, Experiment, ExperimentData, TextShape } from '../experiment.js';
import { internalizationDesign } from '../internalization-design.js';
import type { LossConfig } from '../loss.js';
import { textExamples } from '../text/examples.js';
import { textLayout } from '../text/layout.js';
import { assignSubsets, exchangeProblem, exchangeTags, type Assignment } from '../assignment.js';
import { setInclusionSchema, type SetInclusionConfig } from './config.js';
import { setInclusionProblems } from './config-problems.js';
import { textCounterfactuals } from './counterfactuals.js';
import { drawPoints, type Points } from './points.js';
import { textRowGroups, type RowSource } from './rows.js';
import { setInclusionSizes } from './sizes.js';
import { summarise } from './summary.js';
import { vocabularyOf, type Vocabulary } from './vocabulary.js';

/** The data of a set-inclusion run, with what only this experiment has. */
export interface SetInclusionData extends ExperimentData {
  readonly shape: TextShape;
  readonly vocabulary: Vocabulary;
  readonly points: Points;
  readonly assignment: Assignment;
}

/**
 * Builds the data of `seed`, which must be a safe integer. Stage 2 has the same variables for every `seedStage2`.
 * Throws a UserError that names the key for values that are impossible together.
 */
export function buildSetInclusion(
  config: SetInclusionConfig,
  loss: LossConfig,
  seed: number,
  options: BuildOptions = {},
): SetInclusionData {
  const [problem] = setInclusionProblems(config);
  if (problem) throw new UserError(`data.${problem.path}: ${problem.message}`);
  const assigned = assignSubsets(config);
  const assignment = options.exchangeTags === true ? exchangeTags(assigned) : assigned;
  const points = drawPoints(config, seed);
  const vocabulary = vocabularyOf(config, points.names);
  const { definitionOrder, listLength } = config;
  const source: RowSource = { assignment, points, vocabulary, definitionOrder, listLength };
  const rows = textRowGroups(source);
  const layout = textLayout({
    longestText: rows.reduce(
      (longest, { rows: [row] }) => Math.max(longest, row?.text.tokens.length ?? 0),
      0,
    ),
    blockSize: config.blockSize,
    padToken: vocabulary.padToken,
    outputSize: vocabulary.outputSize,
    loss,
  });
  const examples = textExamples(
    rows,
    layout,
    internalizationDesign,
    ({ subset, group }, { variable, text }) => ({
      name: points.names[variable]!,
      entity: String(points.value[variable]!),
      tag: group!.endsWith('/definition') ? (subsetOf(internalizationDesign, subset)?.tag ?? null) : null,
      text: vocabulary.decode(text.tokens),
    }),
    (tokens) => vocabulary.decode(tokens),
  );
  return {
    ...examples,
    counterfactuals: textCounterfactuals(source, layout),
    shape: {
      modality: 'text',
      vocabularySize: vocabulary.size,
      variables: vocabulary.variables,
      outputSize: vocabulary.outputSize,
      blockSize: layout.blockSize,
      queries: layout.queries,
      padToken: layout.padToken,
    },
    decode: (tokens) => vocabulary.decode(tokens),
    summary: summarise(source, rows),
    vocabulary,
    points,
    assignment,
  };
}

/** Set inclusion: is the number that a variable stands for in this list? (Krasheninnikov et al., section 4.) */
export const setInclusion: Experiment<SetInclusionConfig> = {
  name: 'set-inclusion',
  design: internalizationDesign,
  schema: setInclusionSchema,
  exchangeProblem,
  sizes: setInclusionSizes,
  build: buildSetInclusion,
};
