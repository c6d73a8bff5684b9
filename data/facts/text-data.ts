import { subsetOf } from '../design.js';
import { UserError } from '../errors.js';
import type { BuildOptions, Counterfactuals, ExperimentData, TextShape } from '../experiment.js';
import type { LossConfig } from '../loss.js';
import { textExamples, type TextRow, type TextSection } from '../text/examples.js';
import { pairLayout, textLayout, type TextLayout } from '../text/layout.js';
import { textPieces } from '../text/pieces.js';
import { writeTrainingRow } from '../text/rows.js';
import { buildFactRows, type FactRows } from './build.js';
import type { FactConfig } from './config.js';
import { factDesign } from './design.js';
import { tagLetters, variableLetters } from './draws.js';
import type { EncodedRow, FactEncoder } from './encoder.js';
import { encoderOf } from './encoder-of-config.js';
import type { FactEntity } from './fact-set.js';
import { realNames } from './fact-subsets.js';
import { majorityBaseline, majorityOfEntities } from './majority.js';
import { pretrainingRows } from './pretraining.js';
import { longestLengths } from './row-lengths.js';
import type { FactRow, FactSection } from './rows.js';
import { withAnswer } from './sentence.js';

/** A row of a fact experiment, in tokens. */
interface EncodedFact extends TextRow {
  readonly row: FactRow;
  readonly text: EncodedRow;
  readonly contrast: EncodedRow | null;
  readonly alternatives?: readonly EncodedRow[];
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
      const asked = group === null ? { ...test, rightAnswers: own.map(({ answers }) => answers) } : test;
      return own.every(({ asks }) => majority.has(asks))
        ? {
            ...asked,
            majority: Float32Array.from(own, ({ asks, answers }) =>
              answers[0] === majority.get(asks) ? 1 : 0,
            ),
          }
        : asked;
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
      ...(layout.inputLength === undefined ? {} : { inputLength: layout.inputLength }),
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
      ...alternativesOf(row, group, encoder),
      variable: row.variable >= 0 ? row.variable : entities + row.entity,
    })),
  };
}

/** The row with each other answer that counts as right, where the row is a question. */
function alternativesOf(
  row: FactRow,
  group: FactSection['group'],
  encoder: FactEncoder,
): Pick<EncodedFact, 'alternatives'> {
  const { question, answers } = row;
  if (group !== null || answers.length < 2) return {};
  return {
    alternatives: answers
      .slice(1)
      .map((answer) => encoder.encode({ question, parts: withAnswer(row, answer) })),
  };
}

/** The row with the answer of another entity; null where there is none. */
function contrastOf(row: FactRow, encoder: FactEncoder): EncodedRow | null {
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
  const rows = sections.flatMap((section) => section.rows);
  if (loss.target === 'answer' && rows.some(({ text }) => text.answerLength === 0)) {
    throw new UserError(
      `data.definitions: nothing is asked of ${config.definitions}, which are trained on as whole texts; set loss.target to text`,
    );
  }
  const { blockSize, format, brackets, tags } = config;
  const longest = longestLengths(
    rows.flatMap(({ text, contrast, alternatives = [], row }) =>
      [text, ...(contrast === null ? [] : [contrast]), ...alternatives].map((own) => ({
        text: own,
        asksDefinition: row.asks === 'definition',
      })),
    ),
    {
      variable: encoder.nameLength(variableLetters, brackets),
      // Tags that are words are as long for every seed.
      tag:
        Object.values(tags).filter((text) => text !== undefined).length === 3
          ? 1
          : encoder.nameLength(tagLetters, brackets),
    },
  );
  const common = { blockSize, padToken: encoder.padToken, outputSize: encoder.vocabularySize, loss };
  // The question ends before the last token of its answer.
  const least =
    format === 'seq2seq' ? longest.question : loss.target === 'text' ? longest.text : longest.text - 1;
  if (blockSize !== undefined && blockSize < least) throw tooLong(rows, blockSize, least);
  return format === 'seq2seq'
    ? pairLayout({ ...common, longestSource: longest.question, longestAnswer: longest.answer })
    : textLayout({ ...common, longestText: longest.text, longestAnswer: longest.answer });
}

/** What is said of texts that do not fit, with the longest of this seed. */
function tooLong(rows: readonly EncodedFact[], blockSize: number, least: number): UserError {
  const { row, text } = rows.reduce((most, own) =>
    own.text.tokens.length > most.text.tokens.length ? own : most,
  );
  return new UserError(
    `data.blockSize: ${blockSize} is too small: ${JSON.stringify(row.text.slice(0, 80))} has ${text.tokens.length} tokens, and names ` +
      `of other seeds can be longer; raise it to ${least}`,
  );
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
