import { printableLines } from '../../../data/printable.js';

/**
 * The one place that looks behind Observable Plot and linkedom: both are typed for browsers, with names and looseness
 * that this project's compiler settings do not take.
 */

/** A mark, or anything else that Plot draws. */
export type Mark = object;

/** Options of a mark or of the whole plot; what they may be is told in Plot's documentation. */
export type MarkOptions = Readonly<Record<string, unknown>>;

/** Rows of data: plain objects, whose keys channels name. */
export type Rows = readonly object[];

type MarkOf<Data> = (data: Data, options?: MarkOptions) => Mark;

/** The functions of Plot that figures use. */
export interface PlotLibrary {
  readonly plot: (options: MarkOptions) => PlotElement;
  readonly line: MarkOf<Rows>;
  readonly dot: MarkOf<Rows>;
  readonly ruleX: MarkOf<Rows | readonly number[]>;
  readonly ruleY: MarkOf<Rows | readonly number[]>;
  readonly axisX: MarkOf<readonly number[]>;
  readonly text: MarkOf<Rows>;
}

interface PlotElement {
  readonly outerHTML: string;
}

interface DocumentLibrary {
  readonly parseHTML: (html: string) => { readonly document: object };
}

/** Draws with Plot, outside a browser. */
export interface Plotter {
  readonly marks: PlotLibrary;
  /** The plot as an SVG element in text, readable as a file of its own. */
  readonly draw: (options: MarkOptions) => string;
}

/** Loads Plot: half a second, so only when a figure is to be made. */
export async function loadPlotter(): Promise<Plotter> {
  // A name that the compiler does not follow, so that it leaves the packages' own types alone.
  const load = (name: string): Promise<unknown> => import(name);
  const marks = (await load('@observablehq/plot')) as PlotLibrary;
  const { parseHTML } = (await load('linkedom')) as DocumentLibrary;
  return {
    marks,
    draw: (options) => {
      const { document } = parseHTML('<html></html>');
      const { outerHTML } = marks.plot({ ...options, document });
      if (!outerHTML.startsWith('<svg'))
        throw new Error('the plot is no plain SVG: titles and legends are not');
      // Control characters in labels, which XML has no way to write.
      return printableLines(outerHTML).replace(
        '<svg',
        '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"',
      );
    },
  };
}
