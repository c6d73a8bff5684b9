import { fitText, textWidth } from '../../src/report/charts/text-width.js';
import { arrange, cellText, listSlice, type List } from './list.js';
import type { Picture } from './picture.js';
import type { ViewState } from './state.js';
import { paint, signs, type Box, type Style } from './style.js';

export interface DrawListOptions {
  readonly list: List;
  readonly state: ViewState;
  readonly box: Box;
  readonly style: Style;
  /** Whether `space` marked a row. */
  readonly marked?: (id: string) => boolean;
  /** What is said where no row is left. */
  readonly empty?: string;
  /** See {@link Picture.list}. */
  readonly placeOf?: (step: number) => number;
}

/** The place of the row that is selected in a list of `length` rows. */
export const selectedPlace = (row: number, length: number): number => Math.max(0, Math.min(length - 1, row));

/** A column narrower than this is left out rather than cut. */
const leastColumn = 10;

/** A list with its header in a box: the rows around the selected one, the columns that fit. */
export function drawList(options: DrawListOptions): Picture {
  const { list, state, box, style, marked, placeOf } = options;
  // The cursor, and where rows can be marked the mark and a blank.
  const gutter = marked === undefined ? 2 : 3;
  const order = arrange(list, state.filter, state.sort);
  const page = Math.max(1, box.height - 1);
  const place = selectedPlace(state.row, order.length);
  const top = Math.max(0, Math.min(place - (page >> 1), order.length - page));
  const shown = order.subarray(top, top + page);
  const sign = signs(style);
  const [first, ...others] = list.columns.map((column, i) => ({ column, place: i }));
  const scrolled = [first!, ...others.slice(Math.min(state.column, Math.max(0, others.length - 1)))];
  const cells = scrolled.map(({ column, place: own }) => {
    const arrow = state.sort?.column === own ? (state.sort.descending ? sign.down : sign.up) : '';
    const rows = Array.from(shown, (row) => cellText(column, row));
    const width = Math.min(column.width, Math.max(0, ...rows.map(textWidth)));
    return {
      column,
      title: `${column.title}${arrow}`,
      rows,
      width: Math.max(width, textWidth(column.title) + arrow.length),
    };
  });
  const fitting: typeof cells = [];
  let room = box.width - gutter;
  for (const cell of cells) {
    const between = fitting.length === 0 ? 0 : 2;
    const width = Math.min(cell.width, room - between);
    // A column that is cut says something as long as it is not too narrow.
    if (width < cell.width && width < leastColumn && fitting.length > 0) break;
    fitting.push({ ...cell, width: Math.max(1, width) });
    room -= width + between;
    if (width < cell.width) break;
  }
  const left = list.columns.length - fitting.length;
  const write = (texts: readonly string[]): string =>
    texts
      .map((text, i) => {
        const { column, width } = fitting[i]!;
        return fitText(text, width, sign.more, column.kind === 'number' ? 'right' : 'left');
      })
      .join('  ');
  const header = `${' '.repeat(gutter)}${write(fitting.map(({ title }) => title))}`.trimEnd();
  const more = left > 0 ? ` ${sign.more}+${left}` : '';
  const lines = [
    paint(`${fitText(header, box.width - more.length, sign.more).trimEnd()}${more}`, 'bold', style),
    ...Array.from(shown, (row, i) => {
      const isSelected = top + i === place;
      const id = list.id(row);
      const mark = marked === undefined ? ' ' : `${id !== null && marked(id) ? sign.marked : ' '} `;
      const text = `${isSelected ? sign.cursor : ' '}${mark}${write(fitting.map(({ rows }) => rows[i]!))}`;
      const line = fitText(text, box.width, sign.more);
      return isSelected && style.colour ? paint(line, 'inverse', style) : line.trimEnd();
    }),
  ];
  if (order.length === 0) {
    const reason =
      state.filter === ''
        ? (options.empty ?? 'nothing here yet')
        : `no row has ${state.filter} (esc clears the filter)`;
    lines.push(fitText(`  ${reason}`, box.width, sign.more).trimEnd());
  }
  const selected = order[place];
  return {
    lines: lines.slice(0, box.height),
    list: {
      length: order.length,
      page,
      row: place,
      id: selected === undefined ? null : list.id(selected),
      ids: () => Array.from(order, (row) => list.id(row)).filter((id) => id !== null),
      columns: list.columns.map(({ title }) => title),
      column: 0,
      numeric: list.columns.map(({ kind }) => kind === 'number'),
      placeOf: placeOf ?? null,
    },
    axis: null,
    figure: null,
    slice: () => listSlice(list, order),
  };
}
