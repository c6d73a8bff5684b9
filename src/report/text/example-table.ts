import { UserError } from '../../../data/errors.js';
import type { ExperimentData, TrainSubset } from '../../../data/experiment.js';
import { numbers, texts, type Slice } from '../slice/slice.js';
import { exampleRows, exampleTexts } from './example-texts.js';

/** A row of the table. */
interface TableRow {
  readonly part: string;
  readonly set: string;
  readonly variable: number;
  readonly text: string;
  readonly answer: string;
  readonly contrast: string;
  readonly pieces: readonly string[];
  readonly kinds: readonly string[];
  readonly tokens: readonly number[];
  readonly asked: readonly number[];
}

/**
 * Rows of an experiment as a table: what stands before the answer, the answer, and piece by piece the words, the ids of tokens
 * (none of what is no text), what each piece is (`kinds`) and whether it is a target of the loss (`asked`, 0 or 1).
 *
 * @param trainOn what the stages train on
 * @param most rows of each group and subset, spread over its variables
 * @throws UserError where an experiment neither is on text nor tells what its examples say
 */
export function exampleTable(
  data: ExperimentData,
  trainOn: readonly TrainSubset[],
  most: number,
  seed: number,
): Slice {
  const rows =
    data.decode === undefined ? rowsInPieces(data, trainOn, most) : rowsOfTexts(data, trainOn, most);
  const text = (name: string, of: (row: TableRow) => string) => texts(name, rows.map(of));
  return {
    columns: [
      numbers(
        'seed',
        '1',
        rows.map(() => seed),
      ),
      text('part', ({ part }) => part),
      text('set', ({ set }) => set),
      numbers(
        'variable',
        '1',
        rows.map(({ variable }) => variable),
      ),
      text('text', (row) => row.text),
      text('answer', ({ answer }) => answer),
      text('contrast', ({ contrast }) => contrast),
      { name: 'pieces', unit: '', kind: 'texts', values: rows.map(({ pieces }) => pieces) },
      { name: 'tokens', unit: '', kind: 'numbers', values: rows.map(({ tokens }) => tokens) },
      { name: 'kinds', unit: '', kind: 'texts', values: rows.map(({ kinds }) => kinds) },
      { name: 'asked', unit: '', kind: 'numbers', values: rows.map(({ asked }) => asked) },
    ],
  };
}

function rowsOfTexts(data: ExperimentData, trainOn: readonly TrainSubset[], most: number): TableRow[] {
  return Array.from(exampleTexts(data, trainOn, most), ({ pieces, ...row }): TableRow => {
    return {
      part: row.part,
      set: row.set,
      variable: row.variable,
      text: row.text,
      answer: row.answer,
      contrast: row.contrast ?? '',
      tokens: pieces?.map(({ token }) => token!) ?? [...row.tokens, ...row.answerTokens],
      pieces: pieces?.map((own) => own.text) ?? [],
      kinds: pieces?.map(({ kind }) => kind) ?? [],
      asked: pieces?.map(({ isAsked }) => Number(isAsked)) ?? [],
    };
  });
}

function rowsInPieces(data: ExperimentData, trainOn: readonly TrainSubset[], most: number): TableRow[] {
  return Array.from(exampleRows(data, trainOn, most), ({ part, set, variable, pieces }): TableRow => {
    if (pieces === null)
      throw new UserError('--out: this experiment does not tell what its examples say (ExampleSet.pieces)');
    const words = (wanted: boolean): string =>
      pieces
        .filter(({ isAsked }) => isAsked === wanted)
        .map(({ text }) => text)
        .join(' ');
    return {
      part,
      set,
      variable,
      text: words(false),
      answer: words(true),
      contrast: '',
      tokens: pieces.flatMap(({ token }) => token ?? []),
      pieces: pieces.map(({ text }) => text),
      kinds: pieces.map(({ kind }) => kind),
      asked: pieces.map(({ isAsked }) => Number(isAsked)),
    };
  });
}
