import { stripVTControlCharacters } from 'node:util';
import { totalTensor } from '../../src/store/tables/common.js';
import { tables } from '../../src/store/tables/registry.js';
import type { TypedTable } from '../../src/store/typed-table.js';
import type { RunSource } from '../data/run-source.js';
import type { ViewContext, ViewSpec } from '../view/context.js';
import { drawList } from '../view/draw-list.js';
import { drawFigure, type HeatFigure } from '../view/figure.js';
import { abbreviate, cut, cutLines } from '../view/layout.js';
import { arrange, listSlice, integerColumn, numberColumn, textColumn, type List } from '../view/list.js';
import { chosen, messagePanel, type ViewPanel, type ViewModel } from '../view/picture.js';
import { selectedPlace } from '../view/draw-list.js';
import { numbers, texts } from '../../src/report/slice/slice.js';
import { initialState } from '../view/state.js';
import { paint, signs, type Style } from '../view/style.js';

/** What each minibatch of training did. */
export const minibatchesView: ViewSpec = {
  id: 'minibatches',
  short: 'batch',
  question: 'What did each minibatch do, and how do the gradients of its groups stand to each other?',
  load,
};

const stepColumns = [
  'stage',
  'step',
  'epoch',
  'batch_size',
  'loss',
  'grad_norm',
  'clip_factor',
  'update_norm',
  'learning_rate',
] as const;

async function load(context: ViewContext): Promise<ViewModel> {
  const { current } = context;
  if (current === null) return { panels: [messagePanel('minibatches', '', ['There is no run to look at.'])] };
  const table = await current.tables.read(tables.steps, stepColumns);
  if (table === null) return { panels: [messagePanel('minibatches', '', ['This run has no table steps.'])] };
  return { panels: [minibatchPanel(context, current, table)] };
}

/** Steps whose group norms are read at once: what fits on any screen, and a few more. */
const block = 64;

type StepTable = TypedTable<typeof tables.steps, (typeof stepColumns)[number]>;

function minibatchPanel(context: ViewContext, run: RunSource, { rows, columns }: StepTable): ViewPanel {
  const { step, stage, batch_size: size } = columns;
  const float =
    (values: Float64Array) =>
    (row: number): number | null =>
      Number.isFinite(values[row]!) ? values[row]! : null;
  const epoch = float(columns.epoch);
  const { groups } = run.info;
  const normOf =
    (group: string) =>
    (row: number): number | null => {
      const from = Math.floor(step[row]! / block) * block;
      const wanted = context.want(`norms ${run.entry.path} ${from}`, String(run.tables.version), () =>
        readNorms(run, from, from + block - 1),
      );
      return wanted.kind === 'value' ? (wanted.value?.get(`${step[row]} ${group}`) ?? null) : null;
    };
  const list: List = {
    length: rows,
    id: () => null,
    columns: [
      integerColumn('step', (row) => step[row]!),
      textColumn('stage', (row) => stage.values[stage.indices[row]!] ?? '', 8),
      numberColumn('epoch', '1', epoch, (row) => (epoch(row) ?? 0).toFixed(2)),
      numberColumn(
        'batch',
        'examples',
        (row) => size[row]!,
        (row) => String(size[row]),
      ),
      numberColumn('loss', 'nats', float(columns.loss)),
      numberColumn('|g|', 'nats/parameter', float(columns.grad_norm)),
      numberColumn('clip', '1', float(columns.clip_factor)),
      numberColumn('|update|', 'parameter', float(columns.update_norm.values)),
      ...groups.map((group) => numberColumn(`|${shortGroup(group)}|`, 'nats/parameter', normOf(group))),
      numberColumn('learning rate', '1', float(columns.learning_rate)),
    ],
  };
  // Sorting and filtering by what is read piece by piece would read the whole log.
  const readFrom = 8;
  const searchable: List = { ...list, columns: list.columns.slice(0, readFrom) };
  const tensors = [totalTensor, ...run.info.parameters.map(({ tensor }) => tensor)];
  const placeOf = (wanted: number): number => {
    let [low, high] = [0, step.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (step[middle]! < wanted) low = middle + 1;
      else high = middle;
    }
    return Math.min(low, step.length - 1);
  };
  return {
    title: 'minibatches',
    question: `What did each minibatch of ${run.name} do, and how do its groups' gradients stand to each other?`,
    choices: { name: 'tensor of the Gram matrix', values: tensors, initial: 0 },
    drills: null,
    draw(state, box, style) {
      const isSearched = state.filter !== '' || (state.sort !== null && state.sort.column < readFrom);
      const sort = state.sort !== null && state.sort.column < readFrom ? state.sort : null;
      const order = isSearched ? arrange(searchable, state.filter, sort) : null;
      const own: List =
        order === null
          ? list
          : {
              length: order.length,
              id: () => null,
              columns: list.columns.map((column) => ({
                ...column,
                value: (row) => column.value(order[row]!),
                ...(column.text === undefined ? {} : { text: (row: number) => column.text!(order[row]!) }),
              })),
            };
      const place = selectedPlace(state.row, own.length);
      const selected = order === null ? place : order[place];
      const tensor = tensors[chosen(this, state.panel, state)] ?? totalTensor;
      const beside = box.width >= 150;
      const gramWidth = beside ? Math.floor(box.width * 0.42) : box.width;
      const gram =
        selected === undefined || step[selected] === undefined
          ? []
          : gramLines(
              context,
              run,
              step[selected],
              tensor,
              { width: gramWidth, height: beside ? box.height : Math.floor(box.height * 0.6) },
              style,
            );
      const listBox = beside
        ? { width: box.width - gramWidth - 2, height: box.height }
        : { width: box.width, height: Math.max(3, box.height - gram.length) };
      const picture = drawList({
        list: own,
        state: { ...state, filter: '', sort: null },
        box: listBox,
        style,
        empty: state.filter === '' ? 'no minibatch yet' : `no minibatch has ${state.filter}`,
      });
      const header =
        sort === null
          ? picture.lines
          : picture.lines.map((line, i) =>
              i === 0
                ? `${line} (by ${list.columns[sort.column]!.title}${sort.descending ? signs(style).down : signs(style).up})`
                : line,
            );
      const lines = beside ? sideBySide(header, gram, listBox.width, box.height) : [...header, ...gram];
      return {
        ...picture,
        lines: cutLines(lines, box.height, style),
        list: {
          ...picture.list!,
          columns: searchable.columns.map(({ title }) => title),
          numeric: searchable.columns.map(({ kind }) => kind === 'number'),
          placeOf: isSearched ? null : placeOf,
        },
        slice: () =>
          gramSlice(context, run, step[selected ?? 0] ?? 0, tensor) ??
          listSlice(searchable, arrange(searchable, state.filter, sort)),
      };
    },
  };
}

/** `qd1consis/definition` as `qd1consis/d`, to fit into a header. */
const shortGroup = (group: string): string => group.replace(/\/definition$/, '/d').replace(/\/qa$/, '/q');

/** Norms of the groups' shares of the minibatch gradient, all tensors, by `step group`; null where not logged. */
async function readNorms(run: RunSource, from: number, to: number): Promise<Map<string, number> | null> {
  const names = ['step', 'group', 'tensor', 'norm2'] as const;
  const table = await run.tables.rowsOfSteps(tables.gradients, names, from, to);
  if (table === null) return null;
  const { step, group, tensor, norm2 } = table.columns;
  const total = tensor.values.indexOf(totalTensor);
  const norms = new Map<string, number>();
  for (let row = 0; row < table.rows; row++) {
    if (tensor.indices[row] !== total || step[row]! < from || step[row]! > to) continue;
    norms.set(`${step[row]} ${group.text(row)}`, Math.sqrt(norm2[row]!));
  }
  return norms;
}

interface GramOfStep {
  readonly groups: readonly string[];
  /** `[group][group]` cosines and inner products; null where there is none. */
  readonly cosine: readonly (readonly (number | null)[])[];
  readonly inner: readonly (readonly (number | null)[])[];
}

async function readGram(run: RunSource, at: number, tensor: string): Promise<GramOfStep | null> {
  const names = ['step', 'tensor', 'group_a', 'group_b', 'inner', 'cosine'] as const;
  const table = await run.tables.rowsOfSteps(tables.gram, names, at, at);
  if (table === null) return null;
  const { step, tensor: tensors, group_a: a, group_b: b, inner, cosine } = table.columns;
  const wanted = tensors.values.indexOf(tensor);
  const found = new Map<string, number>();
  const groups = new Set<number>();
  for (let row = 0; row < table.rows; row++) {
    if (step[row] !== at || tensors.indices[row] !== wanted) continue;
    found.set(`${a.indices[row]} ${b.indices[row]}`, row);
    groups.add(a.indices[row]!).add(b.indices[row]!);
  }
  const order = [...groups].toSorted((x, y) => x - y);
  const matrix = (values: Float64Array) =>
    order.map((x) =>
      order.map((y) => {
        const row = found.get(`${x} ${y}`) ?? found.get(`${y} ${x}`);
        const value = row === undefined ? NaN : values[row]!;
        return Number.isFinite(value) ? value : null;
      }),
    );
  const cosines = matrix(cosine.values).map((line, i) => line.map((value, j) => (i === j ? 1 : value)));
  return { groups: order.map((own) => a.values[own]!), cosine: cosines, inner: matrix(inner) };
}

const wantGram = (context: ViewContext, run: RunSource, step: number, tensor: string) =>
  context.want(`gram ${run.entry.path} ${step} ${tensor}`, String(run.tables.version), () =>
    readGram(run, step, tensor),
  );

function gramLines(
  context: ViewContext,
  run: RunSource,
  step: number,
  tensor: string,
  box: { readonly width: number; readonly height: number },
  style: Style,
): string[] {
  const wanted = wantGram(context, run, step, tensor);
  const title = paint(
    cut(
      `Gram matrix of step ${step}, ${tensor}: cosines of the groups' gradients; null 0, orthogonal`,
      box.width,
      style,
    ),
    'bold',
    style,
  );
  if (wanted.kind === 'pending') return [title, 'reading ...'];
  if (wanted.kind === 'failed') return [title, wanted.reason];
  if (wanted.value === null || wanted.value.groups.length === 0) {
    return [title, 'not logged at this step (log.tier groups, and the schedule log.gram)'];
  }
  const { groups, cosine } = wanted.value;
  const { more } = signs(style);
  const figure: HeatFigure = {
    kind: 'heat',
    title: `Gram matrix of step ${step}`,
    values: cosine,
    rowLabels: groups.map(
      (group, i) => `${i + 1} ${abbreviate(group, Math.max(8, Math.floor(box.width / 3) - 3), more)}`,
    ),
    columnLabels: groups.map((_, i) => String(i + 1)),
    rowTitle: 'group',
    columnTitle: 'group',
    scale: 'diverging',
    unit: '1',
    range: [-1, 1],
  };
  return [
    title,
    ...drawFigure(figure, { width: box.width, height: Math.max(4, box.height - 1) }, initialState, style),
  ];
}

function gramSlice(context: ViewContext, run: RunSource, step: number, tensor: string) {
  const wanted = wantGram(context, run, step, tensor);
  if (wanted.kind !== 'value' || wanted.value === null || wanted.value.groups.length === 0) return null;
  const { groups, cosine, inner } = wanted.value;
  const pairs = groups.flatMap((a, i) => groups.slice(i + 1).map((b, j) => ({ a, b, i, j: i + 1 + j })));
  return {
    columns: [
      numbers(
        'step',
        '1',
        pairs.map(() => step),
      ),
      texts(
        'tensor',
        pairs.map(() => tensor),
      ),
      texts(
        'group_a',
        pairs.map(({ a }) => a),
      ),
      texts(
        'group_b',
        pairs.map(({ b }) => b),
      ),
      numbers(
        'inner',
        '1',
        pairs.map(({ i, j }) => inner[i]![j]!),
      ),
      numbers(
        'cosine',
        '1',
        pairs.map(({ i, j }) => cosine[i]![j]!),
      ),
    ],
  };
}

/** Two blocks of lines beside each other; escapes of the left one take no room. */
function sideBySide(
  left: readonly string[],
  right: readonly string[],
  width: number,
  height: number,
): string[] {
  return Array.from({ length: Math.min(height, Math.max(left.length, right.length)) }, (_, i) => {
    const own = left[i] ?? '';
    const visible = stripVTControlCharacters(own);
    return `${own}${' '.repeat(Math.max(0, width - visible.length))}  ${right[i] ?? ''}`;
  });
}
