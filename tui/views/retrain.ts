import { shownTag } from '../../data/design.js';
import { designOf } from '../../data/internalization-design.js';
import { programCommand } from '../../data/shell-word.js';
import { readRetrained, type RetrainData } from '../../src/analysis/studies/retrain/data.js';
import { readScores, type StoredScore } from '../../src/analysis/studies/retrain/table.js';
import { retrainReport } from '../../src/report/text/retrain-report.js';
import type { RunSource } from '../data/run-source.js';
import type { ViewContext, ViewSpec } from '../view/context.js';
import { drawList } from '../view/draw-list.js';
import type { ScatterFigure } from '../view/figure.js';
import { figurePicture } from '../view/figure-panel.js';
import { cut } from '../view/layout.js';
import { integerColumn, textColumn, type List } from '../view/list.js';
import { chosen, messagePanel, type ViewModel, type ViewPanel } from '../view/picture.js';
import { signed } from '../view/text.js';

const question = 'What do single definitions really do, and which predictions know it?';

/** What the stage of new variables does without a definition, against what predicts it. */
export const retrainView: ViewSpec = { id: 'retraining', short: 'retrain', question, load };

/** A run with what retraining it gave. */
interface Retrained {
  readonly run: RunSource;
  readonly data: RetrainData;
  readonly scores: readonly StoredScore[];
}

async function load(context: ViewContext): Promise<ViewModel> {
  const { current, shown } = context;
  if (current === null) return { panels: [messagePanel('retraining', '', ['There is no run to look at.'])] };
  const all: Retrained[] = [];
  for (const run of shown) {
    const source = await run.data();
    const data = await readRetrained(source);
    const scores = data === null ? null : await readScores(source);
    if (data !== null && scores !== null) all.push({ run, data, scores });
  }
  if (all.length === 0) {
    const reason = `No table retrained: the stage of new variables is trained again by ${programCommand('retrain', current.entry.path)}`;
    return { panels: [messagePanel('predicted against actual', question, [reason])] };
  }
  const own = all.find(({ run }) => run === current) ?? all[0]!;
  return { panels: [scatterPanel(all), listPanel(own)] };
}

/** Predictions that are drawn. */
const drawn = [
  { name: 'path integral', unit: 'nats', of: ({ predictions }: RetrainData) => predictions.pathIntegral },
  {
    name: 'inner product',
    unit: 'nats^2/parameter^2',
    of: ({ predictions }: RetrainData) => predictions.innerProduct,
  },
  { name: 'cosine', unit: '1', of: ({ predictions }: RetrainData) => predictions.cosine },
  { name: 'one step', unit: 'nats', of: ({ predictions }: RetrainData) => predictions.oneStep },
  {
    name: 'checkpoints',
    unit: 'nats^2/parameter^2',
    of: ({ predictions }: RetrainData) => predictions.checkpoints,
  },
] as const;

/** A dropped definition and the questions about its variable. */
interface OwnEffect {
  readonly subset: string;
  readonly variable: number;
  /** Of the loss by the definition, nats. */
  readonly actual: number;
  /** `[drawn]`, NaN where it was not predicted. */
  readonly predicted: readonly number[];
  readonly accuracy: number;
  readonly accuracyWithout: number;
}

function ownEffects(data: RetrainData): OwnEffect[] {
  const { definitions, asked, outcomes } = data;
  const base = outcomes.find(({ change, order }) => change === 'nothing' && order === 0);
  if (base === undefined) return [];
  return outcomes.flatMap(({ change, order, changed, subset, loss, accuracy }) => {
    if (change !== 'drop' || order !== 0) return [];
    const i = definitions.findIndex(({ variable }) => variable === changed);
    const j = asked.findIndex(({ variable }) => variable === changed);
    return {
      subset: subset!,
      variable: changed!,
      actual: base.loss[j]! - loss[j]!,
      predicted: drawn.map(({ of }) => of(data)?.[i * asked.length + j] ?? NaN),
      accuracy: base.accuracy[j]!,
      accuracyWithout: accuracy[j]!,
    };
  });
}

function scatterPanel(all: readonly Retrained[]): ViewPanel {
  const effects = all.map(({ run, data }) => ({ design: designOf(run.info), rows: ownEffects(data) }));
  const report = retrainReport(all.map(({ scores }) => scores));
  return {
    title: 'predicted against actual',
    question:
      'Do predictions know what a definition does to the loss of the questions about its variable? Null: no correlation.',
    choices: { name: 'prediction', values: drawn.map(({ name }) => name), initial: 0 },
    drills: null,
    draw(state, box, style) {
      const place = chosen(this, state.panel, state);
      const { name, unit } = drawn[place]!;
      const figure: ScatterFigure = {
        kind: 'scatter',
        title: `dropped definitions: ${name} against the change of the loss by the definition`,
        note: `one point per definition, of ${all.length} ${all.length === 1 ? 'seed' : 'seeds'}`,
        series: (['reliable', 'unreliable', 'other'] as const).flatMap((tag) => {
          const rows = effects.flatMap(({ design, rows: own }) =>
            own.filter(
              ({ subset, predicted }) =>
                shownTag(design, subset) === tag && Number.isFinite(predicted[place]!),
            ),
          );
          return rows.length === 0
            ? []
            : [
                {
                  name: tag === 'other' ? 'other tag' : `${tag} tag`,
                  x: rows.map(({ predicted }) => predicted[place]!),
                  y: rows.map(({ actual }) => actual),
                },
              ];
        }),
        curves: [],
        identity: unit === 'nats',
        xLabel: `predicted, ${unit}`,
        yLabel: 'actual change of the loss, nats',
        logX: false,
        logY: false,
      };
      return figurePicture(
        figure,
        report.map((line) => cut(line, box.width, style)),
        state,
        box,
        style,
      );
    },
  };
}

function listPanel({ run, data }: Retrained): ViewPanel {
  const rows = ownEffects(data);
  const list: List = {
    length: rows.length,
    id: () => null,
    columns: [
      integerColumn('variable', (row) => rows[row]!.variable),
      textColumn('subset', (row) => rows[row]!.subset, 14),
      signed('change of loss', (row) => rows[row]!.actual, 'nats'),
      signed('path integral', (row) => rows[row]!.predicted[0]!, 'nats'),
      signed('inner product', (row) => rows[row]!.predicted[1]!, 'nats^2/parameter^2'),
      signed('one step', (row) => rows[row]!.predicted[3]!, 'nats'),
      signed('accuracy', (row) => rows[row]!.accuracy),
      signed('without it', (row) => rows[row]!.accuracyWithout),
    ],
  };
  return {
    title: 'definitions',
    question: `Which definitions of ${run.name} taught most, and what was predicted?`,
    choices: null,
    drills: null,
    draw: (state, box, style) => drawList({ list, state, box, style }),
  };
}
