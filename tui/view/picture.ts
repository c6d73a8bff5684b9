import { printable } from '../../data/printable.js';
import type { Range } from '../../src/report/charts/index.js';
import { toCells } from '../../src/report/charts/text-width.js';
import type { Figure } from './figure.js';
import type { Slice } from '../../src/report/slice/slice.js';
import type { ViewState } from './state.js';
import type { Box, Style } from './style.js';

/** What a panel shows, and what its keys can do there. */
export interface Picture {
  /** At most as many as the box is high, none wider than it. */
  readonly lines: readonly string[];
  /** The list that `j` and `k` move in; null where there is none. */
  readonly list: {
    readonly length: number;
    /** Rows of a page. */
    readonly page: number;
    /** Place of the selected row. */
    readonly row: number;
    /** What `enter` drills into; null where there is nothing below. */
    readonly id: string | null;
    /** What `enter` drills into in each row on the list, also those that are scrolled past. */
    readonly ids?: () => string[];
    /** Titles of the columns, for sorting; empty where the list has one order only. */
    readonly columns: readonly string[];
    /** Place of the selected column of a heat map; 0 in lists, which scroll by columns instead. */
    readonly column: number;
    /** For each, whether it holds numbers, which are sorted from the largest first. */
    readonly numeric: readonly boolean[];
    /** Place of the row that is nearest to a step; null where rows are no steps. */
    readonly placeOf: ((step: number) => number) | null;
  } | null;
  /** The x axis that `h` and `l` move along; null where there is none. */
  readonly axis: { readonly range: Range; readonly log: boolean; readonly columns: number } | null;
  /** The figure on screen, for SVG; null where there is none. */
  readonly figure: Figure | null;
  /** The numbers on screen. */
  slice(): Slice;
}

/** One of several values of something a panel depends on. */
export interface Choices {
  /** `checkpoint`, `tensor`. */
  readonly name: string;
  readonly values: readonly string[];
  /** Place of the first choice. */
  readonly initial: number;
}

/** One screen of a view. */
export interface ViewPanel {
  readonly title: string;
  /** What it answers, in one sentence. */
  readonly question: string;
  readonly choices: Choices | null;
  /** What `enter` drills into here, e.g. `variable`; null where it does nothing. */
  readonly drills: string | null;
  /** Filters of what there is most to choose from, which a key goes through; none by default. */
  readonly filters?: readonly string[];
  draw(state: ViewState, box: Box, style: Style): Picture;
}

/** A view with its data. */
export interface ViewModel {
  readonly panels: readonly ViewPanel[];
  /** The panels below a row, the first one first; none when there is no row of that id any more. */
  drill?(id: string): readonly ViewPanel[];
}

/** The choice of a panel that is in force: its place, or -1 where the panel has none. */
export function chosen({ choices }: ViewPanel, panel: number, state: ViewState): number {
  if (choices === null || choices.values.length === 0) return -1;
  const own = state.choices[panel] ?? choices.initial;
  return Math.max(0, Math.min(choices.values.length - 1, own));
}

/** A panel that says why there is nothing to see, and what to do. */
export function messagePanel(title: string, question: string, lines: readonly string[]): ViewPanel {
  return {
    title,
    question,
    choices: null,
    drills: null,
    draw: (_state, { width }) => ({
      lines: lines.flatMap((line) => wrapped(line, width)),
      list: null,
      axis: null,
      figure: null,
      slice: () => ({ columns: [] }),
    }),
  };
}

/** Lines of at most `width` columns of a text, made printable, broken between words and within those that are longer. */
export function wrapped(text: string, width: number): string[] {
  // Room for a wide character.
  const room = Math.max(2, width);
  const lines: string[] = [];
  let [line, used] = ['', 0];
  for (const word of printable(text).split(' ')) {
    const cells = toCells(word);
    if (line !== '' && used + 1 + cells.length > room) {
      lines.push(line);
      [line, used] = ['', 0];
    }
    line = line === '' ? cells.join('') : `${line} ${cells.join('')}`;
    used += Number(used > 0) + cells.length;
    while (used > room) {
      const whole = toCells(line);
      // A wide character stays whole: its second column is empty.
      const end = whole[room] === '' ? room - 1 : room;
      lines.push(whole.slice(0, end).join(''));
      line = whole.slice(end).join('');
      used -= end;
    }
  }
  return [...lines, line];
}
