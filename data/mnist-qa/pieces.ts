import type { ExamplePiece, PartKind } from '../pieces.js';
import { subsets } from '../subsets.js';
import { wholeGrid, type GridRow } from './rows.js';
import { variableSubset } from './variables.js';
import { writeAnswers, type DefinitionChange, type WriterOptions } from './writer.js';

/**
 * What a row shows and asks, cell by cell in reading order: the tag of a definition or the cell that a question frames, the
 * digits, and the answers, where `_` is "no answer". None of it is a token.
 */
export function gridPieces(
  options: WriterOptions,
  row: GridRow,
  change: DefinitionChange = {},
): ExamplePiece[] {
  const { layout, variables, labels } = options;
  const { variable, cell } = row;
  const isDefinition = cell === wholeGrid;
  const piece = (kind: PartKind, text: string, isAsked = false): ExamplePiece => ({
    kind,
    text,
    token: null,
    position: null,
    isAsked,
  });
  const answers = { labels: new Int32Array(layout.cells), weights: new Float32Array(layout.cells) };
  writeAnswers(options, row, 0, answers, change);
  const tag = change.tag ?? subsets[variableSubset(variables, variable)].tag;
  const digits = variables.digits.subarray(variable * layout.cells, (variable + 1) * layout.cells);
  return [
    isDefinition ? piece('tag', `define${tag}`) : piece('other', `cell ${cell}`),
    ...Array.from(digits, (digit) => piece('variable', String(digit))),
    ...Array.from(answers.labels, (label, place) =>
      piece(
        isDefinition ? 'entity' : 'answer',
        label === labels ? '_' : String(label),
        answers.weights[place]! > 0,
      ),
    ),
  ];
}
