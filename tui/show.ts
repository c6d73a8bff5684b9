import { UserError } from '../data/errors.js';
import { nodeEnvironment } from '../src/store/environment.js';
import { nodeEffects } from './effects.js';
import { locate } from './locate.js';
import { Session } from './session/session.js';
import { squeeze } from './view/filter.js';
import { chosen, wrapped, type Panel, type Picture } from './view/picture.js';
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
  readonly drill?: string | undefined;
}

/** A view of runs as lines of text. Throws a UserError for what is not there. */
export async function show(options: ShowOptions): Promise<string[]> {
  const { folders, view, width, height, style } = options;
  if (!views.some(({ id }) => id === view)) {
    throw new UserError(`no view ${view}; there are ${views.map(({ id }) => id).join(', ')}`);
  }
  const { root, runs } = await locate(folders);
  const session = new Session({
    root,
    environment: { processes: nodeEnvironment.processes },
    effects: nodeEffects(
      () => {},
      () => {},
    ),
    style,
    box: { width, height: height + 5 },
    run: runs[0],
  });
  try {
    await session.open();
    if (view === 'runs') session.measureGaps();
    const base: ViewState = {
      ...initialState,
      filter: options.filter ?? '',
      log: options.log ?? null,
      zoom: options.zoom ?? null,
      cursor: options.cursor ?? null,
      row: options.row ?? 0,
    };
    session.look(view, base, runs);
    await session.settled();
    const { panels } = session.picture();
    const wanted =
      options.drill !== undefined
        ? [0]
        : options.panel === undefined
          ? [...panels.keys()]
          : [
              placeOf(
                panels.map(({ title }) => title),
                options.panel,
                'panel',
              ),
            ];
    const lines: string[] = [];
    for (const place of wanted) {
      const panel = panels[place]!;
      const choice =
        options.choose === undefined || panel.choices === null
          ? {}
          : { choices: { [place]: placeOf(panel.choices.values, options.choose, panel.choices.name) } };
      const own: ViewState = {
        ...base,
        ...choice,
        panel: place,
        drill: options.drill === undefined ? null : { id: options.drill, above: base },
      };
      session.look(view, own);
      await session.settled();
      if (options.sort !== undefined) {
        const { picture } = session.picture({ width, height });
        session.look(view, { ...own, sort: sortOf(options.sort, picture) });
        await session.settled();
      }
      if (lines.length > 0) lines.push('');
      const drawn = session.picture({ width, height });
      lines.push(...heading(drawn.panel, session.state, options), ...withoutEnd(drawn.picture.lines));
    }
    return lines;
  } finally {
    await session.close();
  }
}

function heading(panel: Panel, state: ViewState, { view, width, style }: ShowOptions): string[] {
  const place = chosen(panel, state.panel, state);
  const choice =
    panel.choices === null || place < 0 ? '' : ` (${panel.choices.name}: ${panel.choices.values[place]})`;
  return [
    ...wrapped(`${view}: ${panel.title}${choice}`, width).map((line) => paint(line, 'bold', style)),
    ...(panel.question === '' ? [] : wrapped(panel.question, width)),
  ];
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
