import { UserError } from '../data/errors.js';
import { nodeEnvironment } from '../src/store/environment.js';
import { nodeEffects } from './effects.js';
import { locate } from './locate.js';
import { BrowserSession } from './session/session.js';
import { squeeze } from './view/filter.js';
import { moreText } from './view/layout.js';
import { chosen, wrapped, type ViewPanel, type Picture } from './view/picture.js';
import { initialState, type Sort, type ViewState } from './view/state.js';
import { paint, type Style } from './view/style.js';
import { views } from './views/registry.js';

/** What is printed. */
export interface ShowOptions {
  /** Run folders, or one folder that holds runs. */
  readonly folders: readonly string[];
  readonly view: string;
  /** Columns. */
  readonly width: number;
  /** Rows of a panel. */
  readonly height: number;
  readonly style: Style;
  /** Title of a panel; all panels where there is none. */
  readonly panel?: string | undefined;
  /** Value of the panel's choice. */
  readonly choose?: string | undefined;
  readonly filter?: string | undefined;
  /** `gap` or `gap:down`. */
  readonly sort?: string | undefined;
  readonly log?: boolean | undefined;
  readonly zoom?: readonly [number, number] | undefined;
  readonly cursor?: number | undefined;
  readonly row?: number | undefined;
  /** Columns of a list that are scrolled past; of a heat map the selected column, counted from 1. */
  readonly column?: number | undefined;
  readonly drill?: string | undefined;
}

/**
 * A view of runs as lines of text. Of a folder with several configs the findings of each are shown, one after the other;
 * other views show one run, and say which. Throws a UserError for what is not there, and for an option without effect.
 */
export async function show(options: ShowOptions): Promise<string[]> {
  const { folders, view, width, height } = options;
  if (!views.some(({ id }) => id === view)) {
    throw new UserError(`no view ${view}; there are ${views.map(({ id }) => id).join(', ')}`);
  }
  const { root, runs } = await locate(folders);
  const session = new BrowserSession({
    root,
    environment: nodeEnvironment,
    effects: nodeEffects(
      () => {},
      () => {},
    ),
    style: { ...options.style, printed: true },
    box: { width, height: height + 5 },
    run: runs[0],
  });
  try {
    await session.open();
    if (view === 'runs') session.measureGaps();
    const lines: string[] = [];
    const unused = new Set<'cursor'>(options.cursor === undefined ? [] : ['cursor']);
    for (const target of runs.length > 0 ? [runs] : await targetsOf(session, view)) {
      if (lines.length > 0) lines.push('');
      lines.push(...(await showTarget(session, target, options, unused)));
    }
    if (unused.size > 0)
      throw new UserError(
        '--cursor: there is no chart of steps here to be read off; --row selects a row of a list',
      );
    return lines;
  } finally {
    await session.close();
  }
}

/** What is shown of a folder: of findings a run of each config, of another view its first run. */
async function targetsOf(session: BrowserSession, view: string): Promise<string[][]> {
  if (view !== 'findings') return [[]];
  const left = new Set(session.data.entries.flatMap((own) => (own.info === null ? [] : [own.path])));
  const targets: string[][] = [];
  for (const path of left) {
    const source = await session.data.source(path);
    if (source === null) continue;
    targets.push([path]);
    for (const { entry } of await session.data.armOf(source)) left.delete(entry.path);
  }
  return targets.length === 0 ? [[]] : targets;
}

async function showTarget(
  session: BrowserSession,
  runs: readonly string[],
  options: ShowOptions,
  unused: Set<'cursor'>,
): Promise<string[]> {
  const { view, width, height } = options;
  const base: ViewState = {
    ...initialState,
    filter: options.filter ?? '',
    log: options.log ?? null,
    zoom: options.zoom ?? null,
    cursor: options.cursor ?? null,
    row: options.row ?? 0,
    column: options.column ?? 0,
  };
  const below = options.drill === undefined ? null : { id: options.drill, panel: 0, above: base };
  session.look(view, { ...base, drill: below }, runs);
  await session.settled();
  const { panels, isGone } = session.picture();
  if (isGone) throw new UserError(`--drill ${options.drill}: there is no such row in the view ${view}`);
  const titles = panels.map(({ title }) => title);
  const wanted = options.panel === undefined ? [...panels.keys()] : [placeOf(titles, options.panel, 'panel')];
  const lines: string[] = [];
  for (const place of wanted) {
    const panel = panels[place]!;
    const choice =
      options.choose === undefined || panel.choices === null || below !== null
        ? {}
        : { choices: { [place]: placeOf(panel.choices.values, options.choose, panel.choices.name) } };
    const own: ViewState = {
      ...base,
      ...choice,
      panel: below === null ? place : 0,
      drill: below === null ? null : { ...below, panel: place },
    };
    session.look(view, own);
    await session.settled();
    if (options.sort !== undefined) {
      const { picture } = session.picture({ width, height });
      session.look(view, { ...own, sort: sortOf(options.sort, picture) });
      await session.settled();
    }
    if (options.cursor !== undefined) {
      const { picture } = session.picture({ width, height });
      if (picture.axis !== null) unused.delete('cursor');
      else if (picture.list?.placeOf != null) {
        unused.delete('cursor');
        session.look(view, { ...session.state, row: picture.list.placeOf(options.cursor) });
        await session.settled();
      }
    }
    if (lines.length > 0) lines.push('');
    const drawn = session.picture({ width, height });
    lines.push(
      ...heading(drawn.panel, session, runs, options),
      ...withoutEnd(drawn.picture.lines),
      ...moreRows(drawn.picture, options),
    );
  }
  return lines;
}

/** How many rows of a list are not printed; lines that scroll say so themselves. */
function moreRows({ list, figure }: Picture, { height, style }: ShowOptions): string[] {
  if (list === null || figure !== null || list.columns.length === 0) return [];
  const left = list.length - list.page;
  return left > 0 ? [moreText(left, 'row', height + left, { ...style, printed: true })] : [];
}

function heading(
  panel: ViewPanel,
  session: BrowserSession,
  runs: readonly string[],
  { view, width, style }: ShowOptions,
): string[] {
  const { state, currentRun, data } = session;
  const place = chosen(panel, state.panel, state);
  const choice =
    panel.choices === null || place < 0 ? '' : ` (${panel.choices.name}: ${panel.choices.values[place]})`;
  return [
    ...wrapped(`${view}: ${panel.title}${choice}${ofWhat()}`, width).map((line) =>
      paint(line, 'bold', style),
    ),
    ...(panel.question === '' ? [] : wrapped(panel.question, width)),
  ];

  /** Which of the runs of a folder is shown, where a view is about one. */
  function ofWhat(): string {
    const entry = data.entries.find(({ path }) => path === currentRun);
    if (view === 'runs' || entry?.info == null || data.entries.length < 2) return '';
    if (view === 'findings') return `, ${entry.info.experiment} ${entry.info.name}`;
    return runs.length > 0 ? '' : `, ${entry.name} (first of ${data.entries.length} runs; name others)`;
  }
}

/** Lines up to the last one with something on it. */
function withoutEnd(lines: readonly string[]): readonly string[] {
  return lines.slice(0, lines.findLastIndex((line) => line.trim() !== '') + 1);
}

function placeOf(names: readonly string[], name: string, what: string): number {
  const exact = names.indexOf(name);
  const place = exact >= 0 ? exact : names.findIndex((own) => own.startsWith(name));
  if (place < 0) throw new UserError(`no ${what} ${name}; there are ${names.join(', ')}`);
  return place;
}

function sortOf(text: string, { list }: Picture): Sort | null {
  const [name, direction = 'down'] = text.split(':');
  const titles = list?.columns.map(squeeze) ?? [];
  const exact = titles.indexOf(squeeze(name!));
  const column = exact >= 0 ? exact : titles.findIndex((own) => own.startsWith(squeeze(name!)));
  if (column < 0) throw new UserError(`no column ${name} to sort by; there are ${titles.join(', ')}`);
  if (direction !== 'up' && direction !== 'down') {
    throw new UserError(`sort ${text}: expected a column, then :up or :down`);
  }
  return { column, descending: direction === 'down' };
}
