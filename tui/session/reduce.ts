import type { Range } from '../../src/report/charts/index.js';
import type { Action } from '../keys/bindings.js';
import { chosen, type ViewPanel, type Picture } from '../view/picture.js';
import { initialState, type ViewState } from '../view/state.js';

/** What a key acts on. */
export interface Shown {
  readonly panel: ViewPanel;
  readonly panels: number;
  readonly picture: Picture;
}

/** The state of a view after a key that moves, sorts, zooms or chooses; the same state where it does nothing. */
export function reduce(state: ViewState, action: Action, { panel, panels, picture }: Shown): ViewState {
  const { list, axis } = picture;
  const move = (row: number): ViewState =>
    list === null ? state : { ...state, row: Math.max(0, Math.min(list.length - 1, row)) };
  const place = list?.row ?? 0;
  switch (action) {
    case 'down':
      return move(place + 1);
    case 'up':
      return move(place - 1);
    case 'page-down':
      return move(place + (list?.page ?? 0));
    case 'page-up':
      return move(place - (list?.page ?? 0));
    case 'first':
      if (axis !== null) return { ...state, cursor: (state.zoom ?? axis.range)[0] };
      return list === null ? state : { ...state, row: 0 };
    case 'last':
      if (axis !== null) return { ...state, cursor: (state.zoom ?? axis.range)[1] };
      return list === null ? state : { ...state, row: Infinity };
    case 'left':
    case 'right':
      return sideways(state, action === 'left' ? -1 : 1, picture);
    case 'next-panel':
    case 'previous-panel':
      return panels < 2 ? state : beside(state, action === 'next-panel' ? 1 : panels - 1, panels);
    case 'next-filter':
      return { ...state, filter: nextFilter(state.filter, panel.filters ?? []), row: 0 };
    case 'next-choice':
      return choose(state, panel, 1);
    case 'previous-choice':
      return choose(state, panel, -1);
    case 'sort':
    case 'reverse':
      return sort(state, action, picture);
    case 'log':
      return { ...state, log: !isLog(state, picture) };
    case 'zoom-in':
      return zoom(state, picture, 0.5);
    case 'zoom-out':
      return zoom(state, picture, 2);
    case 'zoom-reset':
      return { ...state, zoom: null };
    case 'pan-left':
      return pan(state, picture, -0.25);
    case 'pan-right':
      return pan(state, picture, 0.25);
    case 'follow':
      if (axis !== null) {
        return isFollowing(state, picture)
          ? { ...state, cursor: axis.range[1] }
          : { ...state, cursor: null, zoom: null };
      }
      return list === null ? state : { ...state, row: isFollowing(state, picture) ? place : Infinity };
    default:
      return state;
  }
}

/** Whether the newest data are shown, whatever comes: a list at its end, a chart that is not zoomed or read off. */
export function isFollowing({ row, cursor, zoom }: ViewState, { axis, list }: Picture): boolean {
  if (axis !== null) return cursor === null && zoom === null;
  return list !== null && row === Infinity;
}

/** The panel `by` places further, of the view or below what was drilled into. */
function beside(state: ViewState, by: number, panels: number): ViewState {
  const { drill } = state;
  if (drill === null) return toPanel(state, (state.panel + by) % panels);
  return { ...toPanel(state, state.panel), drill: { ...drill, panel: (drill.panel + by) % panels } };
}

/** A filter with the next of some words in the place of the one that it has; behind the last word there is none. */
function nextFilter(filter: string, words: readonly string[]): string {
  const given = filter.split(/\s+/).filter((word) => word !== '');
  const next = words[words.findIndex((word) => given.includes(word)) + 1];
  const others = given.filter((word) => !words.includes(word));
  return [...(next === undefined ? [] : [next]), ...others].join(' ');
}

/** Another panel begins anew; what was chosen in each stays. */
export const toPanel = (state: ViewState, panel: number): ViewState => ({
  ...initialState,
  choices: state.choices,
  panel,
});

function sideways(state: ViewState, direction: -1 | 1, { list, axis, figure }: Picture): ViewState {
  if (axis === null) {
    const last = Math.max(0, (list?.columns.length ?? 1) - 1);
    if (list !== null && figure?.kind === 'heat') {
      // Stored from 1: 0 is the newest column, whichever that is.
      return { ...state, column: 1 + Math.max(0, Math.min(last, list.column + direction)) };
    }
    return { ...state, column: Math.max(0, Math.min(last, state.column + direction)) };
  }
  const [low, high] = state.zoom ?? axis.range;
  const unit = toUnit(axis.log);
  const step = (unit.to(high) - unit.to(low)) / axis.columns;
  // From the end: the newest values are what one looks for first.
  const from = state.cursor ?? (direction < 0 ? high : low);
  const cursor = unit.from(unit.to(from) + direction * step);
  return { ...state, cursor: Math.max(low, Math.min(high, cursor)) };
}

function choose(state: ViewState, panel: ViewPanel, by: number): ViewState {
  const count = panel.choices?.values.length ?? 0;
  if (count === 0) return state;
  const place = (chosen(panel, state.panel, state) + by + count) % count;
  return { ...state, choices: { ...state.choices, [state.panel]: place }, zoom: null, log: null };
}

function sort(state: ViewState, action: 'sort' | 'reverse', { list }: Picture): ViewState {
  const columns = list?.columns.length ?? 0;
  if (list === null || columns === 0) return state;
  if (action === 'reverse') {
    const own = state.sort ?? { column: 0, descending: false };
    return { ...state, sort: { ...own, descending: !own.descending }, row: 0 };
  }
  const column = state.sort === null ? 0 : state.sort.column + 1;
  // Behind the last column comes the list's own order.
  if (column >= columns) return { ...state, sort: null, row: 0 };
  return { ...state, sort: { column, descending: list.numeric[column] ?? false }, row: 0 };
}

/** Whether the figure on screen has a log axis of values. */
function isLog(state: ViewState, { figure }: Picture): boolean {
  return state.log ?? (figure !== null && figure.kind !== 'heat' && figure.logY);
}

function zoom(state: ViewState, { axis }: Picture, factor: number): ViewState {
  if (axis === null) return state;
  const unit = toUnit(axis.log);
  const [low, high] = (state.zoom ?? axis.range).map((end) => unit.to(end));
  const all = axis.range.map((end) => unit.to(end));
  const center = state.cursor === null ? (low! + high!) / 2 : unit.to(state.cursor);
  const half = ((high! - low!) * factor) / 2;
  if (2 * half >= all[1]! - all[0]!) return { ...state, zoom: null };
  // Below a thousandth of the whole there is nothing to see.
  if (half < (all[1]! - all[0]!) / 20_000) return state;
  return { ...state, zoom: within([center - half, center + half], all, unit.from) };
}

function pan(state: ViewState, { axis }: Picture, share: number): ViewState {
  if (axis === null || state.zoom === null) return state;
  const unit = toUnit(axis.log);
  const [low, high] = state.zoom.map((end) => unit.to(end));
  const by = (high! - low!) * share;
  const all = axis.range.map((end) => unit.to(end));
  return { ...state, zoom: within([low! + by, high! + by], all, unit.from), cursor: null };
}

/** A range moved into another one that is at least as wide. */
function within(
  [low, high]: readonly [number, number],
  all: readonly number[],
  from: (unit: number) => number,
): Range {
  const shift = Math.max(0, all[0]! - low) - Math.max(0, high - all[1]!);
  return [from(low + shift), from(high + shift)];
}

const toUnit = (log: boolean) =>
  log
    ? { to: (value: number) => Math.log10(value), from: (unit: number) => 10 ** unit }
    : { to: (value: number) => value, from: (unit: number) => unit };
