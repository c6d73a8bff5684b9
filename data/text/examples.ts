import type { Design, GroupName } from '../design.js';
import type { ExampleDescription, ExampleSet, TestSet, TrainSubset } from '../experiment.js';
import { allocateFields, fieldSize } from '../fields.js';
import { hashTables } from '../hash.js';
import { tableExamples, type ExampleTable } from '../table.js';
import { groupsOf } from '../train-subsets.js';
import { questionFields, trainingFields, type TextLayout } from './layout.js';
import { textPieces } from './pieces.js';
import { writeQuestionRow, writeTrainingRow, type Text } from './rows.js';

/** One row before it is padded. */
export interface TextRow {
  readonly text: Text;
  /** A wrong answer: its token where answers are one token, else the text with it; null where there is none. */
  readonly contrast: number | Text | null;
  /** The text with each other answer that counts as right; none when left out. */
  readonly alternatives?: readonly Text[];
  readonly variable: number;
}

/** The rows of one group of training examples, or of a test set. */
export interface TextSection<Row extends TextRow = TextRow> {
  /** Of its test set: `qd1consis`, `train_defs_qd1consis`. */
  readonly name: string;
  readonly subset: string;
  /** Null for rows that are only tested. */
  readonly group: GroupName | null;
  readonly rows: readonly Row[];
}

/** What only an experiment can say of a training example. */
export type TextWords = Pick<ExampleDescription, 'name' | 'entity' | 'tag' | 'text'>;

/** The example sets of a run. */
export interface TextExamples {
  readonly groups: readonly GroupName[];
  training(subset: TrainSubset): ExampleSet;
  examples(): readonly ExampleDescription[];
  readonly tests: readonly TestSet[];
  /** sha256 over all rows. */
  readonly hash: string;
}

/**
 * Writes every row twice, as training sees it and as a test asks it, into two flat tables of which all example sets
 * are selections; where answers are several tokens, also what they are compared with.
 *
 * @param all groups of training examples first
 * @param decode words of token ids
 */
export function textExamples<Row extends TextRow>(
  all: readonly TextSection<Row>[],
  layout: TextLayout,
  design: Design,
  describe: (section: TextSection<Row>, row: Row) => TextWords,
  decode: (tokens: Iterable<number>) => string,
): TextExamples {
  const groups = all.flatMap(({ group }) => (group === null ? [] : [group]));
  const starts = new Map<TextSection<Row>, number>();
  let size = 0;
  for (const section of all) {
    starts.set(section, size);
    size += section.rows.length;
  }
  const group = new Int32Array(size).fill(-1);
  const variable = new Int32Array(size);
  const id = new Int32Array(size).fill(-1);
  const columns = { group, variable, id };
  const asTraining = emptyTable(trainingFields(layout), columns);
  const asQuestion = emptyTable(questionFields(layout), columns);
  const hasContrasts = layout.answerQueries > 1 || layout.inputLength !== undefined;
  const asContrast = hasContrasts ? emptyTable(questionFields(layout), columns) : null;
  for (const [section, start] of starts) {
    const groupIndex = section.group === null ? -1 : groups.indexOf(section.group);
    section.rows.forEach(({ text, contrast, variable: own }, i) => {
      const slot = start + i;
      group[slot] = groupIndex;
      variable[slot] = own;
      // Training sections come first: the place of a row in the tables is its number among the examples.
      if (groupIndex >= 0) id[slot] = slot;
      writeTrainingRow(layout, text, slot, asTraining.buffers);
      const token = typeof contrast === 'number' ? contrast : null;
      writeQuestionRow(layout, text, token, slot, asQuestion.buffers);
      // A row of zeros has the weight 0: there is no answer to compare with.
      if (asContrast !== null && contrast !== null && typeof contrast !== 'number')
        writeQuestionRow(layout, contrast, null, slot, asContrast.buffers);
    });
  }

  const alternatives = alternativesOf(all, layout);
  const rowsOf = (section: TextSection<Row>) =>
    Int32Array.from({ length: section.rows.length }, (_, i) => starts.get(section)! + i);
  const texts = all.flatMap(({ rows }) => rows.map(({ text }) => text));
  const piecesAs = (target: TextLayout['loss']['target']) => (row: number) =>
    textPieces(layout, texts[row]!, target, decode);
  const trained = (rows: Int32Array): ExampleSet =>
    tableExamples(asTraining, rows, piecesAs(layout.loss.target));
  const trainingSections = all.filter((section) => section.group !== null);
  return {
    groups,
    training(subset) {
      const rows = groupsOf(subset, groups, design).flatMap((i) => Array.from(rowsOf(trainingSections[i]!)));
      return trained(Int32Array.from(rows));
    },
    examples: () =>
      trainingSections.flatMap((section) =>
        section.rows.map((row, i) => ({
          group: section.group!,
          variable: row.variable,
          ...describe(section, row),
          ...arraysOf(asTraining, starts.get(section)! + i),
        })),
      ),
    tests: all.map((section, i) => ({
      name: section.name,
      subset: section.subset,
      examples: tableExamples(asQuestion, rowsOf(section), piecesAs('answer')),
      asTraining: trained(rowsOf(section)),
      ...alternatives.of[i],
      ...(asContrast !== null &&
      section.group === null &&
      section.rows.some(({ contrast }) => contrast !== null)
        ? { contrasts: tableExamples(asContrast, rowsOf(section)) }
        : {}),
    })),
    hash: hashTables(
      [asTraining, asQuestion, asContrast, alternatives.table].filter((table) => table !== null),
    ),
  };
}

/** Rows with other right answers, in a table of their own where there are any, and those of each section. */
function alternativesOf(
  sections: readonly TextSection[],
  layout: TextLayout,
): { readonly table: ExampleTable | null; readonly of: readonly Pick<TestSet, 'alternatives'>[] } {
  const all = sections.map(({ rows, group }) =>
    group !== null
      ? []
      : rows.flatMap(({ alternatives = [], variable }, row) =>
          alternatives.map((text) => ({ text, variable, row })),
        ),
  );
  const flat = all.flat();
  if (flat.length === 0) return { table: null, of: sections.map(() => ({})) };
  const table = emptyTable(questionFields(layout), {
    group: new Int32Array(flat.length).fill(-1),
    variable: Int32Array.from(flat, ({ variable }) => variable),
    id: new Int32Array(flat.length).fill(-1),
  });
  flat.forEach(({ text }, slot) => writeQuestionRow(layout, text, null, slot, table.buffers));
  let start = 0;
  return {
    table,
    of: all.map((own) => {
      const rows = Int32Array.from(own, (_, i) => start + i);
      start += own.length;
      if (own.length === 0) return {};
      return {
        alternatives: {
          examples: tableExamples(table, rows),
          of: Int32Array.from(own, ({ row }) => row),
        },
      };
    }),
  };
}

/** Name of the test set of rows: the subset's, with what is told of training rows. */
export function testSetName(subset: string, group: GroupName | null): string {
  if (group === null) return subset;
  return group.endsWith('/definition') ? `train_defs_${subset}` : `train_questions_${subset}`;
}

/** The tables share the columns beside the fields, which are filled once. */
function emptyTable(
  fields: ExampleTable['fields'],
  columns: Pick<ExampleTable, 'group' | 'variable' | 'id'>,
): ExampleTable {
  return { fields, buffers: allocateFields(fields, columns.group.length), ...columns };
}

function arraysOf(
  { fields, buffers }: ExampleTable,
  at: number,
): Omit<ExampleDescription, keyof TextWords | 'group' | 'variable'> {
  const field = (name: string): ArrayLike<number> => {
    const spec = fields[name];
    if (spec === undefined) return [];
    const width = fieldSize(spec);
    return buffers[name]!.subarray(at * width, (at + 1) * width);
  };
  return {
    tokens: field('tokens'),
    positions: field('positions'),
    labels: field('labels'),
    weights: field('weights'),
    digits: [],
    strip: [],
    probability: null,
  };
}
