import { explanations, explanationOf, type ExplanationId } from '../../analysis/sweep/separation.js';
import type { SweepEvidence } from '../../analysis/sweep/evidence.js';
import { formatInterval, formatNumber } from '../text/numbers.js';
import { fonts } from './fonts.js';
import type { Plotter } from './plot-library.js';
import { besides, stacked, type Drawing } from './svg.js';

const [width, height] = [400, 270];

/** Told apart in every kind of sight (Okabe and Ito 2008). */
const palette = ['#0072b2', '#d55e00', '#009e73', '#cc79a7', '#e69f00', '#56b4e9', '#000000', '#8c6d31'];

/**
 * What a sweep shows beside its verdicts: outcome and mediator of each arm, means with 95 % t intervals over seeds; and the
 * outcome against what else could be behind it, run by run, with the partial effect of each in the regression on all four.
 * Arms have numbers, by which the lower panels name them.
 */
export function armsFigure(evidence: SweepEvidence, name: string, plotter: Plotter): Drawing {
  const first = [
    armPanel(evidence, 'outcome', plotter),
    ...(evidence.mediatorLabel === null ? [] : [armPanel(evidence, 'mediator', plotter)]),
  ];
  const panels = explanations.map(({ id, label }) => explanationPanel(evidence, id, label, plotter));
  return stacked(`${name}: arms, and what may be behind their differences`, [
    besides('', first),
    besides('', panels.slice(0, 2)),
    besides('', panels.slice(2)),
  ]);
}

const style = { fontFamily: fonts.sans, fontSize: '12px', background: 'white' };

function armPanel(
  { arms, outcomeLabel, mediatorLabel }: SweepEvidence,
  what: 'outcome' | 'mediator',
  { marks, draw }: Plotter,
): Drawing {
  const names = arms.map(({ name }, i) => `${name} (${i + 1})`);
  const rows = arms.flatMap((arm, i) => {
    const estimate = arm[what];
    if (estimate.kind === 'absent') return [];
    const [low, high] = estimate.interval ?? [estimate.estimate, estimate.estimate];
    return [{ arm: names[i], mean: estimate.estimate, low, high }];
  });
  const label = what === 'outcome' ? outcomeLabel : mediatorLabel;
  const own = Math.max(120, 24 * arms.length + 70);
  const longest = Math.max(...names.map(({ length }) => length));
  const svg = draw({
    width,
    height: own,
    marginLeft: Math.min(190, 20 + 6.5 * longest),
    marginTop: 10,
    marginRight: 20,
    marginBottom: 42,
    style,
    x: {
      label: rows.length === 0 ? `${label}: no run has it` : label,
      grid: true,
      nice: true,
      ...(rows.length === 0 ? { domain: [0, 1] } : {}),
    },
    y: { type: 'point', domain: names, label: null, inset: 10 },
    marks: [
      marks.ruleX([0]),
      marks.ruleY(rows, { y: 'arm', x1: 'low', x2: 'high', stroke: '#333333', strokeWidth: 1.5 }),
      marks.dot(rows, { x: 'mean', y: 'arm', fill: '#333333', r: 4 }),
    ],
  });
  return { width, height: own, svg };
}

function explanationPanel(
  { arms, runs, outcomeLabel, separation }: SweepEvidence,
  id: ExplanationId,
  label: string,
  { marks, draw }: Plotter,
): Drawing {
  const placeOf = (arm: string): number => arms.findIndex(({ name }) => name === arm);
  const colourOf = (arm: string): string => palette[placeOf(arm) % palette.length]!;
  const rows = runs.flatMap((run) => {
    const x = explanationOf(id, run[id]);
    return x === null || run.outcome === null
      ? []
      : [{ x, y: run.outcome, arm: run.arm, colour: colourOf(run.arm) }];
  });
  const limits = limitsOf(rows.map(({ x }) => x));
  const seen = rows.filter(({ x }) => x >= limits[0] && x <= limits[1]);
  const beyond = rows.length - seen.length;
  const centres = arms.flatMap(({ name }) => {
    const own = seen.filter(({ arm }) => arm === name);
    if (own.length === 0) return [];
    const mean = (of: (row: (typeof own)[number]) => number): number =>
      own.reduce((sum, row) => sum + of(row), 0) / own.length;
    const number = String(placeOf(name) + 1);
    return [{ x: mean((row) => row.x), y: mean((row) => row.y), number, colour: colourOf(name) }];
  });
  const svg = draw({
    width,
    height,
    marginLeft: 55,
    marginTop: 46,
    marginRight: 20,
    marginBottom: 42,
    style,
    x: { label, domain: limits, nice: true, inset: 10 },
    y: { label: outcomeLabel, grid: true, nice: true },
    marks: [
      marks.ruleY([0]),
      marks.dot(seen, { x: 'x', y: 'y', fill: 'colour', fillOpacity: 0.45, r: 2.5 }),
      marks.dot(centres, { x: 'x', y: 'y', fill: 'colour', stroke: 'white', r: 8 }),
      marks.text(centres, {
        x: 'x',
        y: 'y',
        text: 'number',
        fill: 'white',
        fontWeight: 'bold',
        fontSize: 10,
      }),
      marks.text([{ words: effectWords(separation, label) + beyondWords(beyond) }], {
        text: 'words',
        frameAnchor: 'top-right',
        dy: -20,
      }),
    ],
  });
  return { width, height, svg };
}

/**
 * What an axis covers: all values, but those further from the middle four fifths than twice their width, as of runs whose
 * parameters ran away. Values that differ by rounding alone are one, in the middle.
 */
function limitsOf(values: readonly number[]): [number, number] {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (share: number): number => sorted[Math.round(share * (sorted.length - 1))] ?? 0;
  const [low, high] = [at(0.1), at(0.9)];
  const reach = 2 * (high - low);
  const [first, last] =
    reach === 0 ? [at(0), at(1)] : [Math.max(at(0), low - reach), Math.min(at(1), high + reach)];
  const size = Math.max(Math.abs(first), Math.abs(last), 1e-12);
  return last - first > 1e-9 * size ? [first, last] : [first - size / 2, last + size / 2];
}

function beyondWords(runs: number): string {
  return runs === 0 ? '' : `; ${runs} ${runs === 1 ? 'run' : 'runs'} beyond the axis`;
}

/** The partial effect beside the others, where the arms tell them apart. */
function effectWords({ fit }: SweepEvidence['separation'], label: string): string {
  const effect = fit.kind === 'absent' ? null : fit.slopes.find(({ name }) => name === label)?.effect;
  return effect?.kind === 'value'
    ? `partial effect ${formatNumber(effect.estimate, true)} ${formatInterval(effect, true)}`
    : 'not told apart from the others';
}
