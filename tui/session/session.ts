import path from 'node:path';
import { UserError } from '../../data/errors.js';
import { shellCommand } from '../../data/shell-word.js';
import { BrowserData } from '../data/browser-data.js';
import type { IndexEnvironment } from '../data/run-index.js';
import type { RunSource } from '../data/run-source.js';
import { formatSeeds } from '../../src/report/text/numbers.js';
import { exportPicture, formats } from '../export/export.js';
import type { Caption } from '../export/svg.js';
import { actionOf, type Action, type KeyContext } from '../keys/bindings.js';
import type { KeyName } from '../keys/tokens.js';
import type { ViewContext, ViewSpec } from '../view/context.js';
import { messagePanel, type ViewPanel, type Picture, type ViewModel } from '../view/picture.js';
import { initialState, type ViewState } from '../view/state.js';
import type { Box, Style } from '../view/style.js';
import { views as allViews } from '../views/registry.js';
import { commandLines, screenCommand } from './command.js';
import { drawFrame, bodyBox, keyOverlay, type Frame, type Overlay } from './frame.js';
import { reduce, toPanel } from './reduce.js';
import { chosenView, moveInMenu, viewOverlay } from './view-menu.js';

/** What the session does to the world; passed in, so that a test can watch. */
export interface Effects {
  now(): number;
  /** Writes a file. Throws a UserError when that fails. */
  writeFile(file: string, content: string | Uint8Array): Promise<void>;
  exists(file: string): boolean;
  /** Asks the terminal to put a text on its clipboard, which it does not answer; gives what to know of that. */
  copy(text: string): string;
  quit(): void;
}

/** A line that is typed. */
export interface Prompt {
  readonly kind: 'filter' | 'step' | 'export' | 'views';
  readonly text: string;
  /** Row of the list of views. */
  readonly row: number;
  /** What the filter was before. */
  readonly before: string;
}

export interface BrowserSessionOptions {
  readonly root: string;
  readonly environment: IndexEnvironment;
  readonly effects: Effects;
  readonly style: Style;
  readonly box: Box;
  /** The run that is looked at first. */
  readonly run?: string | undefined;
  /** Those of the registry by default. */
  readonly views?: readonly ViewSpec[] | undefined;
}

/** Milliseconds that a message stays. */
const messageTime = 6000;

/** A panel as it is drawn, among the panels of its view. */
export interface Drawn {
  readonly panel: ViewPanel;
  readonly panels: readonly ViewPanel[];
  readonly picture: Picture;
  /** Whether what was drilled into is not there. */
  readonly isGone: boolean;
}

interface Loaded {
  readonly key: string;
  /** The run it was made for. */
  readonly run: string | null;
  readonly model: ViewModel;
}

/**
 * The browser without a terminal: keys come in, frames go out. Holds what a person chose, loads what a view needs and
 * keeps showing what it had until that is there, so that a key is answered at once.
 */
export class BrowserSession {
  readonly data: BrowserData;
  readonly #views: readonly ViewSpec[];
  #view = 'runs';
  readonly #states = new Map<string, ViewState>();
  #current: string | null;
  #marked: ReadonlySet<string> = new Set();
  #overlay: Overlay | null = null;
  #prompt: Prompt | null = null;
  #message: { readonly text: string; readonly until: number } | null = null;
  #problem: string | null = null;
  readonly #models = new Map<string, Loaded>();
  readonly #loading = new Map<string, string>();
  #box: Box;
  #listeners = new Set<() => void>();
  #version = 0;
  #work = new Set<Promise<unknown>>();
  #refreshing = false;
  readonly #waiting: KeyName[] = [];

  constructor(private readonly options: BrowserSessionOptions) {
    this.#box = options.box;
    this.#views = options.views ?? allViews;
    this.#current = options.run ?? null;
    this.data = new BrowserData(options.root, options.environment, () => this.#changed());
  }

  /**
   * Reads the list of runs, after which {@link frame} shows it; what takes longer begins with {@link measureGaps}. Throws
   * a UserError when the folder cannot be read.
   */
  async open(): Promise<void> {
    await this.data.refresh([]);
    this.#chooseCurrent();
    this.#ensure();
    await Promise.all(this.#work);
  }

  /** Begins to measure the gaps of all runs, one after the other, those of the current one first. */
  measureGaps(): void {
    this.#start(this.data.measureGaps(this.#current === null ? [] : [this.#current]));
  }

  /** For `useSyncExternalStore`. */
  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  /** Changes whenever the frame may. */
  readonly version = (): number => this.#version;

  get view(): string {
    return this.#view;
  }

  get currentRun(): string | null {
    return this.#current;
  }

  get marked(): ReadonlySet<string> {
    return this.#marked;
  }

  /** State of the view on screen. */
  get state(): ViewState {
    return this.#states.get(this.#view) ?? initialState;
  }

  resize(box: Box): void {
    this.#box = box;
    this.#changed();
  }

  /** Goes to a view in a given state, as a command asks for it. */
  look(view: string, state: ViewState, runs: readonly string[] = []): void {
    this.#view = view;
    this.#states.set(view, state);
    if (runs[0] !== undefined) this.#current = runs[0];
    if (runs.length > 1) this.#marked = new Set(runs);
    this.#ensure();
  }

  /** Panels of the view on screen and what one of them shows, in a box of its own. */
  picture(box: Box = bodyBox(this.#box)): Drawn {
    return this.#draw(box);
  }

  /**
   * Keys, in the order they were pressed. Those that act on a view that is still being read wait for it, so that none
   * is lost or means something else than it would a moment later.
   */
  press(keys: readonly KeyName[]): void {
    if (keys.includes('ctrl+c')) this.options.effects.quit();
    this.#waiting.push(...keys);
    this.#takeKeys();
    this.#changed();
  }

  #takeKeys(): void {
    for (;;) {
      const [key] = this.#waiting;
      if (key === undefined) return;
      const action = this.#prompt === null ? actionOf(key) : null;
      if (!this.#isReady() && this.#prompt === null && action !== null && !isAlwaysTaken(action)) return;
      this.#waiting.shift();
      if (this.#prompt === null) this.#act(action);
      else this.#type(this.#prompt, key);
      this.#ensure();
    }
  }

  /** Whether what is on screen is what the keys are meant for: the view, of the run that is looked at. */
  #isReady(): boolean {
    const loaded = this.#models.get(this.#view);
    return loaded !== undefined && (this.#view === 'runs' || loaded.run === this.#current);
  }

  /** Looks for new runs and new rows; does nothing while it still looks. */
  async refresh(): Promise<void> {
    if (this.#refreshing) return;
    this.#refreshing = true;
    try {
      const arm = await this.#armPaths();
      await this.data.refresh(arm);
      this.#problem = null;
      this.#chooseCurrent();
      this.#ensure();
      this.measureGaps();
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      this.#problem = error.message;
    } finally {
      this.#refreshing = false;
      this.#changed();
    }
  }

  /** What is on screen now. */
  frame(): Frame {
    const { panel, panels, picture } = this.#draw();
    const now = this.options.effects.now();
    const entry = this.data.entries.find((own) => own.path === this.#current) ?? null;
    return drawFrame({
      box: this.#box,
      style: this.options.style,
      root: this.options.root,
      views: this.#views,
      view: this.#view,
      entry,
      runs: this.data.entries.length,
      running: this.data.entries.filter(({ isRunning }) => isRunning).length,
      marked: this.#marked.size,
      state: this.state,
      panel,
      panels,
      picture,
      overlay:
        this.#prompt?.kind === 'views'
          ? viewOverlay(this.#views, this.#prompt, bodyBox(this.#box), this.options.style)
          : this.#overlay,
      prompt: this.#prompt,
      message: this.#message !== null && this.#message.until > now ? this.#message.text : this.#problem,
      keys: this.#keyContext(panel, panels.length, picture),
      now,
    });
  }

  /** The command that prints what is on screen. */
  command(): string {
    return shellCommand(this.#words());
  }

  #words(): string[] {
    const { panel, panels, picture } = this.#draw();
    const shown = this.#marked.size > 0 ? [...this.#marked] : this.#current === null ? [] : [this.#current];
    const runs = this.#view === 'runs' && this.#marked.size === 0 ? [this.options.root] : shown;
    return screenCommand({
      view: this.#view,
      runs: (runs.length === 0 ? [this.options.root] : runs).map(shortest),
      panel,
      panels: panels.length,
      picture,
      state: this.state,
      box: bodyBox(this.#box),
    });
  }

  /** Waits until all that was asked for is there. */
  async settled(): Promise<void> {
    for (;;) {
      this.frame();
      const work = [...this.#work];
      await Promise.all(work);
      if (!(await this.data.settled()) && work.length === 0 && this.#loading.size === 0) return;
    }
  }

  async close(): Promise<void> {
    await this.data.close();
  }

  #changed(): void {
    this.#version++;
    for (const listener of this.#listeners) listener();
  }

  /** Work that goes on by itself; defects in it are thrown at the process. */
  #start(work: Promise<unknown>): void {
    this.#work.add(work);
    void work.finally(() => this.#work.delete(work));
  }

  #chooseCurrent(): void {
    const entries = this.data.entries;
    const paths = new Set(entries.map((own) => own.path));
    const marked = [...this.#marked].filter((own) => paths.has(own));
    if (marked.length !== this.#marked.size) this.#marked = new Set(marked);
    if (this.#current === null || !paths.has(this.#current)) {
      this.#current = (entries.find(({ info }) => info !== null) ?? entries[0])?.path ?? null;
    }
  }

  async #armPaths(): Promise<string[]> {
    const shown = [...this.#marked, ...(this.#current === null ? [] : [this.#current])];
    const source = this.#current === null ? null : await this.data.source(this.#current);
    const arm = source === null ? [] : await this.data.armOf(source);
    return [...new Set([...shown, ...arm.map(({ entry }) => entry.path)])];
  }

  /** Loads the model of the view on screen unless it is there or under way. */
  #ensure(): void {
    const id = this.#view;
    const key = this.#key();
    if (this.#models.get(id)?.key === key || this.#loading.get(id) === key) return;
    this.#loading.set(id, key);
    const run = this.#current;
    this.#start(
      this.#load(id).then((model) => {
        if (this.#loading.get(id) !== key) return;
        this.#loading.delete(id);
        // Tables that were opened on the way have changed the key.
        this.#models.set(id, { key: this.#key(id), run, model });
        this.#takeKeys();
        this.#changed();
      }),
    );
  }

  /** What the model of a view depends on. */
  #key(view = this.#view): string {
    const marked = [...this.#marked].join('\n');
    return `${view}\n${this.#current}\n${marked}\n${this.data.entriesVersion}\n${this.#tablesVersion()}`;
  }

  #tablesVersion(): string {
    return this.#shownSources.map((own) => own.tables.version).join(' ');
  }

  #shownSources: readonly RunSource[] = [];

  async #load(id: string): Promise<ViewModel> {
    const spec = this.#views.find((own) => own.id === id)!;
    const context = await this.#context();
    try {
      return await spec.load(context);
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      // A table that cannot be read: the other views still work.
      return { panels: [messagePanel(id, '', [error.message, '', 'The other views are not affected.'])] };
    }
  }

  async #context(): Promise<ViewContext> {
    const current = this.#current === null ? null : await this.data.source(this.#current);
    const sources: RunSource[] = [];
    for (const own of this.#marked) {
      const source = await this.data.source(own);
      if (source !== null) sources.push(source);
    }
    const shown = sources.length > 0 ? sources : current === null ? [] : [current];
    const arm = current === null ? [] : await this.data.armOf(current);
    this.#shownSources = [...new Set([...shown, ...arm])];
    return {
      root: this.options.root,
      entries: this.data.entries,
      current: current ?? shown[0] ?? null,
      shown,
      arm,
      numbers: this.data.numbers,
      marked: this.#marked,
      quick: (at) => this.data.quick(at),
      now: () => this.options.effects.now(),
      want: (name, version, read) => this.data.want(name, version, read),
    };
  }

  #draw(box: Box = bodyBox(this.#box)): Drawn {
    const { state } = this;
    const loaded = this.#models.get(this.#view);
    const model = loaded?.model ?? waiting;
    const place = Math.min(state.panel, model.panels.length - 1);
    const below = state.drill === null ? [] : (model.drill?.(state.drill.id) ?? []);
    const isGone = state.drill !== null && below.length === 0;
    const panels = state.drill === null ? model.panels : isGone ? [gone] : below;
    const panel = panels[Math.min(state.drill?.panel ?? place, panels.length - 1)]!;
    const picture = panel.draw({ ...state, panel: place }, box, this.options.style);
    return { panel, panels, picture, isGone };
  }

  #keyContext(panel: ViewPanel, panels: number, picture: Picture): KeyContext {
    const { state } = this;
    return {
      view: this.#view,
      hasList: picture.list !== null,
      hasColumns: (picture.list?.columns.length ?? 0) > 1 && picture.figure === null,
      hasAxis: picture.axis !== null,
      hasChoices: (panel.choices?.values.length ?? 0) > 1,
      hasPanels: panels > 1,
      hasSteps:
        picture.list?.placeOf != null ||
        (picture.figure?.kind === 'line' && picture.figure.xLabel === 'step'),
      hasFilters: (panel.filters?.length ?? 0) > 0,
      drills: picture.list === null || picture.list.id === null ? null : panel.drills,
      isDrilled: state.drill !== null || state.filter !== '' || state.zoom !== null || state.cursor !== null,
      canLog: picture.figure !== null && picture.figure.kind !== 'heat',
    };
  }

  #set(state: ViewState): void {
    this.#states.set(this.#view, state);
  }

  #act(action: Action | null): void {
    if (action === null) return;
    if (this.#overlay !== null && action !== 'quit') {
      this.#scroll(this.#overlay, action);
      return;
    }
    if (action.startsWith('view-')) {
      const view = this.#views[Number(action.slice(5)) - 1];
      if (view !== undefined) this.#view = view.id;
      return;
    }
    switch (action) {
      case 'quit':
        this.options.effects.quit();
        return;
      case 'help':
        this.#overlay = keyOverlay(this.#views, this.#box.width);
        return;
      case 'views':
        this.#prompt = {
          kind: 'views',
          text: '',
          before: '',
          row: this.#views.findIndex(({ id }) => id === this.#view),
        };
        return;
      case 'refresh':
        this.#start(this.refresh());
        return;
      case 'filter':
        this.#prompt = { kind: 'filter', text: this.state.filter, row: 0, before: this.state.filter };
        return;
      case 'go-to-step':
        this.#prompt = { kind: 'step', text: '', row: 0, before: '' };
        return;
      case 'export':
        this.#prompt = { kind: 'export', text: this.#exportName(), row: 0, before: '' };
        return;
      case 'copy':
        this.#say(`${this.options.effects.copy(this.command())} (Y shows all of it): ${this.command()}`);
        return;
      case 'show-command':
        this.#overlay = {
          title: 'The command that prints this screen (esc closes)',
          lines: ['', ...commandLines(this.#words(), this.#box.width)],
          top: 0,
        };
        return;
      case 'back':
        this.#back();
        return;
      case 'next-run':
      case 'previous-run':
        this.#toRun(action === 'next-run' ? 1 : -1);
        return;
      default:
        this.#actOnPicture(action);
    }
  }

  #actOnPicture(action: Action): void {
    const { panel, panels, picture } = this.#draw();
    if (this.#view === 'runs' && this.#actOnRuns(action, picture)) return;
    if (action === 'drill') {
      const id = picture.list?.id ?? null;
      if (id === null || panel.drills === null) return;
      this.#set({
        ...initialState,
        panel: this.state.panel,
        choices: this.state.choices,
        drill: { id, panel: 0, above: this.state },
      });
      return;
    }
    this.#set(reduce(this.state, action, { panel, panels: panels.length, picture }));
    this.#followCursor();
  }

  /** In the list of runs the selected row is the run that all views show. */
  #followCursor(): void {
    if (this.#view !== 'runs' || this.state.panel !== 0) return;
    const id = this.#draw().picture.list?.id ?? null;
    if (id !== null) this.#current = id;
  }

  #actOnRuns(action: Action, picture: Picture): boolean {
    const id = picture.list?.id ?? null;
    switch (action) {
      case 'drill':
        if (id !== null) {
          this.#current = id;
          this.#view = 'training';
        }
        return true;
      case 'select':
        if (id === null) return true;
        this.#marked = this.#marked.has(id)
          ? new Set([...this.#marked].filter((own) => own !== id))
          : new Set([...this.#marked, id]);
        this.#set(reduce(this.state, 'down', { panel: gone, panels: 1, picture }));
        this.#followCursor();
        return true;
      case 'select-all': {
        const readables = new Set(this.data.entries.flatMap((own) => (own.info === null ? [] : [own.path])));
        const readable = (picture.list?.ids?.() ?? []).filter((own) => readables.has(own));
        if (readable.length === 0) return true;
        this.#marked = readable.every((own) => this.#marked.has(own)) ? new Set() : new Set(readable);
        return true;
      }
      case 'compare':
        this.#set(toPanel(this.state, this.state.panel === 1 ? 0 : 1));
        return true;
      default:
        return false;
    }
  }

  #toRun(by: 1 | -1): void {
    const entries = this.data.entries.filter(({ info }) => info !== null);
    const place = entries.findIndex((own) => own.path === this.#current);
    const next = entries[place + by];
    if (next === undefined) return;
    this.#current = next.path;
    const state = this.#states.get('runs') ?? initialState;
    if (state.filter === '' && state.sort === null) {
      this.#states.set('runs', { ...state, row: this.data.entries.indexOf(next) });
    }
  }

  #back(): void {
    const { state } = this;
    if (state.drill !== null) this.#set(state.drill.above);
    else if (state.filter !== '') this.#set({ ...state, filter: '', row: 0 });
    else if (state.zoom !== null || state.cursor !== null) this.#set({ ...state, zoom: null, cursor: null });
    else if (state.panel !== 0) this.#set(toPanel(state, 0));
    else if (this.#view !== 'runs') this.#view = 'runs';
    else if (this.#marked.size > 0) this.#marked = new Set();
  }

  #scroll(overlay: Overlay, action: Action): void {
    const page = Math.max(1, this.#box.height - 4);
    const scrolled: Partial<Record<Action, number>> = {
      down: 1,
      up: -1,
      'page-down': page,
      'page-up': -page,
    };
    const by = scrolled[action];
    if (by !== undefined) this.#overlay = { ...overlay, top: Math.max(0, overlay.top + by) };
    else if (action === 'help' || action === 'back' || action === 'show-command') this.#overlay = null;
  }

  #say(text: string): void {
    this.#message = { text, until: this.options.effects.now() + messageTime };
  }

  #exportName(): string {
    const { panel } = this.#draw();
    const run = this.#current === null ? 'runs' : path.basename(this.#current);
    const name = [this.#view, panel.title, ...(this.#view === 'runs' ? [] : [run])].join('-');
    const stem = name
      .toLowerCase()
      .replaceAll(/[^a-z0-9]+/g, '-')
      .replaceAll(/^-|-$/g, '');
    const taken = (file: string): boolean =>
      formats.some((own) => this.options.effects.exists(`${file}${own}`));
    let count = 1;
    while (taken(count === 1 ? stem : `${stem}-${count}`)) count++;
    return `${count === 1 ? stem : `${stem}-${count}`}.arrow`;
  }

  #type(prompt: Prompt, key: KeyName): void {
    const change = (text: string): void => {
      this.#prompt = { ...prompt, text, row: 0 };
      if (prompt.kind === 'filter') this.#set({ ...this.state, filter: text, row: 0 });
    };
    if (key === 'escape') {
      this.#prompt = null;
      if (prompt.kind === 'filter') this.#set({ ...this.state, filter: '', row: 0 });
    } else if (key === 'enter') {
      this.#prompt = null;
      this.#followCursor();
      if (prompt.kind === 'views') this.#view = chosenView(this.#views, prompt)?.id ?? this.#view;
      if (prompt.kind === 'step') this.#goToStep(prompt.text);
      if (prompt.kind === 'export') this.#start(this.#export(prompt.text));
    } else if (prompt.kind === 'views' && (key === 'down' || key === 'up'))
      this.#prompt = { ...prompt, ...moveInMenu(this.#views, prompt, key === 'down' ? 1 : -1) };
    else if (key === 'backspace') change(prompt.text.slice(0, -1));
    else if (key === 'ctrl+u') change('');
    else if (key === 'tab' && prompt.kind === 'export')
      change(nextFormat(prompt.text, this.#draw().picture.figure !== null));
    else if (key === 'space') change(`${prompt.text} `);
    else if (Array.from(key).length === 1) change(`${prompt.text}${key}`);
  }

  #goToStep(text: string): void {
    const step = Number(text);
    if (text.trim() === '' || !Number.isFinite(step)) {
      this.#say(`not a step: ${text}`);
      return;
    }
    const { picture } = this.#draw();
    if (picture.list?.placeOf != null) {
      this.#set({ ...this.state, row: picture.list.placeOf(step) });
      return;
    }
    if (picture.axis === null) return;
    const [low, high] = picture.axis.range;
    this.#set({ ...this.state, cursor: Math.max(low, Math.min(high, step)), zoom: null });
  }

  /** What makes a figure stand alone: its question, its runs, what its intervals are, and how it is had again. */
  #caption(): Caption {
    const { panel, picture } = this.#draw();
    const shown = this.#marked.size > 0 ? this.#marked : new Set([this.#current]);
    const arms = new Map<string, number[]>();
    for (const { path: own, info } of this.data.entries) {
      if (info === null || !shown.has(own)) continue;
      const arm = `${info.experiment} ${info.name}`;
      arms.set(arm, [...(arms.get(arm) ?? []), info.seed]);
    }
    const runs = Array.from(
      arms,
      ([arm, seeds]) => `${arm}, ${seeds.length === 1 ? 'seed' : 'seeds'} ${formatSeeds(seeds)}`,
    );
    const note = picture.figure?.note ?? '';
    return {
      texts: [panel.question, [...runs, ...(note === '' ? [] : [note])].join('; '), this.command()].filter(
        (own) => own !== '',
      ),
      command: this.command(),
    };
  }

  async #export(file: string): Promise<void> {
    try {
      const { content, what } = exportPicture(file, this.#draw().picture, this.#caption());
      await this.options.effects.writeFile(file, content);
      this.#say(`written: ${file} (${what})`);
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      this.#say(`not written: ${error.message}`);
    }
    this.#changed();
  }
}

/** The same name with the next format that this picture has. */
function nextFormat(file: string, hasFigure: boolean): string {
  const usable = formats.filter((own) => own !== '.svg' || hasFigure);
  const place = usable.findIndex((own) => file.endsWith(own));
  const stem = place < 0 ? file : file.slice(0, -usable[place]!.length);
  return `${stem}${usable[(place + 1) % usable.length]}`;
}

/** A path as a person would write it. */
function shortest(file: string): string {
  const relative = path.relative(process.cwd(), file);
  if (relative === '') return '.';
  if (relative.startsWith('..')) return path.resolve(file);
  // No option.
  return relative.startsWith('-') ? `.${path.sep}${relative}` : relative;
}

/** Keys that do not depend on what a view shows. */
const isAlwaysTaken = (action: Action): boolean =>
  action.startsWith('view-') ||
  action === 'views' ||
  action === 'quit' ||
  action === 'help' ||
  action === 'refresh';

const waiting: ViewModel = { panels: [messagePanel('reading', '', ['reading ...'])] };
const gone = messagePanel('gone', '', ['This is not there any more; esc goes back.']);
