import { designOf } from '../../data/internalization-design.js';
import { programCommand } from '../../data/shell-word.js';
import { questionStage } from '../../data/stage-roles.js';
import { mismatchedTerms, pairSetsOf, type PairSet } from '../../src/analysis/studies/forces/pair-sets.js';
import {
  forceColumns,
  forcesIn,
  sumOfTerms,
  type ForceTable,
  type MeasuredForces,
} from '../../src/analysis/studies/forces/rows.js';
import { totalTensor } from '../../src/store/tables/common.js';
import { forceNames, type ForceName } from '../../src/store/tables/forces.js';
import { tables } from '../../src/store/tables/registry.js';
import type { RunSource } from '../data/run-source.js';
import { pathsOf, stageMarkers, versionsOf } from '../view/arms.js';
import type { ViewContext, ViewSpec } from '../view/context.js';
import { drawList } from '../view/draw-list.js';
import type { LineFigure } from '../view/figure.js';
import { figurePicture } from '../view/figure-panel.js';
import { cut } from '../view/layout.js';
import { textColumn, type List } from '../view/list.js';
import { chosen, messagePanel, type ViewModel, type ViewPanel } from '../view/picture.js';
import { quantityLines } from '../view/quantities.js';
import { bandNote, seedBand } from '../view/seed-band.js';
import { paint } from '../view/style.js';
import { signed } from '../view/text.js';

/** What moves the alignment of definitions with questions? */
export const forcesView: ViewSpec = {
  id: 'forces',
  short: 'forces',
  question: 'What moves definitions and questions into alignment: the loss, or the penalty of SGD?',
  load,
};

/** A run with its table of forces. */
interface Measured {
  readonly run: RunSource;
  readonly table: ForceTable;
}

async function load(context: ViewContext): Promise<ViewModel> {
  const { current, shown } = context;
  if (current === null) return { panels: [messagePanel('course', '', ['There is no run to look at.'])] };
  const measured: Measured[] = [];
  for (const run of shown) {
    const table = await run.tables.read(tables.forces, forceColumns);
    if (table !== null && table.rows > 0) measured.push({ run, table });
  }
  const own = measured.find(({ run }) => run === current) ?? measured[0];
  if (own === undefined) {
    const command = programCommand('probe', '--only', 'forces', current.entry.path);
    return {
      panels: [
        messagePanel('course', '', [
          `No table forces: what moves inner products at checkpoints is measured by ${command}`,
        ]),
      ],
    };
  }
  return { panels: [coursePanel(context, current, measured), tensorsPanel(own)] };
}

/** Change in an epoch by a force on a pair set; NaN where it was not measured. */
function inEpoch(
  { run }: Measured,
  forces: MeasuredForces,
  values: MeasuredForces['inner'],
  step: number,
  force: ForceName,
  terms: PairSet['terms'],
): number {
  const rate = forces.forces.has(force) ? sumOfTerms(values, step, force, terms) : null;
  return rate === null ? NaN : rate * questionStage(run.info).stepsPerEpoch;
}

const measures = ['inner product', 'cosine'] as const;

function coursePanel(context: ViewContext, current: RunSource, measured: readonly Measured[]): ViewPanel {
  const sets = pairSetsOf(designOf(current.info));
  const all = measured.map((own) => ({ own, forces: forcesIn(own.table, totalTensor) }));
  const choices = sets.flatMap((set) => measures.map((measure) => ({ set, measure })));
  return {
    title: 'course',
    question:
      'By how much would an epoch of plain SGD change it, by the loss and by each part of the penalty? Null: questions of other variables.',
    choices: {
      name: 'mean',
      values: choices.map(({ set, measure }) => `${measure}, ${set.label}`),
      initial: 0,
    },
    drills: null,
    draw(state, box, style) {
      const { set, measure } = choices[chosen(this, state.panel, state)]!;
      const section = measure === 'cosine' ? 'cosineForces' : 'forces';
      const curves = (force: ForceName, terms: PairSet['terms']) =>
        all.map(({ own, forces }) => ({
          x: forces.steps,
          y: forces.steps.map((step) =>
            inEpoch(own, forces, measure === 'cosine' ? forces.cosine : forces.inner, step, force, terms),
          ),
        }));
      const figure: LineFigure = {
        kind: 'line',
        title: `change of the mean ${measure} in an epoch of plain SGD: ${set.label}`,
        note: bandNote(measured.length),
        series: [
          ...forceNames.map((force) => seedBand(force, curves(force, set.terms))),
          seedBand('task, null', curves('task', mismatchedTerms(set.terms))),
        ],
        xLabel: 'step',
        yLabel: measure === 'cosine' ? 'change an epoch' : 'change an epoch, nats^2/parameter^2',
        logX: false,
        logY: false,
        bands: [],
        markers: stageMarkers(current),
      };
      const wanted = context.want(`${section} ${pathsOf(context.arm)}`, versionsOf(context.arm), () =>
        context.numbers.section(context.arm, section),
      );
      const table =
        wanted.kind === 'value'
          ? wanted.value === null
            ? []
            : [
                ...quantityLines(wanted.value, { width: box.width, style, seed: current.seed }),
                paint(cut(`from: ${wanted.value.source}`, box.width, style), 'dim', style),
              ]
          : [wanted.kind === 'failed' ? wanted.reason : 'measuring ...'];
      return figurePicture(figure, table, state, box, style);
    },
  };
}

/** The forces tensor by tensor at a checkpoint. */
function tensorsPanel(own: Measured): ViewPanel {
  const sets = pairSetsOf(designOf(own.run.info));
  const tensors = own.table.columns.tensor.values;
  const { steps } = forcesIn(own.table, totalTensor);
  const choices = sets.flatMap((set) => steps.map((step) => ({ set, step })));
  const byTensor = new Map<string, MeasuredForces>();
  const forcesOf = (tensor: string): MeasuredForces => {
    let forces = byTensor.get(tensor);
    if (forces === undefined) byTensor.set(tensor, (forces = forcesIn(own.table, tensor)));
    return forces;
  };
  const listOf = ({ set, step }: (typeof choices)[number]): List => {
    const rows = tensors.map((tensor) => {
      const forces = forcesOf(tensor);
      const of = (force: ForceName, terms: PairSet['terms'], values = forces.inner): number =>
        inEpoch(own, forces, values, step, force, terms);
      const others = mismatchedTerms(set.terms);
      return {
        tensor,
        task: of('task', set.terms),
        norm: of('norm', set.terms),
        alignment: of('alignment', set.terms),
        taskNull: of('task', others),
        alignmentNull: of('alignment', others),
        cosineTask: of('task', set.terms, forces.cosine),
        cosineAlignment: of('alignment', set.terms, forces.cosine),
      };
    });
    return {
      length: rows.length,
      id: () => null,
      columns: [
        textColumn('tensor', (row) => rows[row]!.tensor, 46),
        signed('task', (row) => rows[row]!.task),
        signed('norm', (row) => rows[row]!.norm),
        signed('alignment', (row) => rows[row]!.alignment),
        signed('task, null', (row) => rows[row]!.taskNull),
        signed('alignment, null', (row) => rows[row]!.alignmentNull),
        signed('task, cosine', (row) => rows[row]!.cosineTask),
        signed('alignment, cosine', (row) => rows[row]!.cosineAlignment),
      ],
    };
  };
  return {
    title: 'tensors',
    question: `In which tensors of ${own.run.name} do the forces act? Change of the mean inner product in an epoch of plain SGD.`,
    choices: {
      name: 'pairs',
      values: choices.map(({ set, step }) => `${set.label}, step ${step}`),
      initial: 0,
    },
    drills: null,
    draw(state, box, style) {
      return drawList({ list: listOf(choices[chosen(this, state.panel, state)]!), state, box, style });
    },
  };
}
