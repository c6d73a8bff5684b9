import type { ExampleDescription, ExampleSet, FieldBuffers, TestSet, TrainSubset } from '../experiment.js';
import type { PooledImages } from '../images/pool.js';
import type { RandomStream } from '../random/streams.js';
import type { GroupName } from '../design.js';
import { subsets } from '../subsets.js';
import { groupsOf } from '../train-subsets.js';
import type { DrawnSubset, MnistQaConfig } from './config.js';
import { gridPieces } from './pieces.js';
import { testName, wholeGrid, type GridRow, type GridRowGroup } from './rows.js';
import { variableSubset } from './variables.js';
import {
  testFields,
  imageTrainingFields,
  writeAnswers,
  writeTestRow,
  writeImageRow,
  type WriterOptions,
} from './writer.js';

/** The groups of a run and the training sets made of them. */
export interface TrainingExamples {
  readonly groups: readonly GroupName[];
  training(subset: TrainSubset): ExampleSet;
  examples(): readonly ExampleDescription[];
}

/** Training rows, shown at every sight with other images of their digits. `digits`: those of the training part. */
export function trainingExamples(
  all: readonly GridRowGroup[],
  config: MnistQaConfig,
  options: WriterOptions,
  digits: PooledImages,
): TrainingExamples {
  const own = all.filter((section) => section.group !== null);
  const groups = own.map(({ group }) => group!);
  const starts: number[] = [];
  let total = 0;
  for (const { rows } of own) {
    starts.push(total);
    total += rows.length;
  }
  return {
    groups,
    examples: () =>
      own.flatMap((section) => {
        const probability = probabilities(section, own, config);
        return section.rows.map((row, i) => describeExample(options, section, row, probability[i]!));
      }),
    training: (subset) => {
      const chosen = groupsOf(subset, groups);
      const rows = chosen.flatMap((i) => own[i]!.rows);
      const images = new Int32Array(options.layout.cells);
      return {
        size: rows.length,
        fields: imageTrainingFields(options.layout),
        group: Int32Array.from(chosen.flatMap((i) => own[i]!.rows.map(() => i))),
        variable: Int32Array.from(rows, ({ variable }) => variable),
        id: Int32Array.from(chosen.flatMap((i) => own[i]!.rows.map((_, row) => starts[i]! + row))),
        probability: Float64Array.from(chosen.flatMap((i) => probabilities(own[i]!, own, config))),
        epochSize: config.epochExamples,
        fill: (wanted, first, buffers, random) => {
          const stream = random();
          for (let i = 0; i < wanted.length; i++) {
            const row = rowAt(rows, wanted[i]!);
            drawImages(row.variable, options, digits, stream, images);
            writeImageRow(options, digits, row, images, first + i, buffers);
          }
        },
        pieces: (row) => gridPieces(options, rowAt(rows, row)),
        sourceImages: (wanted, random) => {
          const stream = random();
          const { cells } = options.layout;
          const shown = new Int32Array(wanted.length * cells);
          for (let i = 0; i < wanted.length; i++) {
            const target = shown.subarray(i * cells, (i + 1) * cells);
            drawImages(rowAt(rows, wanted[i]!).variable, options, digits, stream, target);
          }
          return shown;
        },
      };
    },
  };
}

/**
 * Probability of each row of a section: that of its subset (shared, where alpha divides one, by the two parts' sizes),
 * times that of its kind, evenly over its rows.
 */
function probabilities(
  { subset, kind, rows }: GridRowGroup,
  all: readonly GridRowGroup[],
  config: MnistQaConfig,
): number[] {
  const familyOf = (name: string): DrawnSubset =>
    name === 'qd1incons' ? 'qd1consis' : name === 'qd2consis' ? 'qd2incons' : (name as DrawnSubset);
  const variablesOf = (section: GridRowGroup): number =>
    new Set(section.rows.map(({ variable }) => variable)).size;
  const sameKind = all.filter((other) => other.kind === kind);
  const family = sameKind.filter((other) => familyOf(other.subset) === familyOf(subset));
  const total = family.reduce((sum, other) => sum + variablesOf(other), 0);
  const share = variablesOf(all.find((other) => other.subset === subset && other.kind === kind)!) / total;
  const hasBoth =
    new Set(all.filter((other) => other.subset === subset).map((other) => other.kind)).size === 2;
  const kindShare = !hasBoth
    ? 1
    : kind === 'definition'
      ? config.definitionShare
      : 1 - config.definitionShare;
  const each = (config.mixture[familyOf(subset)] * share * kindShare) / rows.length;
  return rows.map(() => each);
}

/** Test sets, and which images they show of a variable's definition. */
export interface TestExamples {
  readonly tests: readonly TestSet[];
  /** `[cell]` images of the first test row that shows a variable's definition, or null for one without. */
  definitionImages(variable: number): Int32Array | null;
  /** `[row, cell]` images of each section's rows, for the hash of the data. */
  readonly images: readonly Int32Array[];
}

/** `[testImages, cell]` images with which the row of a section is tested. */
export type TestImages = (section: GridRowGroup, row: GridRow) => Int32Array;

/**
 * Chooses the images of all test rows, once and for all, in the order of the sections. A row is shown with the same
 * images whatever the tag of its variable.
 *
 * @param digits those of the test part
 */
export function drawTestImages(
  all: readonly GridRowGroup[],
  { testImages }: MnistQaConfig,
  options: WriterOptions,
  digits: PooledImages,
  random: RandomStream,
): TestImages {
  const { cells } = options.layout;
  const keyOf = ({ group, kind }: GridRowGroup, { variable, cell }: GridRow): string =>
    `${group === null ? 'held out' : kind} ${variable} ${cell}`;
  const shown = new Map<string, Int32Array>();
  for (const section of all) {
    for (const row of section.rows) {
      const images = new Int32Array(testImages * cells);
      for (let i = 0; i < testImages; i++) {
        drawImages(row.variable, options, digits, random, images.subarray(i * cells, (i + 1) * cells));
      }
      shown.set(keyOf(section, row), images);
    }
  }
  return (section, row) => shown.get(keyOf(section, row))!;
}

/** Test rows: every row of every section `testImages` times, each time with other images. */
export function testExamples(
  all: readonly GridRowGroup[],
  { testImages }: MnistQaConfig,
  options: WriterOptions,
  digits: PooledImages,
  imagesOfRow: TestImages,
): TestExamples {
  const { cells } = options.layout;
  const definitionImages = new Map<number, Int32Array>();
  const shown: Int32Array[] = [];
  const tests = all.map((section): TestSet => {
    const rows = section.rows.flatMap((row) => Array.from({ length: testImages }, () => row));
    const images = new Int32Array(rows.length * cells);
    const imagesOf = (row: number): Int32Array => images.subarray(row * cells, (row + 1) * cells);
    section.rows.forEach((row, i) => {
      images.set(imagesOfRow(section, row), i * testImages * cells);
      if (section.kind === 'definition') definitionImages.set(row.variable, imagesOf(i * testImages));
    });
    shown.push(images);
    const set = (write: typeof writeTestRow, fields: ExampleSet['fields']): ExampleSet => ({
      size: rows.length,
      fields,
      group: new Int32Array(rows.length).fill(-1),
      variable: Int32Array.from(rows, ({ variable }) => variable),
      id: new Int32Array(rows.length).fill(-1),
      fill: (wanted: ArrayLike<number>, first: number, buffers: FieldBuffers) => {
        for (let i = 0; i < wanted.length; i++) {
          const row = wanted[i]!;
          write(options, digits, rowAt(rows, row), imagesOf(row), first + i, buffers);
        }
      },
      pieces: (row) => gridPieces(options, rowAt(rows, row)),
    });
    return {
      name: testName(section),
      subset: section.subset,
      examples: set(writeTestRow, testFields(options.layout)),
      asTraining: set(writeImageRow, imageTrainingFields(options.layout)),
    };
  });
  return { tests, images: shown, definitionImages: (variable) => definitionImages.get(variable) ?? null };
}

/** An example without the images it is shown with, which differ at every sight. */
function describeExample(
  options: WriterOptions,
  { group }: GridRowGroup,
  row: GridRow,
  probability: number,
): ExampleDescription {
  const { layout, variables, tags, labels } = options;
  const { variable, cell } = row;
  const ofVariable = (values: Uint8Array): number[] =>
    Array.from(values.subarray(variable * layout.cells, (variable + 1) * layout.cells));
  const isDefinition = cell === wholeGrid;
  const tag = isDefinition ? subsets[variableSubset(variables, variable)].tag : null;
  const answers = { labels: new Int32Array(layout.cells), weights: new Float32Array(layout.cells) };
  writeAnswers(options, row, 0, answers, {});
  const digits = ofVariable(variables.digits);
  const said = Array.from(answers.labels, (label) => (label === labels ? '_' : String(label)));
  const asked = isDefinition ? `define${tag}` : `cell ${cell}`;
  return {
    group: group!,
    variable,
    name: digits.join(' '),
    entity: ofVariable(variables.labels).join(' '),
    tag,
    text: `${asked} of ${digits.join(' ')}: ${said.join(' ')}`,
    tokens: [],
    positions: isDefinition ? [] : [cell],
    ...answers,
    digits,
    strip: tag === null ? [] : tags[tag - 1]!,
    probability,
  };
}

/** Draws an image of every digit of a variable. */
function drawImages(
  variable: number,
  { variables }: WriterOptions,
  { byClass }: PooledImages,
  random: RandomStream,
  target: Int32Array,
): void {
  const { cells, digits } = variables;
  for (let cell = 0; cell < cells; cell++) {
    const candidates = byClass[digits[variable * cells + cell]!]!;
    target[cell] = candidates[random.integer(candidates.length)]!;
  }
}

function rowAt(rows: readonly GridRow[], row: number): GridRow {
  const found = rows[row];
  if (found === undefined) throw new RangeError(`no row ${row} among ${rows.length}`);
  return found;
}
