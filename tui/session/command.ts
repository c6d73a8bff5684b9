import { shellWord } from '../../data/shell-word.js';
import { squeeze } from '../view/filter.js';
import type { Panel, Picture } from '../view/picture.js';
import { chosen } from '../view/picture.js';
import type { ViewState } from '../view/state.js';
import type { Box } from '../view/style.js';

/** What is on screen, as far as a command has to say it. */
export interface OnScreen {
  readonly view: string;
  /** Paths, shortest way to write them. */
  readonly runs: readonly string[];
  readonly panel: Panel;
  readonly panels: number;
  readonly picture: Picture;
  readonly state: ViewState;
  /** Of the body, without title and keys. */
  readonly box: Box;
}

/** The command that prints what is on screen. */
export function showCommand({ view, runs, panel, panels, picture, state, box }: OnScreen): string {
  const place = chosen(panel, state.panel, state);
  const choice = panel.choices?.values[place];
  const sorted = state.sort === null ? undefined : picture.list?.columns[state.sort.column];
  const words = [
    'npx gradscope show',
    ...runs.map(shellWord),
    `--view ${view}`,
    ...(panels > 1 && state.drill === null ? [`--panel ${shellWord(panel.title)}`] : []),
    ...(state.drill === null ? [] : [`--drill ${shellWord(state.drill.id)}`]),
    ...(choice === undefined || place === panel.choices?.initial ? [] : [`--choose ${shellWord(choice)}`]),
    ...(state.filter === '' ? [] : [`--filter ${shellWord(state.filter)}`]),
    ...(state.sort === null || sorted === undefined
      ? []
      : [`--sort ${shellWord(`${squeeze(sorted)}:${state.sort.descending ? 'down' : 'up'}`)}`]),
    ...(state.log === null ? [] : [state.log ? '--log' : '--linear']),
    ...(state.zoom === null
      ? []
      : [`--zoom ${state.zoom.map((end) => Number(end.toPrecision(6))).join(',')}`]),
    ...(state.cursor === null ? [] : [`--cursor ${Number(state.cursor.toPrecision(6))}`]),
    ...(picture.list !== null && Number.isFinite(state.row) && state.row > 0 ? [`--row ${state.row}`] : []),
    `--width ${box.width} --height ${box.height}`,
  ];
  return words.join(' ');
}
