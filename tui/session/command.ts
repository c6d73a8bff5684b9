import { shellWord } from '../../data/shell-word.js';
import { textWidth } from '../../src/report/charts/text-width.js';
import { squeeze } from '../view/filter.js';
import type { ViewPanel, Picture } from '../view/picture.js';
import { chosen } from '../view/picture.js';
import type { ViewState } from '../view/state.js';
import type { Box } from '../view/style.js';

/** What is on screen, as far as a command has to say it. */
export interface OnScreen {
  readonly view: string;
  /** Paths, shortest way to write them. */
  readonly runs: readonly string[];
  readonly panel: ViewPanel;
  readonly panels: number;
  readonly picture: Picture;
  readonly state: ViewState;
  /** Of the body, without title and keys. */
  readonly box: Box;
}

/** The command that prints what is on screen, word by word. */
export function screenCommand({ view, runs, panel, panels, picture, state, box }: OnScreen): string[] {
  const place = chosen(panel, state.panel, state);
  const choice = panel.choices?.values[place];
  const sorted = state.sort === null ? undefined : picture.list?.columns[state.sort.column];
  // The row on screen, also where the state says "the last one, whichever that is".
  const row = picture.list?.row ?? 0;
  return [
    'npx',
    'gradscope',
    'show',
    ...runs,
    '--view',
    view,
    ...(panels > 1 ? ['--panel', panel.title] : []),
    ...(state.drill === null ? [] : ['--drill', state.drill.id]),
    ...(choice === undefined || place === panel.choices?.initial ? [] : ['--choose', choice]),
    ...(state.filter === '' ? [] : ['--filter', state.filter]),
    ...(state.sort === null || sorted === undefined
      ? []
      : ['--sort', `${squeeze(sorted)}:${state.sort.descending ? 'down' : 'up'}`]),
    ...(state.log === null ? [] : [state.log ? '--log' : '--linear']),
    ...(state.zoom === null ? [] : ['--zoom', state.zoom.map(number).join(',')]),
    ...(state.cursor === null ? [] : ['--cursor', number(state.cursor)]),
    ...(row > 0 ? ['--row', String(row)] : []),
    ...(state.column > 0 ? ['--column', String(state.column)] : []),
    '--width',
    String(box.width),
    '--height',
    String(box.height),
  ];
}

/** Short, and exact for every step: more digits than a place on a chart has. */
const number = (value: number): string => String(Number(value.toPrecision(12)));

/** A command as lines of at most `width` columns, where its words allow; a shell takes them as one. */
export function commandLines(words: readonly string[], width: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of words.map(shellWord)) {
    if (line !== '' && textWidth(line) + 1 + textWidth(word) + 2 > width) {
      lines.push(`${line} \\`);
      line = `  ${word}`;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  return [...lines, line];
}
