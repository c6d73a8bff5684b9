import { printable, printableStyled } from '../../data/printable.js';
import { fitText, textWidth } from '../../src/report/charts/text-width.js';
import { footerHints, helpLines, type KeyContext } from '../keys/bindings.js';
import type { RunEntry } from '../data/run-index.js';
import { chosen, type ViewPanel, type Picture } from '../view/picture.js';
import type { ViewState } from '../view/state.js';
import { paint, signs, type Box, type Style } from '../view/style.js';
import { formatAge } from '../views/runs.js';
import type { ViewSpec } from '../view/context.js';
import { isFollowing } from './reduce.js';
import type { Prompt } from './session.js';

/** Smallest terminal. */
const smallestBox: Box = { width: 80, height: 24 };

/** Lines of a screen, one less than the terminal has: a frame as high as it would clear the screen every time. */
export interface Frame {
  readonly lines: readonly string[];
}

/** Title, views, panels above the body; keys below. */
const rowsAbove = 3;
const rowsBelow = 1;

/** A terminal of this height has a row for the question of the panel. */
const withQuestion = 28;

const hasQuestionRow = ({ height }: Box): boolean => height >= withQuestion;

/** What a view gets of a terminal. */
export function bodyBox(box: Box): Box {
  const { width, height } = box;
  const above = rowsAbove + Number(hasQuestionRow(box));
  return { width, height: Math.max(1, height - 1 - above - rowsBelow) };
}

/** Lines over the view. */
export interface Overlay {
  readonly title: string;
  readonly lines: readonly string[];
  /** Lines that are scrolled past. */
  readonly top: number;
}

/** Every key, in a terminal of this width. */
export const keyOverlay = (views: readonly ViewSpec[], width: number): Overlay => ({
  title: 'Keys (? or esc closes, j k scroll)',
  lines: helpLines(
    views.map(({ id }) => id),
    width,
  ),
  top: 0,
});

export interface FrameContent {
  readonly box: Box;
  readonly style: Style;
  readonly root: string;
  readonly views: readonly ViewSpec[];
  readonly view: string;
  readonly entry: RunEntry | null;
  readonly runs: number;
  readonly running: number;
  readonly marked: number;
  readonly state: ViewState;
  readonly panel: ViewPanel;
  readonly panels: readonly ViewPanel[];
  readonly picture: Picture;
  readonly overlay: Overlay | null;
  readonly prompt: Prompt | null;
  readonly message: string | null;
  readonly keys: KeyContext;
  readonly now: number;
}

/** The whole screen. */
export function drawFrame(content: FrameContent): Frame {
  const { lines } = arrangeFrame(content);
  // Whatever a view made of the texts of files, a terminal gets colours of this program and no other escape.
  return { lines: lines.map(content.style.colour ? printableStyled : printable) };
}

function arrangeFrame(content: FrameContent): Frame {
  const { box, style, picture, overlay } = content;
  if (box.width < smallestBox.width || box.height < smallestBox.height) return { lines: tooSmall(box) };
  const body = bodyBox(box);
  const lines = overlay === null ? picture.lines : overlayBody(overlay, body);
  return {
    lines: [
      titleLine(content),
      viewLine(content),
      overlay === null ? panelLine(content) : paint(overlay.title, 'bold', style),
      ...(hasQuestionRow(box) ? [overlay === null ? questionLine(content) : ''] : []),
      ...Array.from({ length: body.height }, (_, i) => lines[i] ?? ''),
      bottomLine(content),
    ],
  };
}

function tooSmall({ width, height }: Box): string[] {
  const text = [
    'gradscope needs',
    `${smallestBox.width} x ${smallestBox.height} characters.`,
    `This terminal has ${width} x ${height}.`,
    'q quits',
  ];
  return text.slice(0, Math.max(1, height - 1)).map((line) => line.slice(0, Math.max(1, width)));
}

function overlayBody({ top, lines }: Overlay, { width, height }: Box): string[] {
  const first = Math.max(0, Math.min(top, lines.length - height));
  return lines.slice(first, first + height).map((line) => line.slice(0, width));
}

function titleLine({ box, style, root, entry, runs, running, marked, now }: FrameContent): string {
  const sign = signs(style);
  const run =
    entry === null
      ? 'no run'
      : `${entry.name} ${sign.dot} ${entry.status}${entry.isRunning ? ageOf(entry, now) : ''}${
          entry.info === null ? '' : ` ${sign.dot} step ${entry.info.stepsDone}/${entry.info.stepsTotal}`
        }`;
  const right = [
    ...(marked > 0 ? [`${marked} selected`] : []),
    `${runs} ${runs === 1 ? 'run' : 'runs'}`,
    ...(running > 0 ? [`${sign.live} ${running} running`] : []),
  ].join(` ${sign.dot} `);
  const left = `gradscope ${root} ${sign.dot} ${run}`;
  const room = box.width - textWidth(right) - 2;
  return paint(`${fitText(left, room, sign.more)}  ${right}`, 'bold', style);
}

function ageOf({ lastSample }: RunEntry, now: number): string {
  return lastSample === null ? '' : ` (last sample ${formatAge(now - lastSample)} ago)`;
}

/** Columns of the hint that there are views beyond the line. */
const hintWidth = 12;

function viewLine({ box, style, views, view }: FrameContent): string {
  const at = views.findIndex(({ id }) => id === view);
  const nameAll = (name: (own: ViewSpec) => string): string[] =>
    views.map((own, i) => {
      const label = `${i < 9 ? `${i + 1} ` : ''}${i === at ? own.id : name(own)}`;
      return i === at ? `[${label}]` : label;
    });
  const full = nameAll(({ id }) => id);
  const isFull = full.join('  ').length <= box.width;
  const names = isFull ? full : nameAll(({ short }) => short);
  const [first, last] = around(names, at, isFull ? 2 : 1, box.width);
  const isWhole = first === 0 && last === names.length - 1;
  const shown = names
    .slice(first, last + 1)
    .map((name, i) => paint(name, first + i === at ? 'accent' : 'dim', style));
  return [...shown, ...(isWhole ? [] : [paint(`v: all ${names.length}`, 'dim', style)])].join(
    isFull ? '  ' : ' ',
  );
}

/** First and last of the names that fit beside each other, the one at a place among them. */
function around(names: readonly string[], at: number, gap: number, width: number): [number, number] {
  if (names.join(' '.repeat(gap)).length <= width) return [0, names.length - 1];
  const room = width - hintWidth;
  let [first, last] = [at, at];
  let length = names[at]!.length;
  const fits = (name: string | undefined): boolean =>
    name !== undefined && length + gap + name.length <= room;
  for (;;) {
    if (fits(names[first - 1])) length += gap + names[--first]!.length;
    else if (fits(names[last + 1])) length += gap + names[++last]!.length;
    else return [first, last];
  }
}

/** Panels, the choice in force, and what the panel answers. */
function panelLine({ box, style, entry, state, panel, panels, picture }: FrameContent): string {
  const sign = signs(style);
  const names =
    (state.drill === null ? '' : `esc ${sign.dot} `) +
    (panels.length > 1
      ? panels.map((own) => (own === panel ? `[${own.title}]` : own.title)).join(' | ')
      : panel.title);
  const place = chosen(panel, state.panel, state);
  const choice =
    panel.choices === null || place < 0 || state.drill !== null
      ? ''
      : `  ${panel.choices.name}: ${panel.choices.values[place]} (${place + 1}/${panel.choices.values.length})`;
  const filter = state.filter === '' ? '' : `  filter: ${state.filter}`;
  const sorted = state.sort === null ? undefined : picture.list?.columns[state.sort.column];
  const sort =
    sorted === undefined || state.sort === null
      ? ''
      : `  by ${sorted}${state.sort.descending ? sign.down : sign.up}`;
  const rows =
    picture.list === null || picture.list.columns.length === 0 || picture.figure !== null
      ? ''
      : `  ${Math.min(picture.list.length, picture.list.row + 1)}/${picture.list.length}`;
  const follow = entry?.isRunning === true && isFollowing(state, picture) ? `  ${sign.live} follows` : '';
  const head = `${names}${choice}${filter}${sort}${rows}${follow}`;
  const room = box.width - textWidth(head) - 3;
  if (room < 16 || hasQuestionRow(box) || panel.question === '')
    return paint(fitText(head, box.width, sign.more).trimEnd(), 'bold', style);
  return `${paint(head, 'bold', style)}   ${paint(fitText(panel.question, room, sign.more).trimEnd(), 'dim', style)}`;
}

function questionLine({ box, style, panel }: FrameContent): string {
  return paint(fitText(panel.question, box.width, signs(style).more).trimEnd(), 'dim', style);
}

function bottomLine({ box, style, keys, prompt, message, overlay }: FrameContent): string {
  const sign = signs(style);
  const width = box.width;
  if (prompt !== null) {
    const label = {
      filter: 'filter (words, !word, loss>2; enter keeps, esc clears): ',
      step: 'step: ',
      views: 'view: ',
      export: 'write to (tab: other format, esc: no): ',
    }[prompt.kind];
    const room = Math.max(8, width - label.length - 1);
    // The end of what is typed stays in view.
    const text = textWidth(prompt.text) > room ? prompt.text.slice(-room) : prompt.text;
    return `${paint(label, 'dim', style)}${text}${paint(' ', 'inverse', style)}`;
  }
  if (message !== null) return paint(fitText(message, width, sign.more).trimEnd(), 'warning', style);
  if (overlay !== null) return paint('esc back  q quit', 'dim', style);
  return paint(footerHints(keys, width), 'dim', style);
}
