import { tableFromIPC } from 'apache-arrow';
import { array, assert, double, property } from 'fast-check';
import { describe, expect, test } from 'vitest';
import { cosineWindows } from '../../src/analysis/studies/minibatch/cosine.js';
import type { GroupGradients } from '../../src/analysis/studies/minibatch/gradient-log.js';
import { meanOverSeeds } from '../../src/analysis/inference/seeds/mean.js';
import { loggingCost, nonFinite, outliers } from '../../tui/data/step-health.js';
import { toArrow } from '../../src/report/slice/arrow.js';
import { toCsv } from '../../src/report/slice/csv.js';
import { toSvg } from '../../tui/export/svg.js';
import { actionOf, bindings, footerHints, helpLines } from '../../tui/keys/bindings.js';
import { keyNames, type KeyFlags } from '../../tui/keys/tokens.js';
import { reduce, type Shown } from '../../tui/session/reduce.js';
import { parseFilter } from '../../tui/view/filter.js';
import { abbreviate } from '../../tui/view/layout.js';
import { drawList } from '../../tui/view/draw-list.js';
import { arrange, listSlice, numberColumn, textColumn, type List } from '../../tui/view/list.js';
import { messagePanel, type Picture } from '../../tui/view/picture.js';
import { seedBand } from '../../tui/view/seed-band.js';
import { initialState, type ViewState } from '../../tui/view/state.js';
import { plainStyle } from './support/plain-style.js';
import { numbers, texts } from '../../src/report/slice/slice.js';
import { formatAge } from '../../tui/views/runs.js';

const fruit: List = {
  length: 4,
  id: (row) => String(row),
  columns: [
    textColumn('name', (row) => ['pear', 'apple', 'fig 10', 'fig 9'][row]!),
    numberColumn('weak gap', '1', (row) => [3, null, 1, 2][row]!),
  ],
};

describe('lists', () => {
  test('are filtered by words, by words they must not hold, and by comparisons', () => {
    expect([...arrange(fruit, 'fig', null)]).toEqual([2, 3]);
    expect([...arrange(fruit, '!fig', null)]).toEqual([0, 1]);
    expect([...arrange(fruit, 'weakgap>=2', null)]).toEqual([0, 3]);
    expect([...arrange(fruit, 'fig weak<2', null)]).toEqual([2]);
    expect([...arrange(fruit, 'nosuch>1', null)]).toEqual([]);
  });

  test('are sorted by numbers with missing ones last, and by texts with numbers in them', () => {
    expect([...arrange(fruit, '', { column: 1, descending: true })]).toEqual([0, 3, 2, 1]);
    expect([...arrange(fruit, '', { column: 1, descending: false })]).toEqual([2, 3, 0, 1]);
    expect([...arrange(fruit, '', { column: 0, descending: false })]).toEqual([1, 3, 2, 0]);
  });

  test('of a hundred thousand rows draw only what is on screen', () => {
    let drawn = 0;
    const long: List = {
      length: 100_000,
      id: () => null,
      columns: [
        numberColumn(
          'place',
          '1',
          (row) => row,
          (row) => `${(drawn++, row)}`,
        ),
      ],
    };
    const { lines } = drawList({
      list: long,
      state: { ...initialState, row: 50_000 },
      box: { width: 20, height: 11 },
      style: plainStyle,
    });
    expect(lines.map((line) => line.trim())).toEqual([
      'place',
      ...Array.from({ length: 10 }, (_, i) => (i === 5 ? '› 50000' : String(49_995 + i))),
    ]);
    expect(drawn).toBe(10);
  });

  test('cut what does not fit and say how many columns are left', () => {
    const { lines } = drawList({
      list: { ...fruit, columns: [...fruit.columns, textColumn('a column with a long title', () => 'x')] },
      state: initialState,
      box: { width: 24, height: 3 },
      style: plainStyle,
    });
    for (const line of lines) expect(line.length).toBeLessThanOrEqual(24);
    expect(lines[0]).toMatch(/…\+1$/);
  });
});

test('filters are read', () => {
  expect(parseFilter('a !b loss>2.5e-1 x=3')).toEqual([
    { kind: 'text', text: 'a', negated: false },
    { kind: 'text', text: 'b', negated: true },
    { kind: 'compare', column: 'loss', operator: '>', value: 0.25 },
    { kind: 'compare', column: 'x', operator: '=', value: 3 },
  ]);
});

test('ages and names are short', () => {
  expect([500, 99_000, 5_000_000, 7_200_000, 3e8].map(formatAge)).toEqual([
    '1 s',
    '99 s',
    '83 min',
    '2 h',
    '3 d',
  ]);
  expect(abbreviate('layers.0.attention.query_key_value.weight', 20, '…')).toBe('layers.0.…lue.weight');
});

describe('bands over seeds', () => {
  test('are the t intervals of the mean at each point', () => {
    assert(
      property(
        array(array(double({ min: -1e3, max: 1e3, noNaN: true }), { minLength: 3, maxLength: 3 }), {
          minLength: 2,
          maxLength: 6,
        }),
        (runs) => {
          const band = seedBand(
            'x',
            runs.map((y) => ({ x: [1, 2, 3], y })),
          );
          for (let i = 0; i < 3; i++) {
            const expected = meanOverSeeds(runs.map((own) => own[i]!));
            if (expected.kind === 'absent') continue;
            expect(band.y[i]).toBeCloseTo(expected.estimate, 8);
            if (expected.interval === null) continue;
            expect(band.low![i]).toBeCloseTo(expected.interval[0], 6);
            expect(band.high![i]).toBeCloseTo(expected.interval[1], 6);
          }
        },
      ),
    );
  });

  test('take points that only some runs have, without an interval for one', () => {
    const band = seedBand('x', [
      { x: [1, 2], y: [1, 2] },
      { x: [2, 3], y: [4, 5] },
    ]);
    expect([...(band.x as Float64Array)]).toEqual([1, 2, 3]);
    expect(Array.from(band.y)).toEqual([1, 3, 5]);
    expect(Array.from(band.low!, (value) => Number.isNaN(value))).toEqual([true, false, true]);
  });
});

test('windows of cosines have their mean, and an interval over their minibatches', () => {
  const steps = Int32Array.from({ length: 30 }, (_, i) => i + 1);
  const value = (i: number): number => Math.sin(i);
  const gradients: GroupGradients = {
    steps,
    cosine: () => Float64Array.from(steps, (_, i) => value(i)),
    norm2: () => new Float64Array(30),
    exampleNorm2: () => new Float64Array(30),
    count: () => new Float64Array(30),
  };
  const own = cosineWindows(gradients, 'a', 'b', 30, 10);
  expect(own.steps).toEqual([10, 20, 30]);
  const first = Array.from({ length: 10 }, (_, i) => value(i));
  const mean = first.reduce((a, b) => a + b) / 10;
  const sd = Math.sqrt(first.reduce((sum, x) => sum + (x - mean) ** 2, 0) / 9);
  expect(own.mean[0]).toBeCloseTo(mean, 12);
  expect(own.low[0]).toBeCloseTo(mean - (1.96 * sd) / Math.sqrt(10), 12);
  expect(own.high[0]).toBeCloseTo(mean + (1.96 * sd) / Math.sqrt(10), 12);
});

test('health counts what is not finite, what stands out, and what logging costs', () => {
  const steps = {
    step: Int32Array.of(1, 2, 3, 4, 5),
    stage: Int32Array.of(0, 0, 0, 0, 0),
    loss: Float64Array.of(1, NaN, 1, 1, 1),
    gradNorm: Float64Array.of(1, 1, 11, 1, Infinity),
    stepMs: Float64Array.of(4, 4, 4, NaN, 4),
    logMs: Float64Array.of(1, 1, 1, NaN, 1),
  };
  expect(nonFinite(steps)).toBe(2);
  expect(outliers(steps)).toMatchObject({ medians: new Map([[0, 1]]), places: [2, 4] });
  expect(loggingCost(steps)!.ratio).toBeCloseTo(1.25);
  expect(loggingCost({ ...steps, logMs: new Float64Array(5).fill(NaN) })).toBeNull();
});

test('a stage with larger gradients than another has no outlier for that', () => {
  const count = 40;
  const own = {
    step: Int32Array.from({ length: count }, (_, i) => i + 1),
    stage: Int32Array.from({ length: count }, (_, i) => Number(i >= 30)),
    loss: new Float64Array(count).fill(1),
    gradNorm: Float64Array.from({ length: count }, (_, i) => (i >= 30 ? 50 : 1) + 0.01 * i),
    stepMs: new Float64Array(count).fill(1),
    logMs: new Float64Array(count).fill(1),
  };
  expect(outliers(own).places).toEqual([]);
  own.gradNorm[35] = 600;
  own.gradNorm[3] = 12;
  expect(outliers(own).places).toEqual([3, 35]);
});

describe('keys', () => {
  const none: KeyFlags = {
    upArrow: false,
    downArrow: false,
    leftArrow: false,
    rightArrow: false,
    pageUp: false,
    pageDown: false,
    home: false,
    end: false,
    return: false,
    escape: false,
    tab: false,
    backspace: false,
    delete: false,
    ctrl: false,
    shift: false,
    meta: false,
  };

  test('that come in one text are all taken', () => {
    expect(keyNames('jjj\t\r G', none)).toEqual(['j', 'j', 'j', 'tab', 'enter', 'space', 'G']);
    expect(keyNames('', { ...none, downArrow: true })).toEqual(['down']);
    expect(keyNames('', { ...none, tab: true, shift: true })).toEqual(['shift+tab']);
    expect(keyNames('d', { ...none, ctrl: true })).toEqual(['ctrl+d']);
    expect(keyNames('j', { ...none, meta: true })).toEqual(['escape', 'j']);
    expect(keyNames('[<65;10;5M', none)).toEqual(['down']);
  });

  test('have one meaning each, and every one is in the help', () => {
    const keys = bindings.flatMap((own) => own.keys);
    expect(new Set(keys).size).toBe(keys.length);
    const help = helpLines(['runs'], 100).join('\n');
    for (const { help: text } of bindings) expect(help).toContain(text);
    expect(actionOf('3')).toBe('view-3');
    expect(actionOf('x')).toBeNull();
  });

  test('that do nothing are not in the footer, which fits', () => {
    const context = {
      view: 'training',
      hasList: false,
      hasColumns: false,
      hasAxis: true,
      hasChoices: true,
      hasPanels: true,
      hasSteps: false,
      hasFilters: false,
      drills: null,
      isDrilled: false,
      canLog: true,
    };
    const text = footerHints(context, 100);
    expect(text).toContain('L log');
    expect(text).not.toContain('sort');
    for (const width of [30, 60, 80]) {
      const own = footerHints(context, width);
      expect(own.length).toBeLessThanOrEqual(width);
      expect(own).toMatch(/\? help {2}q quit$/);
    }
  });
});

describe('state', () => {
  const picture = (own: Partial<Picture>): Picture => ({
    lines: [],
    list: null,
    axis: null,
    figure: null,
    slice: () => ({ columns: [] }),
    ...own,
  });
  const chart: Shown = {
    panel: messagePanel('x', '', []),
    panels: 3,
    picture: picture({ axis: { range: [0, 1000], log: false, columns: 100 } }),
  };
  const after = (shown: Shown, ...actions: Parameters<typeof reduce>[1][]): ViewState =>
    actions.reduce((state, action) => reduce(state, action, shown), initialState);

  test('of a chart: the cursor moves a column, zoom keeps it, pan stops at the ends', () => {
    expect(after(chart, 'right', 'right').cursor).toBe(20);
    expect(after(chart, 'left').cursor).toBe(990);
    expect(after(chart, 'last', 'zoom-in').zoom).toEqual([500, 1000]);
    expect(after(chart, 'zoom-in', 'pan-left', 'pan-left', 'pan-left').zoom).toEqual([0, 500]);
    expect(after(chart, 'zoom-in', 'zoom-out').zoom).toBeNull();
    expect(after(chart, 'log').log).toBe(true);
  });

  test('of a list: rows stay inside, the end is followed, sorting goes through the columns', () => {
    const list: Shown = {
      ...chart,
      picture: picture({
        list: {
          length: 10,
          page: 4,
          row: 9,
          id: null,
          columns: ['a', 'b'],
          column: 0,
          numeric: [false, true],
          placeOf: null,
        },
      }),
    };
    expect(after(list, 'down').row).toBe(9);
    expect(after(list, 'last').row).toBe(Infinity);
    expect(after(list, 'page-up').row).toBe(5);
    expect(after(list, 'sort', 'sort').sort).toEqual({ column: 1, descending: true });
    expect(after(list, 'sort', 'reverse').sort).toEqual({ column: 0, descending: true });
    expect(after(list, 'sort', 'sort', 'sort').sort).toBeNull();
  });

  test('of another panel begins anew', () => {
    const state = reduce({ ...initialState, row: 5, filter: 'x' }, 'previous-panel', chart);
    expect(state).toEqual({ ...initialState, panel: 2 });
  });
});

describe('export', () => {
  const slice = {
    columns: [texts('name, quoted', ['a "b"', 'c\nd']), numbers('loss', 'nats', [0.1, null])],
  };

  test('to CSV quotes and leaves what is missing empty', () => {
    expect(toCsv(slice)).toBe('"name, quoted",loss (nats)\n"a ""b""",0.1\n"c\nd",\n');
  });

  test('to Arrow keeps values, units and the command', () => {
    const table = tableFromIPC(toArrow(slice, 'npx gradscope show x'));
    expect(table.schema.metadata.get('gradscope.command')).toBe('npx gradscope show x');
    expect(table.schema.fields[1]!.metadata.get('gradscope.unit')).toBe('nats');
    expect(table.getChild('loss')!.toJSON()).toEqual([0.1, null]);
    expect(table.getChild('name, quoted')!.toJSON()).toEqual(['a "b"', 'c\nd']);
  });

  test('of a list is what the filter leaves, in its order', () => {
    const own = listSlice(fruit, arrange(fruit, 'fig', { column: 1, descending: true }));
    expect(own.columns.map(({ name, values }) => [name, values])).toEqual([
      ['name', ['fig 9', 'fig 10']],
      ['weak_gap', [2, 1]],
    ]);
  });

  test('to SVG draws every kind of figure', () => {
    const line = toSvg(
      {
        kind: 'line',
        title: 'a < b',
        series: [{ name: 'loss', x: [1, 2, 3], y: [1, null, 2], low: [0, null, 1], high: [2, null, 3] }],
        xLabel: 'step',
        yLabel: 'nats',
        logX: false,
        logY: false,
        bands: [],
        markers: [
          { x: 2, label: 'stage2' },
          { x: 2.9, label: 'a stage with a long name' },
        ],
      },
      { texts: ['Which seeds?'], command: 'the command' },
    );
    expect(line).toMatch(/^<svg xmlns="http:\/\/www\.w3\.org\/2000\/svg"/);
    expect(line).toContain('a &lt; b');
    expect(line).toContain('<desc>the command</desc>');
    expect(line).toContain('>Which seeds?</text>');
    // A label that would leave the figure stands to the left of its mark.
    expect(line).toMatch(/text-anchor="end">a stage with a long name<\/text>/);
    // The gap is one: two sub-paths.
    expect(line).toMatch(/<path d="M[\d.,]+M[\d.,]+" fill="none"/);
    const scatter = toSvg(
      {
        kind: 'scatter',
        title: 's',
        series: [{ name: 'measured', x: [1, 10], y: [1, 0.1] }],
        curves: [{ name: 'law', y: (x) => 1 / x }],
        identity: false,
        xLabel: 'x',
        yLabel: 'y',
        logX: true,
        logY: true,
      },
      { texts: [], command: '' },
    );
    // Two points, and the mark in the legend; the curve has its name there too.
    expect(scatter.match(/<circle/g)).toHaveLength(3);
    expect(scatter).toContain('>law</text>');
    const heat = toSvg(
      {
        kind: 'heat',
        title: 'h',
        values: [
          [1, null],
          [-1, 0],
        ],
        rowLabels: ['a', 'b'],
        columnLabels: ['0', '1'],
        rowTitle: 'tensor',
        columnTitle: 'step',
        scale: 'diverging',
        unit: '1',
      },
      { texts: [], command: '' },
    );
    expect(heat.match(/<rect x=/g)).toHaveLength(3);
    // The colour bar, its ends and its middle.
    expect(heat.match(/<rect class="bar"/g)).toHaveLength(60);
    for (const mark of ['-1', '0', '1']) expect(heat).toContain(`>${mark}</text>`);
  });
});
