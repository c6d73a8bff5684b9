import { printable } from '../../data/printable.js';
import type { ExamplePiece, PartKind } from '../../data/pieces.js';
import { fitText, textWidth } from '../../src/report/charts/text-width.js';
import type { TokenExample } from '../data/panel-tokens.js';
import { paint, signs, type Ink, type Style } from './style.js';

const inks: Readonly<Record<PartKind, Ink>> = {
  tag: 'warning',
  variable: 'accent',
  entity: 'good',
  answer: 'bold',
  other: 'plain',
};

/** A piece with what stands below it. */
interface Cell {
  /** Whether a bar stands before it. */
  readonly isFirstAsked: boolean;
  readonly text: string;
  readonly below: string;
  readonly ink: Ink;
}

/**
 * Examples as lines, two for each or more where they are long: its pieces, and below each the id of its token, with what the piece
 * is where it is no other than the one before it. A bar stands where the model must answer.
 */
export function tokenLines(examples: readonly TokenExample[], width: number, style: Style): string[] {
  const { more } = signs(style);
  const label = Math.max(0, ...examples.map(({ role }) => textWidth(role))) + 2;
  const room = Math.max(1, width - label);
  return examples.flatMap(({ role, pieces }) =>
    broken(cellsOf(pieces), room).flatMap((cells, line) => {
      const row = (textOf: (cell: Cell) => string, inkOf: (cell: Cell) => Ink): string =>
        cells
          .map((cell) => {
            const before = cell.isFirstAsked ? bar : '';
            const own = Math.min(room, cellWidth(cell)) - before.length;
            return `${paint(before, 'dim', style)}${paint(fitText(textOf(cell), own, more), inkOf(cell), style)}`;
          })
          .join('  ')
          .trimEnd();
      return [
        `${fitText(line === 0 ? role : '', label, more)}${row(
          ({ text }) => text,
          ({ ink }) => ink,
        )}`,
        `${' '.repeat(label)}${row(
          ({ below }) => below,
          () => 'dim',
        )}`.trimEnd(),
      ];
    }),
  );
}

function cellsOf(pieces: readonly ExamplePiece[]): Cell[] {
  const firstAsked = pieces.findIndex(({ isAsked }) => isAsked);
  return pieces.map(({ kind, text, token }, i): Cell => {
    const isNew = kind !== 'other' && kind !== pieces[i - 1]?.kind;
    return {
      isFirstAsked: i === firstAsked && i > 0,
      // What is blank could not be seen.
      text: text.trim() === '' && !/[\n\r\t]/.test(text) ? `"${text}"` : printable(text),
      below: [...(token === null ? [] : [String(token)]), ...(isNew ? [kind] : [])].join(' '),
      ink: inks[kind],
    };
  });
}

const bar = '|  ';

const cellWidth = ({ isFirstAsked, text, below }: Cell): number =>
  (isFirstAsked ? bar.length : 0) + Math.max(textWidth(text), textWidth(below));

/** Cells in rows of at most `room` columns, two blanks between them. */
function broken(cells: readonly Cell[], room: number): Cell[][] {
  const rows: Cell[][] = [];
  let used = 0;
  for (const cell of cells) {
    const own = Math.min(room, cellWidth(cell));
    const last = rows.at(-1);
    if (last !== undefined && used + 2 + own <= room) {
      last.push(cell);
      used += 2 + own;
    } else {
      rows.push([cell]);
      used = own;
    }
  }
  return rows;
}
