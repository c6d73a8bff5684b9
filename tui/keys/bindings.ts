import type { KeyName } from './tokens.js';

/** What a key can do. */
export type Action =
  | 'down'
  | 'up'
  | 'left'
  | 'right'
  | 'first'
  | 'last'
  | 'page-down'
  | 'page-up'
  | 'drill'
  | 'back'
  | 'next-panel'
  | 'previous-panel'
  | 'next-choice'
  | 'previous-choice'
  | 'next-run'
  | 'previous-run'
  | 'filter'
  | 'next-filter'
  | 'sort'
  | 'reverse'
  | 'select'
  | 'select-all'
  | 'compare'
  | 'log'
  | 'zoom-in'
  | 'zoom-out'
  | 'zoom-reset'
  | 'pan-left'
  | 'pan-right'
  | 'follow'
  | 'refresh'
  | 'go-to-step'
  | 'export'
  | 'copy'
  | 'show-command'
  | 'views'
  | 'help'
  | 'quit'
  | `view-${number}`;

/** What is on screen, as far as it says which keys do something. */
export interface KeyContext {
  readonly view: string;
  readonly hasList: boolean;
  /** Sorting by columns. */
  readonly hasColumns: boolean;
  readonly hasAxis: boolean;
  readonly hasChoices: boolean;
  readonly hasPanels: boolean;
  readonly hasSteps: boolean;
  /** Filters that a key goes through. */
  readonly hasFilters: boolean;
  /** What `enter` drills into, null where it does nothing. */
  readonly drills: string | null;
  readonly isDrilled: boolean;
  readonly canLog: boolean;
}

/** A key with its meaning. The dispatcher, the footer and the help are made of these: no key is undocumented. */
export interface Binding {
  readonly action: Action;
  readonly keys: readonly KeyName[];
  /** For the footer, one or two words; null where the help is enough. */
  readonly label: string | null;
  /** For the help. */
  readonly help: string;
  readonly group: 'move' | 'look' | 'runs' | 'charts' | 'more';
  /** Whether it does something; always by default. */
  readonly when?: (context: KeyContext) => boolean;
}

const inList = ({ hasList }: KeyContext): boolean => hasList;
const onAxis = ({ hasAxis }: KeyContext): boolean => hasAxis;

export const bindings: readonly Binding[] = [
  {
    action: 'down',
    keys: ['j', 'down'],
    label: null,
    help: 'next row (mouse wheel too)',
    group: 'move',
    when: inList,
  },
  { action: 'up', keys: ['k', 'up'], label: null, help: 'previous row', group: 'move', when: inList },
  {
    action: 'left',
    keys: ['h', 'left'],
    label: null,
    help: 'cursor of a chart, or columns of a list, to the left',
    group: 'move',
  },
  { action: 'right', keys: ['l', 'right'], label: null, help: 'the same to the right', group: 'move' },
  {
    action: 'page-down',
    keys: ['pagedown', 'ctrl+d', 'ctrl+f'],
    label: null,
    help: 'a page down',
    group: 'move',
    when: inList,
  },
  {
    action: 'page-up',
    keys: ['pageup', 'ctrl+u', 'ctrl+b'],
    label: null,
    help: 'a page up',
    group: 'move',
    when: inList,
  },
  {
    action: 'first',
    keys: ['g', 'home'],
    label: null,
    help: 'to the first row, or the start of a chart',
    group: 'move',
  },
  {
    action: 'last',
    keys: ['G', 'end'],
    label: null,
    help: 'to the last row or the end, and stay there while it grows',
    group: 'move',
  },
  {
    action: 'go-to-step',
    keys: [':'],
    label: 'step',
    help: 'go to a step',
    group: 'move',
    when: ({ hasSteps }) => hasSteps,
  },
  {
    action: 'drill',
    keys: ['enter'],
    label: 'open',
    help: 'open what is selected',
    group: 'look',
    when: ({ drills }) => drills !== null,
  },
  {
    action: 'back',
    keys: ['escape'],
    label: 'back',
    help: 'back: out of a row, a filter, a zoom, a selection',
    group: 'look',
    when: ({ isDrilled }) => isDrilled,
  },
  {
    action: 'next-panel',
    keys: ['tab'],
    label: 'panel',
    help: 'next panel of the view',
    group: 'look',
    when: ({ hasPanels }) => hasPanels,
  },
  {
    action: 'previous-panel',
    keys: ['shift+tab'],
    label: null,
    help: 'previous panel',
    group: 'look',
    when: ({ hasPanels }) => hasPanels,
  },
  {
    action: 'next-choice',
    keys: [']'],
    label: null,
    help: 'next quantity, checkpoint, tensor, step size',
    group: 'look',
    when: ({ hasChoices }) => hasChoices,
  },
  {
    action: 'previous-choice',
    keys: ['['],
    label: '/] choose',
    help: 'the one before',
    group: 'look',
    when: ({ hasChoices }) => hasChoices,
  },
  {
    action: 'views',
    keys: ['v'],
    label: null,
    help: 'list of all views: type a part of a name, enter opens',
    group: 'look',
  },
  {
    action: 'filter',
    keys: ['/'],
    label: 'filter',
    help: 'filter rows: words, !word, loss>2; test sets in training',
    group: 'look',
  },
  {
    action: 'next-filter',
    keys: ['f'],
    label: 'kind',
    help: 'in training the next kind of test sets, as a filter',
    group: 'look',
    when: ({ hasFilters }) => hasFilters,
  },
  {
    action: 'sort',
    keys: ['s'],
    label: 'sort',
    help: 'sort by the next column',
    group: 'look',
    when: ({ hasColumns }) => hasColumns,
  },
  {
    action: 'reverse',
    keys: ['S'],
    label: null,
    help: 'sort the other way round',
    group: 'look',
    when: ({ hasColumns }) => hasColumns,
  },
  {
    action: 'select',
    keys: ['space'],
    label: 'select',
    help: 'select a run: selected runs are overlaid, seeds averaged',
    group: 'runs',
    when: ({ view }) => view === 'runs',
  },
  {
    action: 'select-all',
    keys: ['a'],
    label: null,
    help: 'select all runs of the list on screen, or none',
    group: 'runs',
    when: ({ view }) => view === 'runs',
  },
  {
    action: 'compare',
    keys: ['c'],
    label: 'compare',
    help: 'compare the selected runs',
    group: 'runs',
    when: ({ view }) => view === 'runs',
  },
  { action: 'next-run', keys: ['J'], label: null, help: 'the next run, in the same view', group: 'runs' },
  { action: 'previous-run', keys: ['K'], label: null, help: 'the previous run', group: 'runs' },
  {
    action: 'log',
    keys: ['L'],
    label: 'log',
    help: 'linear or log axis',
    group: 'charts',
    when: ({ canLog }) => canLog,
  },
  {
    action: 'zoom-in',
    keys: ['+', '='],
    label: '/- zoom',
    help: 'zoom in around the cursor',
    group: 'charts',
    when: onAxis,
  },
  { action: 'zoom-out', keys: ['-'], label: null, help: 'zoom out', group: 'charts', when: onAxis },
  { action: 'zoom-reset', keys: ['0'], label: null, help: 'show all', group: 'charts', when: onAxis },
  {
    action: 'pan-left',
    keys: ['<', 'shift+left'],
    label: null,
    help: 'move a zoomed chart to the left',
    group: 'charts',
    when: onAxis,
  },
  {
    action: 'pan-right',
    keys: ['>', 'shift+right'],
    label: null,
    help: 'and to the right',
    group: 'charts',
    when: onAxis,
  },
  {
    action: 'follow',
    keys: ['F'],
    label: null,
    help: 'follow the end of what is being written, or stop',
    group: 'more',
  },
  { action: 'refresh', keys: ['R'], label: null, help: 'look for new data now', group: 'more' },
  {
    action: 'export',
    keys: ['e', 'ctrl+s'],
    label: 'export',
    help: 'write what is on screen: .arrow, .csv, .svg for charts',
    group: 'more',
  },
  {
    action: 'copy',
    keys: ['y'],
    label: 'copy command',
    help: 'copy the command that prints what is on screen',
    group: 'more',
  },
  {
    action: 'show-command',
    keys: ['Y'],
    label: null,
    help: 'the same command, to read',
    group: 'more',
  },
  { action: 'help', keys: ['?'], label: 'help', help: 'this help, or back', group: 'more' },
  { action: 'quit', keys: ['q', 'ctrl+c'], label: 'quit', help: 'quit', group: 'more' },
];

/** The action of a key; null where it has none. Number keys choose the first nine views. */
export function actionOf(key: KeyName): Action | null {
  if (/^[1-9]$/.test(key)) return `view-${Number(key)}`;
  return bindings.find(({ keys }) => keys.includes(key))?.action ?? null;
}

const shownKeys: Readonly<Record<string, string>> = {
  escape: 'esc',
  pagedown: 'PgDn',
  pageup: 'PgUp',
  up: '↑',
  down: '↓',
  left: '←',
  right: '→',
  home: 'Home',
  end: 'End',
};

/** A key for people. */
export const showKey = (key: KeyName): string => shownKeys[key] ?? key;

/** Hints of the keys that do something, as many as fit; help and quit always do. */
export function footerHints(context: KeyContext, width: number): string {
  const useful = bindings.filter(({ label, when }) => label !== null && (when?.(context) ?? true));
  const hint = (own: Binding): string => {
    const label = own.action === 'drill' && context.drills !== null ? context.drills : own.label!;
    return `${showKey(own.keys[0]!)}${label.startsWith('/') ? '' : ' '}${label}`;
  };
  const always = useful.filter(({ action }) => action === 'help' || action === 'quit').map(hint);
  let text = '';
  for (const own of useful.filter(({ action }) => action !== 'help' && action !== 'quit')) {
    const longer = text === '' ? hint(own) : `${text}  ${hint(own)}`;
    if (longer.length + always.join('  ').length + 2 <= width) text = longer;
  }
  return [...(text === '' ? [] : [text]), ...always].join('  ');
}

export const groupTitles = [
  ['move', 'Move'],
  ['look', 'Look'],
  ['runs', 'Runs'],
  ['charts', 'Charts'],
  ['more', 'More'],
] as const;

/** A text in lines of at most `width` columns. */
function wrapped(text: string, width: number): string[] {
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const last = lines.at(-1);
    if (last === undefined || last.length + 1 + word.length > width) lines.push(word);
    else lines[lines.length - 1] = `${last} ${word}`;
  }
  return lines;
}

/** The help: every key, in groups; in two columns where there is room. */
export function helpLines(viewTitles: readonly string[], width: number): string[] {
  const groups = groupTitles.map(([group, title]) => [
    title,
    ...bindings
      .filter((own) => own.group === group)
      .map(({ keys, help }) => `  ${keys.map(showKey).join(' ').padEnd(19)}${help}`),
    ...(group === 'look'
      ? wrapped(`the first nine views: ${viewTitles.slice(0, 9).join(', ')}`, 50).map(
          (line, i) => `  ${(i === 0 ? '1-9' : '').padEnd(19)}${line}`,
        )
      : []),
  ]);
  if (width < 150) return groups.flatMap((lines) => [...lines, '']).slice(0, -1);
  const half = Math.floor(width / 2) - 1;
  const left = [...groups[0]!, '', ...groups[2]!, '', ...groups[3]!];
  const right = [...groups[1]!, '', ...groups[4]!];
  return Array.from({ length: Math.max(left.length, right.length) }, (_, i) =>
    `${(left[i] ?? '').slice(0, half).padEnd(half)}  ${(right[i] ?? '').slice(0, half)}`.trimEnd(),
  );
}
