import { designOf } from '../../../data/internalization-design.js';
import { sweepRows, type SweepRow } from '../../analysis/sweep/table.js';
import { accuracyQuantity, sweepQuantities, type SweepAnalysis } from '../../analysis/sweep.js';
import type { Plotter } from './plot-library.js';
import { fonts } from './fonts.js';
import { besides, type Drawing } from './svg.js';

const width = 460;
const height = 320;

/** Colours of the reliable and the unreliable tag, and of their difference, told apart in every kind of sight. */
const colours = { reliable: '#0072b2', unreliable: '#d55e00', difference: '#333333' } as const;

interface Curve {
  readonly quantity: string;
  readonly label: string;
  readonly colour: string;
  /** Share of the distance between two points by which the curve is moved, so that intervals do not hide each other. */
  readonly shift: number;
}

/**
 * Strong internalization over a sweep: left the accuracy on new questions about variables of which only definitions with
 * the reliable and the unreliable tag were trained, right their difference. Means with 95 % t
 * intervals over seeds; over the number of pairs it is figure 5 of the paper. Arms that are no numbers on one axis stand
 * side by side.
 */
export function sweepFigure(sweep: SweepAnalysis, plotter: Plotter): Drawing {
  const rows = sweepRows(sweep);
  const [reliable, unreliable] = designOf(sweep).strong;
  const accuracies = panel(sweep, rows, plotter, 'accuracy on new questions', [
    { quantity: accuracyQuantity(reliable), label: reliable, colour: colours.reliable, shift: -2 },
    { quantity: accuracyQuantity(unreliable), label: unreliable, colour: colours.unreliable, shift: 2 },
  ]);
  const gap = panel(sweep, rows, plotter, `strong gap: ${reliable} - ${unreliable}`, [
    { quantity: sweepQuantities.strong, label: '', colour: colours.difference, shift: 0 },
  ]);
  return besides(`${sweep.name}: mean and 95 % interval over seeds`, [accuracies, gap]);
}

function panel(
  { axes }: SweepAnalysis,
  rows: readonly SweepRow[],
  { marks, draw }: Plotter,
  label: string,
  curves: readonly Curve[],
): Drawing {
  const names = [...new Set(rows.map(({ arm }) => arm))];
  const values = [...new Set(rows.flatMap(({ value }) => value ?? []))];
  const axis = axes.length === 1 && values.length === names.length ? axes[0]! : null;
  const x = axis === null ? 'arm' : 'value';
  const drawn = curves.flatMap(({ quantity, label: name, colour, shift }) => {
    const own = rows.filter((row) => row.quantity === quantity && row.mean !== null);
    const withInterval = own.filter(({ low }) => low !== null);
    const last = own.slice(-1).map((row) => ({ ...row, name }));
    return [
      ...(axis === null ? [] : [marks.line(own, { x, y: 'mean', stroke: colour, dx: shift })]),
      marks.ruleX(withInterval, {
        x,
        y1: 'low',
        y2: 'high',
        stroke: colour,
        strokeWidth: 1.5,
        dx: shift,
      }),
      marks.dot(own, { x, y: 'mean', fill: colour, r: 3.5, dx: shift }),
      marks.text(last, { x, y: 'mean', text: 'name', fill: colour, textAnchor: 'start', dx: 8 }),
    ];
  });
  const svg = draw({
    width,
    height,
    marginRight: 70,
    marginLeft: 50,
    marginBottom: axis === null ? 80 : 42,
    style: { fontFamily: fonts.sans, fontSize: '12px', background: 'white' },
    x:
      axis === null
        ? { type: 'point', domain: names, label: null, inset: 14, tickRotate: -25 }
        : { type: axis.scale, label: axis.label, inset: 14 },
    y: { label, grid: true, nice: true },
    // A log axis would name powers of ten only.
    marks: [
      ...(axis === null ? [] : [marks.axisX(values, { text: values.map(String) })]),
      marks.ruleY([0]),
      ...drawn,
    ],
  });
  return { width, height, svg };
}
