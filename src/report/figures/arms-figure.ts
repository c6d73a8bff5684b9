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
  const rows = arms.flatMap((arm) => {
    const estimate = arm[what];
    if (estimate.kind === 'absent') return [];
    const [low, high] = estimate.interval ?? [estimate.estimate, estimate.estimate];
    return [{ arm: arm.name, mean: estimate.estimate, low, high }];
  });
  const svg = draw({
    width,
    height,
    marginLeft: 55,
    marginBottom: 70,
    style,
    x: { type: 'point', domain: arms.map(({ name }) => name), label: null, inset: 14, tickRotate: -25 },
    y: { label: what === 'outcome' ? outcomeLabel : mediatorLabel, grid: true, nice: true },
    marks: [
      marks.ruleY([0]),
      marks.ruleX(rows, { x: 'arm', y1: 'low', y2: 'high', stroke: '#333333', strokeWidth: 1.5 }),
      marks.dot(rows, { x: 'arm', y: 'mean', fill: '#333333', r: 4 }),
    ],
  });
  return { width, height, svg };
}

function explanationPanel(
  { arms, runs, outcomeLabel, separation }: SweepEvidence,
  id: ExplanationId,
  label: string,
  { marks, draw }: Plotter,
): Drawing {
  const colourOf = (arm: string): string =>
    palette[arms.findIndex(({ name }) => name === arm) % palette.length]!;
  const rows = runs.flatMap((run) => {
    const x = explanationOf(id, run[id]);
    return x === null || run.outcome === null
      ? []
      : [{ x, y: run.outcome, arm: run.arm, colour: colourOf(run.arm) }];
  });
  const centres = arms.flatMap(({ name }) => {
    const own = rows.filter(({ arm }) => arm === name);
    if (own.length === 0) return [];
    const mean = (of: (row: (typeof own)[number]) => number): number =>
      own.reduce((sum, row) => sum + of(row), 0) / own.length;
    return [{ x: mean((row) => row.x), y: mean((row) => row.y), arm: name, colour: colourOf(name) }];
  });
  const svg = draw({
    width,
    height,
    marginLeft: 55,
    marginTop: 32,
    marginRight: 60,
    marginBottom: 42,
    style,
    x: { label: `${label}${effectWords(separation, label)}`, nice: true, inset: 10 },
    y: { label: outcomeLabel, grid: true, nice: true },
    marks: [
      marks.ruleY([0]),
      marks.dot(rows, { x: 'x', y: 'y', fill: 'colour', fillOpacity: 0.45, r: 2.5 }),
      marks.dot(centres, { x: 'x', y: 'y', fill: 'colour', r: 5 }),
      marks.text(centres, { x: 'x', y: 'y', text: 'arm', fill: 'colour', textAnchor: 'start', dx: 8 }),
    ],
  });
  return { width, height, svg };
}

/** The partial effect beside the others, where the arms tell them apart. */
function effectWords({ fit }: SweepEvidence['separation'], label: string): string {
  const effect = fit.kind === 'absent' ? null : fit.slopes.find(({ name }) => name === label)?.effect;
  return effect?.kind === 'value'
    ? `; partial effect ${formatNumber(effect.estimate, true)} ${formatInterval(effect, true)}`
    : '; not told apart from the others';
}
