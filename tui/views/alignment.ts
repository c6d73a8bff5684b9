import { designOf } from '../../data/internalization-design.js';
import { programCommand } from '../../data/shell-word.js';
import { endOfQuestions } from '../../data/stage-roles.js';
import {
  meanOverEntities,
  panelCosines,
  tagSwapGap,
  tagSwapNull,
  valuesByEntity,
  type PanelCosines,
  type TensorPlace,
} from '../../src/analysis/studies/alignment/cosines.js';
import type { GroupGradients } from '../../src/analysis/studies/minibatch/gradient-log.js';
import { alignmentPairs, cosineWindows } from '../../src/analysis/studies/minibatch/cosine.js';
import { tables } from '../../src/store/tables/registry.js';
import { totalTensor, questionKinds } from '../../src/store/tables/common.js';
import type { Series } from '../../src/report/charts/index.js';
import { entitiesAt, entityColumns, entityTensors, type Entity } from '../data/entities.js';
import { panelTokens, tokenColumns, type TokensOfEntity } from '../data/panel-tokens.js';
import type { RunSource } from '../data/run-source.js';
import { pathsOf, stageMarkers, versionsOf } from '../view/arms.js';
import type { ViewContext, ViewSpec } from '../view/context.js';
import { drawList } from '../view/draw-list.js';
import type { LineFigure } from '../view/figure.js';
import { figurePicture } from '../view/figure-panel.js';
import { drawHeatPanel } from '../view/heat-panel.js';
import { integerColumn, numberColumn, textColumn, type List } from '../view/list.js';
import { cut } from '../view/layout.js';
import { chosen, messagePanel, type Picture, type ViewPanel, type ViewModel } from '../view/picture.js';
import { quantityLines } from '../view/quantities.js';
import { seedBand } from '../view/seed-band.js';
import { signed } from '../view/text.js';
import { paint } from '../view/style.js';
import { noTokens, tokensPanel, tokenSummary } from './alignment/tokens.js';

/** Are gradients of definitions aligned with those of questions? */
export const alignmentView: ViewSpec = {
  id: 'alignment',
  short: 'align',
  question: 'Is the gradient of a definition aligned with that of its questions, more with the reliable tag?',
  load,
};

const noProbe =
  'No table alignment: gradients of single definitions and questions are measured at checkpoints by ';

async function load(context: ViewContext): Promise<ViewModel> {
  const { current, shown } = context;
  if (current === null) return { panels: [messagePanel('by tag', '', ['There is no run to look at.'])] };
  const design = designOf(current.info);
  const cosines: PanelCosines[] = [];
  for (const run of shown) {
    const table = await run.tables.read(tables.alignment, entityColumns);
    if (table !== null) cosines.push(panelCosines(table, designOf(run.info)));
  }
  const table = await current.tables.read(tables.alignment, entityColumns);
  const byStep = new Map<number, Entity[]>();
  const entities = (step: number): Entity[] => {
    let own = byStep.get(step);
    if (own === undefined && table !== null) byStep.set(step, (own = entitiesAt(table, design, step)));
    return own ?? [];
  };
  const layers = layersPanel(context, cosines);
  const said = await current.tables.read(tables.panel_tokens, tokenColumns);
  const tokens: EntityTokens = {
    of: said === null ? () => [] : panelTokens(said),
    none: noTokens(current, said !== null),
  };
  const list =
    table === null ? null : entitiesPanel(current, panelCosines(table, design).steps, entities, tokens);
  return {
    panels: [
      tagPanel(context),
      layers ?? messagePanel('layers', '', [`${noProbe}${programCommand('probe', current.entry.path)}`]),
      list ?? messagePanel('entities', '', [`${noProbe}${programCommand('probe', current.entry.path)}`]),
    ],
    drill: (id) => {
      // `<step>:<entity>`
      const [step, entity] = [Number(id.slice(0, id.indexOf(':'))), id.slice(id.indexOf(':') + 1)];
      const tensors = table === null ? [] : entityTensors(table, design, step, entity);
      return tensors.length === 0
        ? []
        : [entityPanel(entity, step, tensors), tokensPanel(tokens.of(entity), tokens.none)];
    },
  };
}

/** What the definitions and questions of an entity say. */
interface EntityTokens {
  readonly of: TokensOfEntity;
  /** Why there are none. */
  readonly none: string;
}

/** Points of a curve over training. */
const windows = 60;

function tagPanel(context: ViewContext): ViewPanel {
  const { shown, current } = context;
  return {
    title: 'by tag',
    question:
      'In training minibatches, are definitions aligned more with questions of their own subset than of the other (null)?',
    choices: null,
    drills: null,
    draw(state, box, style) {
      const wanted = context.want(`cosines ${pathsOf(shown)}`, versionsOf(shown), () => tagCurves(shown));
      if (wanted.kind === 'pending')
        return messagePanel('', '', [progressText(shown)]).draw(state, box, style);
      if (wanted.kind === 'failed') return messagePanel('', '', [wanted.reason]).draw(state, box, style);
      if (wanted.value.length === 0) {
        const reason =
          'The log of this run has no Gram matrices of groups (log.tier groups or higher has them).';
        return messagePanel('', '', [reason]).draw(state, box, style);
      }
      const figure: LineFigure = {
        kind: 'line',
        title: 'cosine of definitions and questions by tag',
        note: `bands: 95 % ${shown.length > 1 ? `t interval of the mean over ${shown.length} seeds` : 'over minibatches of the window'}`,
        series: wanted.value,
        xLabel: 'step',
        yLabel: 'cosine',
        logX: false,
        logY: false,
        bands: [],
        markers: stageMarkers(current!),
      };
      const section = context.want(`minibatch cosine ${pathsOf(context.arm)}`, versionsOf(context.arm), () =>
        context.numbers.section(context.arm, 'minibatchCosine'),
      );
      const over = shown.length > 1 ? `over ${shown.length} seeds` : 'over minibatches of the window';
      const table =
        section.kind === 'value' && section.value !== null
          ? [
              ...quantityLines(section.value, { width: box.width, style, seed: current!.seed }),
              paint(
                cut(`bands: 95 % ${over}; table from: ${section.value.source}`, box.width, style),
                'dim',
                style,
              ),
            ]
          : [section.kind === 'pending' ? progressText(context.arm) : 'no interval'];
      return figurePicture(figure, table, state, box, style);
    },
  };
}

/** How far the logs of runs are read. */
export function progressText(runs: readonly RunSource[]): string {
  const done = runs.reduce((sum, { log }) => sum + log.progress.done, 0);
  const all = runs.reduce((sum, { log }) => sum + log.progress.all, 0);
  // Read, and what follows takes its time too.
  if (all > 0 && done === all) return 'measuring ...';
  return all === 0
    ? 'reading ...'
    : `reading the gradient log: ${Math.floor((100 * done) / all)} % of ${all} rows`;
}

/** Definitions of each tag with questions of their own variables' tag, and, as null, of the other. */
async function tagCurves(runs: readonly RunSource[]): Promise<Series[]> {
  const logs: { readonly run: RunSource; readonly gradients: GroupGradients }[] = [];
  for (const run of runs) {
    const gradients = await run.log.read(run.info);
    if (gradients !== null) logs.push({ run, gradients });
  }
  if (logs.length === 0) return [];
  return (['reliable', 'unreliable'] as const).flatMap((tag) =>
    (['questions', 'mismatched'] as const).map((which): Series => {
      const name = `${tag} tag, ${which === 'questions' ? 'same subset' : 'other subset'}`;
      const curves = logs.map(({ run, gradients }) => {
        const last = Math.max(1, endOfQuestions(run.info));
        const width = Math.max(1, Math.ceil(last / windows));
        const pair = alignmentPairs(designOf(run.info))[tag];
        return cosineWindows(gradients, pair.definitions, pair[which], last, width);
      });
      const [first] = curves;
      if (curves.length === 1 && first !== undefined) {
        return { name, x: first.steps, y: first.mean, low: first.low, high: first.high };
      }
      return seedBand(
        name,
        curves.map(({ steps, mean }) => ({ x: steps, y: mean })),
      );
    }),
  );
}

/** Matched minus mismatched, tensor by checkpoint. */
function layersPanel(context: ViewContext, all: readonly PanelCosines[]): ViewPanel | null {
  const [first] = all;
  if (first === undefined) return null;
  const choices = [
    'tag-swap gap - its null, new variables',
    ...first.subsets.flatMap((subset) =>
      questionKinds
        .filter((questions) =>
          first.steps.some(
            (step) => first.cosines({ step, tensor: totalTensor, questions }, subset, 'matched').size > 0,
          ),
        )
        .map((questions) => `${subset} ${questions}`),
    ),
  ];
  const valueOf = (choice: string, own: PanelCosines, step: number, tensor: string): number => {
    if (choice === choices[0]) {
      const place: TensorPlace = { step, tensor, questions: 'heldout' };
      return meanOverEntities(tagSwapGap(own, place)) - meanOverEntities(tagSwapNull(own, place));
    }
    const [subset, kind] = choice.split(' ');
    const questions = questionKinds.find((one) => one === kind) ?? 'heldout';
    const mean = (pairing: 'matched' | 'mismatched'): number =>
      meanOverEntities(valuesByEntity(own.cosines({ step, tensor, questions }, subset!, pairing)));
    return mean('matched') - mean('mismatched');
  };
  const matrices = new Map<string, readonly (readonly (readonly number[])[])[]>();
  /** `[tensor][checkpoint][run]`, made once a choice. */
  const matrixOf = (choice: string) => {
    const known = matrices.get(choice);
    if (known !== undefined) return known;
    const made = first.tensors.map((tensor) =>
      first.steps.map((step) => all.map((own) => valueOf(choice, own, step, tensor)).filter(Number.isFinite)),
    );
    matrices.set(choice, made);
    return made;
  };
  return {
    title: 'layers',
    question:
      'In which tensors, and when, is a definition aligned with questions about its variable more than with others?',
    choices: { name: 'matched - mismatched of', values: choices, initial: 0 },
    drills: null,
    draw(state, box, style) {
      const choice = choices[chosen(this, state.panel, state)]!;
      const matrix = matrixOf(choice);
      return drawHeatPanel({
        title: choice,
        rowTitle: 'tensor',
        columnTitle: 'step',
        rows: first.tensors,
        columns: first.steps.map(String),
        unit: '1',
        samples: (row, column) => matrix[row]?.[column] ?? [],
        over: 'seeds',
        nullName:
          choice === choices[0]
            ? 'questions of other variables (subtracted)'
            : 'mismatched definitions of the same tag (subtracted)',
        state,
        box,
        style,
      });
    },
  };
}

function entityList(entities: readonly Entity[], step: number): List {
  const own = (row: number): Entity => entities[row]!;
  return {
    length: entities.length,
    id: (row) => `${step}:${own(row).id}`,
    columns: [
      integerColumn('variable', (row) => own(row).variable),
      textColumn('subset', (row) => own(row).subset, 12),
      textColumn('questions', (row) => own(row).questions, 9),
      signed('tag-swap gap', (row) => own(row).gap),
      signed('null gap', (row) => own(row).nullGap),
      signed('matched', (row) => own(row).cosine.matched),
      signed('tag_swap', (row) => own(row).cosine.tag_swap),
      signed('mismatched', (row) => own(row).cosine.mismatched),
      signed('entity_swap', (row) => own(row).cosine.entity_swap),
      signed('unseen_tag', (row) => own(row).cosine.unseen_tag),
      signed('random', (row) => own(row).cosine.random),
      signed('inner', (row) => own(row).inner),
      numberColumn('|g_d|', 'nats/parameter', (row) => own(row).normDefinition),
      numberColumn('|g_q|', 'nats/parameter', (row) => own(row).normQuestions),
    ],
  };
}

/** Entities begin sorted by their gap. */
const gapColumn = 3;

function entitiesPanel(
  run: RunSource,
  steps: readonly number[],
  entities: (step: number) => Entity[],
  tokens: EntityTokens,
): ViewPanel {
  const lists = new Map<number, List>();
  const listAt = (step: number): List => {
    let list = lists.get(step);
    if (list === undefined) lists.set(step, (list = entityList(entities(step), step)));
    return list;
  };
  return {
    title: 'entities',
    question: `Which variables of ${run.name} tell the tags apart? Cosines, all tensors; null: other variables' definitions.`,
    choices: {
      name: 'checkpoint',
      values: steps.map((step) => `step ${step}`),
      initial: Math.max(0, steps.indexOf(endOfQuestions(run.info))),
    },
    drills: 'variable by tensor',
    draw(state, box, style) {
      const list = listAt(steps[chosen(this, state.panel, state)] ?? 0);
      const sort = state.sort ?? { column: gapColumn, descending: true };
      const draw = (height: number): Picture =>
        drawList({
          list,
          state: { ...state, sort },
          box: { width: box.width, height },
          style,
          empty: 'no entity at this checkpoint',
        });
      // What the selected one says stands below the list, in two fifths of the room at most.
      const id = draw(box.height).list?.id ?? null;
      if (id === null) return draw(box.height);
      const said = tokens.of(id.slice(id.indexOf(':') + 1));
      const below =
        said.length === 0
          ? [paint(cut(tokens.none, box.width, style), 'dim', style)]
          : tokenSummary(said, box.width, Math.max(3, Math.floor(0.4 * box.height) - 1), style);
      const picture = draw(Math.max(2, box.height - below.length - 1));
      return { ...picture, lines: [...picture.lines, '', ...below].slice(0, box.height) };
    },
  };
}

function entityPanel(entity: string, step: number, tensors: ReturnType<typeof entityTensors>): ViewPanel {
  const summed = tensors.filter(({ tensor }) => tensor !== 'total' && tensor !== 'without_embeddings');
  const sizes = summed.reduce((sum, { inner }) => sum + Math.abs(inner), 0);
  const own = (row: number) => tensors[row]!;
  const list: List = {
    length: tensors.length,
    id: () => null,
    columns: [
      textColumn('tensor', (row) => own(row).tensor, 46),
      signed('tag-swap gap', (row) => own(row).gap),
      signed('matched', (row) => own(row).cosine.matched),
      signed('tag_swap', (row) => own(row).cosine.tag_swap),
      signed('mismatched', (row) => own(row).cosine.mismatched),
      signed('entity_swap', (row) => own(row).cosine.entity_swap),
      signed('unseen_tag', (row) => own(row).cosine.unseen_tag),
      signed('inner', (row) => own(row).inner),
      signed('share', (row) => (summed.includes(own(row)) && sizes > 0 ? own(row).inner / sizes : NaN)),
    ],
  };
  return {
    title: `${entity}, step ${step}`,
    question:
      'In which tensors do its pairs align? share: inner product over the sum of sizes; null: mismatched.',
    choices: null,
    drills: null,
    draw: (state, box, style) =>
      drawList({ list, state, box, style, empty: 'this entity is not there any more' }),
  };
}
