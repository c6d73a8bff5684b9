/** The characters axes and marks are drawn with. */
export interface Glyphs {
  readonly axisUp: string;
  readonly axisAcross: string;
  readonly corner: string;
  readonly tickLeft: string;
  readonly tickDown: string;
  readonly marker: string;
  readonly cursor: string;
  /** A line in the legend, beside its letter. */
  readonly line: string;
  /** A reference line in the legend. */
  readonly reference: string;
  /** Stands for what is cut off a text. */
  readonly ellipsis: string;
}

const unicode: Glyphs = {
  axisUp: '│',
  axisAcross: '─',
  corner: '└',
  tickLeft: '┤',
  tickDown: '┬',
  marker: '┊',
  cursor: '│',
  line: '─',
  reference: '┄',
  ellipsis: '…',
};

const plain: Glyphs = {
  axisUp: '|',
  axisAcross: '-',
  corner: '+',
  tickLeft: '+',
  tickDown: '+',
  marker: ':',
  cursor: '|',
  line: '-',
  reference: '.',
  ellipsis: '~',
};

export const glyphs = (ascii: boolean): Glyphs => (ascii ? plain : unicode);

const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const marks = 'ox+*#@%&$~=^';

/** The letter that tells series `index` apart on a line; letters come again after 52 series. */
export const seriesLetter = (index: number): string => letters[index % letters.length]!;

/** The mark of series `index` in a scatter chart; letters after the first twelve. */
export const seriesMark = (index: number): string => marks[index] ?? seriesLetter(index - marks.length);
