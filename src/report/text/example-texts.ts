import type { ExampleSet, ExperimentData, FieldBuffers, TrainSubset } from '../../../data/experiment.js';
import { allocateFields, float32Field, int32Field } from '../../../data/fields.js';
import type { ExamplePiece } from '../../../data/pieces.js';
import { printable } from '../../../data/printable.js';
import { createStream } from '../../../data/random/streams.js';

/** A row that is trained on or tested. */
export interface ExampleRow {
  readonly part: 'training' | 'test';
  /** Group of a training row, subset of a test question. */
  readonly set: string;
  readonly variable: number;
  /** What it says, piece by piece; null where the experiment does not tell. */
  readonly pieces: readonly ExamplePiece[] | null;
}

/** One row of a text experiment, in words and in tokens. */
export interface TextExample extends ExampleRow {
  /** What stands before the answer. */
  readonly text: string;
  readonly answer: string;
  /** A wrong answer, with which the margin of a test question compares it; null for a training row, and where there is none. */
  readonly contrast: string | null;
  /** Token ids of the text and of the answer. */
  readonly tokens: readonly number[];
  readonly answerTokens: readonly number[];
}

/** Where a row comes from. */
interface Place extends Omit<ExampleRow, 'pieces'> {
  readonly examples: ExampleSet;
  readonly row: number;
  readonly contrasts: ExampleSet | undefined;
}

/**
 * Rows of an experiment: of every group that one of the stages trains on, then of the questions about every subset.
 *
 * @param trainOn what the stages train on
 * @param most rows of each group and subset, spread over its variables
 */
function* places(data: ExperimentData, trainOn: readonly TrainSubset[], most: number): Iterable<Place> {
  const shown = new Set<number>();
  for (const subset of new Set(trainOn)) {
    const examples = data.training(subset);
    for (const [index, set] of data.groups.entries()) {
      if (shown.has(index)) continue;
      const rows = spreadRows(examples, most, (row) => examples.group[row] === index);
      if (rows.length > 0) shown.add(index);
      for (const row of rows)
        yield {
          part: 'training',
          set,
          variable: examples.variable[row]!,
          examples,
          row,
          contrasts: undefined,
        };
    }
  }
  for (const { name, examples, contrasts } of data.tests) {
    // These are training rows, asked as questions.
    if (name.startsWith('train_')) continue;
    for (const row of spreadRows(examples, most, () => true))
      yield { part: 'test', set: name, variable: examples.variable[row]!, examples, row, contrasts };
  }
}

/** Rows of any experiment, piece by piece; arguments as of {@link exampleTexts}. */
export function* exampleRows(
  data: ExperimentData,
  trainOn: readonly TrainSubset[],
  most: number,
): Iterable<ExampleRow> {
  for (const { part, set, variable, examples, row } of places(data, trainOn, most))
    yield { part, set, variable, pieces: examples.pieces?.(row) ?? null };
}

/**
 * Rows of a text experiment: of every group that one of the stages trains on, then of the questions about every subset.
 * Nothing for data that are no texts.
 *
 * @param trainOn what the stages train on
 * @param most rows of each group and subset, spread over its variables
 */
export function* exampleTexts(
  data: ExperimentData,
  trainOn: readonly TrainSubset[],
  most: number,
): Iterable<TextExample> {
  const { shape, decode } = data;
  if (shape.modality !== 'text' || decode === undefined) return;
  const buffersOf = (set: ExampleSet, row: number): FieldBuffers => {
    const buffers = allocateFields(set.fields, 1);
    set.fill([row], 0, buffers, () => createStream(0, 'texts'));
    return buffers;
  };
  const read = (
    set: ExampleSet,
    row: number,
    contrasts: ExampleSet | undefined,
  ): Omit<TextExample, keyof ExampleRow> => {
    const buffers = buffersOf(set, row);
    const { tokens, answerTokens } = tokensOf(buffers, shape.padToken);
    let wrong: readonly number[] = 'contrast' in set.fields ? [...int32Field(buffers, 'contrast')] : [];
    if (contrasts !== undefined) wrong = askedTokens(buffersOf(contrasts, row)).map(({ label }) => label);
    return {
      text: decode(tokens),
      answer: decode(answerTokens).trimEnd(),
      contrast: wrong.length === 0 ? null : decode(wrong).trimEnd(),
      tokens,
      answerTokens,
    };
  };
  for (const { part, set, variable, examples, row, contrasts } of places(data, trainOn, most))
    yield { part, set, variable, pieces: examples.pieces?.(row) ?? null, ...read(examples, row, contrasts) };
}

/** The queries of a row that count, in their order. */
function askedTokens(buffers: FieldBuffers): { readonly position: number; readonly label: number }[] {
  // A decoder that writes the answer to a source text is asked at every position.
  const positions = 'positions' in buffers ? int32Field(buffers, 'positions') : null;
  const labels = int32Field(buffers, 'labels');
  return Array.from(float32Field(buffers, 'weights')).flatMap((weight, query) =>
    weight > 0 ? [{ position: positions?.[query] ?? query, label: labels[query]! }] : [],
  );
}

/**
 * A row's text up to its answer, and that: the labels of the queries where only the answer is asked for, which are fewer than the
 * row has tokens; else the last word of a whole text.
 */
function tokensOf(buffers: FieldBuffers, pad: number): { tokens: number[]; answerTokens: number[] } {
  const all = Array.from(int32Field(buffers, 'tokens'));
  const length = all.findLastIndex((token) => token !== pad) + 1;
  const queries = int32Field(buffers, 'labels').length;
  if ('decoderTokens' in buffers)
    return { tokens: all.slice(0, length), answerTokens: askedTokens(buffers).map(({ label }) => label) };
  if (queries > 1 && queries === all.length - 1)
    return { tokens: all.slice(0, length - 1), answerTokens: [all[length - 1]!] };
  const asked = askedTokens(buffers);
  const end = asked.length === 0 ? length : asked[0]!.position + 1;
  return { tokens: all.slice(0, end), answerTokens: asked.map(({ label }) => label) };
}

/** Rows in their order; where not all are wanted, evenly spread, and of several of a variable not always the first. */
function spreadRows(set: ExampleSet, most: number, wanted: (row: number) => boolean): number[] {
  const rows = Array.from({ length: set.size }, (_, row) => row).filter(wanted);
  if (rows.length <= most) return rows;
  const stride = rows.length / most;
  return Array.from(
    { length: most },
    (_, i) => rows[Math.floor(i * stride) + ((7 * i) % Math.floor(stride))]!,
  );
}

/**
 * Examples for people, those of a group or subset below its name: text | answer, and the same in tokens where there is
 * room. The bar stands where the model must answer.
 *
 * @param width columns of a line, at most
 */
export function exampleLines(examples: readonly TextExample[], width: number): string[] {
  const texts = examples.map(({ text, answer }) => `${printable(text)} | ${printable(answer)}`);
  const column = Math.min(width >> 1, Math.max(0, ...texts.map((text) => text.length)));
  const lines: string[] = [];
  let heading = '';
  examples.forEach(({ part, set, contrast, tokens, answerTokens }, i) => {
    const own = part === 'training' ? `training, ${set}` : `test, ${set}`;
    if (own !== heading) lines.push('', own);
    heading = own;
    const wrong = contrast === null ? '' : `   (wrong: ${printable(contrast)})`;
    const line = `  ${texts[i]!.padEnd(column)}   ${tokens.join(' ')} | ${answerTokens.join(' ')}${wrong}`;
    lines.push(line.length > width ? `${line.slice(0, Math.max(1, width - 1))}…` : line);
  });
  return lines;
}
