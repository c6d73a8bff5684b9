import type { Range } from '../../src/report/charts/index.js';

/** How a list is sorted: by a column, by its place. */
export interface Sort {
  readonly column: number;
  readonly descending: boolean;
}

/** What a person chose in a view. Every view has the same state, so that every key does the same in all. */
export interface ViewState {
  /** Place of the panel. */
  readonly panel: number;
  /** `[panel]` place of the choice (checkpoint, tensor, step size); the panel's own first choice where there is none. */
  readonly choices: Readonly<Record<number, number>>;
  /** Place of the selected row; Infinity stays at the end while the list grows. */
  readonly row: number;
  /** Columns of a list that are scrolled past. */
  readonly column: number;
  /** Where a chart is read off, in units of its x axis. */
  readonly cursor: number | null;
  /** Part of the x axis that is shown. */
  readonly zoom: Range | null;
  /** Log axis; null for what the panel begins with. */
  readonly log: boolean | null;
  readonly filter: string;
  readonly sort: Sort | null;
  /** What was drilled into, the place of the panel among those below it, and the state to come back to. */
  readonly drill: { readonly id: string; readonly panel: number; readonly above: ViewState } | null;
}

export const initialState: ViewState = {
  panel: 0,
  choices: {},
  row: 0,
  column: 0,
  cursor: null,
  zoom: null,
  log: null,
  filter: '',
  sort: null,
  drill: null,
};
