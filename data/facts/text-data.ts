import { subsetOf } from '../design.js';
import { UserError } from '../errors.js';
import type { BuildOptions, Counterfactuals, ExperimentData, TextShape } from '../experiment.js';
import type { LossConfig } from '../loss.js';
import { textExamples, type TextRow, type TextSection } from '../text/examples.js';
import { textLayout, type TextLayout } from '../text/layout.js';
import { textPieces } from '../text/pieces.js';
import { writeTrainingRow, type Text } from '../text/rows.js';
import { buildFactRows, type FactRows } from './build.js';
import type { FactConfig } from './config.js';
import { factDesign } from './design.js';
import type { FactEncoder } from './encoder.js';
import { encoderOf } from './encoder-of-config.js';
import type { FactEntity } from './fact-set.js';
import { realNames } from './fact-subsets.js';
import { majorityBaseline, majorityOfEntities } from './majority.js';
import { pretrainingRows } from './pretraining.js';
import type { FactRow, FactSection } from './rows.js';
import { withAnswer } from './sentence.js';

/** A row of a fact experiment, in tokens. */
interface EncodedFact extends TextRow {
  readonly row: FactRow;
}

/** The data of a run on facts, with what only these experiments have. */
export interface FactData extends ExperimentData {
  readonly shape: TextShape;
  /** The sections in words; empty where the data are facts alone. */
  readonly rows: FactRows | null;
}

/**
 * Builds the data of `seed` from its entities.
 *
 * @param entities with different names; those of the config's number
 * @throws UserError that names the key for values that are impossible together, and for a text longer than `blockSize`
 */
export function buildFactData(
  entities: readonly FactEntity[],
  config: FactConfig,
  loss: LossConfig,
  seed: number,
  options: BuildOptions = {},
): FactData {
  const rows = config.content === 'facts' ? null : buildFactRows(entities, config, seed, options);
  const facts = config.pretraining === null ? null : pretrainingRows(entities, config.pretraining);
  const sections = [
    ...(rows?.sections.filter(({ group }) => group !== null) ?? []),
    ...(facts === null ? [] : [facts.training]),
    ...(rows?.sections.filter(({ group }) => group === null) ?? []),
    // Whether facts are kept is told by the questions in the words of the paper; a pretrained model is asked all.
    ...(facts?.heldOut.slice(0, rows === null ? undefined : 1) ?? []),
  ];
  const encoder = encoderOf(config, entities, rows);
  const encoded = sections.map((section) => encodedSection(section, encoder, entities.length));
  const layout = layoutOf(encoded, config, loss, encoder);
  const examples = textExamples(
    encoded,
    layout,
    factDesign,
    ({ subset, group }, { row }) => ({
      name: rows?.draws.variables[row.variable]?.name ?? entities[row.entity]!.name,
      entity: entities[row.entity]!.name,
      tag: group!.endsWith('/definition') ? (subsetOf(factDesign, subset)?.tag ?? null) : null,
      text: row.text,
    }),
    (tokens) => encoder.decode(tokens),
  );
  const shares = majorityOfEntities(entities);
  const majority = new Map(shares.map(({ asks, answer }) => [asks, answer]));
  return {
    ...examples,
    tests: examples.tests.flatMap((test, i) => {
      const { rows: own, group } = sections[i]!;
      // Of sentences about real names those held out are asked, which tell what a model knows; the others are many.
      if (group !== null && sections[i]!.subset === realNames.name) return [];
      return own.every(({ asks }) => majority.has(asks))
        ? {
            ...test,
            majority: Float32Array.from(own, ({ asks, answers }) =>
              answers[0] === majority.get(asks) ? 1 : 0,
            ),
          }
        : test;
    }),
    ...(rows === null ? {} : { counterfactuals: counterfactualsOf(rows, encoder, layout) }),
    shape: {
      modality: 'text',
      vocabularySize: encoder.vocabularySize,
      tags: encoder.tags,
      variables: encoder.variables,
      outputSize: encoder.vocabularySize,
      blockSize: layout.blockSize,
      queries: layout.queries,
      padToken: layout.padToken,
    },
    decode: (tokens) => encoder.decode(tokens),
    summary: [
      { name: 'entities', value: entities.length },
      {
        name: 'majority baseline, percent',
        value: Math.round(1000 * majorityBaseline(shares)) / 10,
      },
      ...sections.map(({ name, group, rows: own }) => ({
        name: group === null ? `test rows of ${name}` : `rows of ${group}`,
        value: own.length,
      })),
      { name: 'tokens', value: encoder.vocabularySize + encoder.tags + encoder.variables },
    ],
    rows,
  };
}

/** @param entities number of them: rows about no variable are about variable `entities + entity` */
function encodedSection(
  { name, subset, group, rows }: FactSection,
  encoder: FactEncoder,
  entities: number,
): TextSection<EncodedFact> {
  return {
    name,
    subset,
    group,
    rows: rows.map((row) => ({
      row,
      text: encoder.encode(row),
      contrast: contrastOf(row, encoder),
      variable: row.variable >= 0 ? row.variable : entities + row.entity,
    })),
  };
}

/** The row with the answer of another entity; null where there is none. */
function contrastOf(row: FactRow, encoder: FactEncoder): Text | null {
  const { question, contrast, answers } = row;
  if (contrast === null || answers.length === 0) return null;
  return encoder.encode({ question, parts: withAnswer(row, contrast) });
}

function layoutOf(
  sections: readonly TextSection<EncodedFact>[],
  config: FactConfig,
  loss: LossConfig,
  encoder: FactEncoder,
): TextLayout {
  let longestText = 0;
  let longestAnswer = 1;
  let longest: FactRow | null = null;
  for (const { rows } of sections) {
    for (const { text, contrast, row } of rows) {
      for (const own of [text, contrast]) {
        if (own === null || typeof own === 'number') continue;
        longestAnswer = Math.max(longestAnswer, own.answerLength ?? 1);
        if (own.tokens.length <= longestText) continue;
        longestText = own.tokens.length;
        longest = row;
      }
      if (loss.target === 'answer' && text.answerLength === 0) {
        throw new UserError(
          `data.definitions: nothing is asked of ${config.definitions}, which are trained on as whole texts; set loss.target to text`,
        );
      }
    }
  }
  const { blockSize } = config;
  // The question ends before the last token of its answer.
  const least = loss.target === 'text' ? longestText : longestText - 1;
  if (blockSize !== undefined && blockSize < least) {
    throw new UserError(
      `data.blockSize: ${blockSize} is too small: ${JSON.stringify(longest!.text.slice(0, 80))} has ${longestText} tokens; raise it to ${least}`,
    );
  }
  return textLayout({
    longestText,
    longestAnswer,
    blockSize,
    padToken: encoder.padToken,
    outputSize: encoder.vocabularySize,
    loss,
  });
}

function counterfactualsOf(rows: FactRows, encoder: FactEncoder, layout: TextLayout): Counterfactuals {
  return {
    kinds: rows.counterfactualKinds,
    fill(kind, variable, slot, buffers) {
      writeTrainingRow(layout, encoder.encode(rows.counterfactual(kind, variable)), slot, buffers);
    },
    pieces: (kind, variable) =>
      textPieces(layout, encoder.encode(rows.counterfactual(kind, variable)), layout.loss.target, (tokens) =>
        encoder.decode(tokens),
      ),
  };
}
