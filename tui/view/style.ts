import { printable } from '../../data/printable.js';

/** What the terminal and its reader take. */
export interface Style {
  readonly colour: boolean;
  /** ASCII characters only. */
  readonly ascii: boolean;
  /** Charts as sentences and tables: a screen reader cannot read braille art. */
  readonly screenReader: boolean;
  /** Printed once: there are no keys to see more with. */
  readonly printed?: boolean | undefined;
}

/** Columns and rows. */
export interface Box {
  readonly width: number;
  readonly height: number;
}

const escape = '\u001B[';

/** SGR codes that begin and end a way of writing; the colours have a contrast of 3 to 1 on black and on white. */
const codes = {
  bold: ['1', '22'],
  dim: ['2', '22'],
  inverse: ['7', '27'],
  accent: ['38;5;33', '39'],
  good: ['38;5;29', '39'],
  warning: ['38;5;166', '39'],
} as const;

export type Ink = keyof typeof codes | 'plain';

/** Text, made printable, written in a way; without where there is no colour. */
export function paint(text: string, ink: Ink, { colour }: Style): string {
  const clean = printable(text);
  if (!colour || ink === 'plain' || text === '') return clean;
  const [on, off] = codes[ink];
  return `${escape}${on}m${clean}${escape}${off}m`;
}

/** The characters of marks and frames. */
export function signs({ ascii }: Style) {
  return ascii
    ? ({
        cursor: '>',
        marked: '*',
        up: '^',
        down: 'v',
        more: '~',
        live: '*',
        dot: '-',
        bar: '#',
        rest: '.',
      } as const)
    : ({
        cursor: '›',
        marked: '●',
        up: '▲',
        down: '▼',
        more: '…',
        live: '●',
        dot: '·',
        bar: '█',
        rest: '░',
      } as const);
}
